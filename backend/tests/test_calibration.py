from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from ser.calibration import candidates, cross_fit_temperatures, fit_temperature
from ser.metrics import expected_calibration_error


def test_temperature_undoes_overconfidence():
    draw = np.random.default_rng(0)
    honest = draw.normal(0, 1.5, (20_000, 4))
    targets = np.array([draw.choice(4, p=row) for row in softmax(honest, axis=1)])
    assert fit_temperature(3 * honest, targets) == pytest.approx(3, rel=0.05)
    probabilities = softmax(3 * honest / fit_temperature(3 * honest, targets), axis=1)
    assert expected_calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == targets) < 0.02


def test_a_cross_fitted_temperature_never_saw_its_own_part():
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


def test_candidates_are_those_that_are_close():
    assert candidates({"angry": 0.4, "happy": 0.3, "sad": 0.21, "neutral": 0.09}) == ["angry", "happy", "sad"]
    assert candidates({"angry": 0.2, "happy": 0.75, "sad": 0.05}) == ["happy", "angry"]
    assert candidates({"angry": 0.2, "happy": 0.21, "sad": 0.19, "neutral": 0.2, "calm": 0.2})[0] == "happy"
    assert len(candidates({"angry": 0.2, "happy": 0.21, "sad": 0.19, "neutral": 0.2, "calm": 0.2})) == 3
