"""Calibration: temperatures, candidates and prediction sets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from ser.evaluation.metrics import expected_calibration_error
from ser.models.calibration import (
    candidates,
    cross_fit_temperatures,
    cross_fit_thresholds,
    fit_temperature,
    prediction_set,
    set_threshold,
)


def test_temperature_corrects_overconfidence():
    draw = np.random.default_rng(0)
    honest = draw.normal(0, 1.5, (20_000, 4))
    targets = np.array([draw.choice(4, p=row) for row in softmax(honest, axis=1)])
    assert fit_temperature(3 * honest, targets) == pytest.approx(3, rel=0.05)
    probabilities = softmax(3 * honest / fit_temperature(3 * honest, targets), axis=1)
    assert expected_calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == targets) < 0.02


def test_a_cross_fitted_temperature_never_uses_its_own_part():
    draw = np.random.default_rng(0)
    logits, targets = draw.normal(0, 2, (300, 3)), draw.integers(0, 3, 300)
    parts = np.repeat(["a", "b", "c"], 100)
    found = cross_fit_temperatures(logits, targets, parts.tolist())
    for part in "abc":
        own = parts == part
        assert found[own] == pytest.approx(fit_temperature(logits[~own], targets[~own]))
    targets[parts == "b"] = logits[parts == "b"].argmax(axis=1)
    changed = cross_fit_temperatures(logits, targets, parts.tolist())
    assert (changed != found).tolist() == (parts != "b").tolist()


def test_candidates_are_close_to_the_likeliest():
    assert candidates({"angry": 0.4, "happy": 0.3, "sad": 0.21, "neutral": 0.09}) == ["angry", "happy", "sad"]
    assert candidates({"angry": 0.2, "happy": 0.75, "sad": 0.05}) == ["happy", "angry"]
    assert candidates({"angry": 0.2, "happy": 0.21, "sad": 0.19, "neutral": 0.2, "calm": 0.2})[0] == "happy"
    assert len(candidates({"angry": 0.2, "happy": 0.21, "sad": 0.19, "neutral": 0.2, "calm": 0.2})) == 3


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_prediction_sets_reach_their_coverage(coverage):
    draw = np.random.default_rng(0)
    kept = []
    for _ in range(200):
        shares = draw.dirichlet([1, 1, 1, 1], 400)
        right = np.array([row[draw.choice(4, p=row)] for row in shares])
        kept.append(np.mean(right[200:] >= set_threshold(right[:200], coverage)))
    assert np.mean(kept) == pytest.approx(coverage, abs=0.01)


def test_too_few_clips_give_the_full_set():
    assert set_threshold(np.array([0.9, 0.8]), 0.9) == 0.0
    assert set_threshold(np.arange(1, 20) / 20, 0.95) == pytest.approx(0.05)


def test_a_cross_fitted_threshold_never_uses_its_own_part():
    right = np.random.default_rng(0).random(300)
    parts = np.repeat(["a", "b", "c"], 100)
    found = cross_fit_thresholds(right, parts.tolist(), 0.9)
    for part in "abc":
        assert set(found[parts == part]) == {set_threshold(right[parts != part], 0.9)}


def test_a_prediction_set_is_never_empty_and_starts_with_the_likeliest():
    shares = {"angry": 0.2, "happy": 0.5, "sad": 0.3}
    assert prediction_set(shares, 0.25) == ["happy", "sad"]
    assert prediction_set(shares, 0.9) == ["happy"]
    assert prediction_set(shares, 0.0) == ["happy", "sad", "angry"]
