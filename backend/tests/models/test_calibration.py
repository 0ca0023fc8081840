"""Calibration: temperatures, candidates and prediction sets."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from scipy.special import softmax

from ser.evaluation.metrics import expected_calibration_error
from ser.models.calibration import (
    UNSURE_PAIR_BELOW,
    Calibration,
    SizeCalibration,
    candidates,
    cross_fit_temperatures,
    cross_fit_thresholds,
    fit_by_size,
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


LABELS = ("angry", "happy", "neutral", "sad", "surprised")


def distracted(clips: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits (clips, 5) and classes; in some clips a random class is far too likely, of few classes more rarely."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(0, 2, (clips, 5))
    targets = np.array([draw.choice(5, p=row) for row in softmax(logits, axis=1)])
    logits[np.arange(clips), draw.integers(0, 5, clips)] += 6 * (draw.random(clips) < 0.3)
    return logits, targets


def likelihood(logits: np.ndarray, targets: np.ndarray, calibration: Calibration, size: int) -> float:
    """Mean log likelihood over all subsets of a size, on the clips of their classes."""
    from itertools import combinations

    found = []
    for chosen in combinations(LABELS, size):
        own = np.isin(targets, [LABELS.index(label) for label in chosen])
        restricted = calibration.probabilities(logits[own], LABELS, chosen)
        right = [chosen.index(LABELS[target]) for target in targets[own]]
        found.append(np.log(restricted[np.arange(own.sum()), right]).mean())
    return float(np.mean(found))


def test_calibration_by_size_is_better_than_the_plain_temperature_on_other_clips():
    logits, targets = distracted(4000, 0)
    plain = Calibration(temperature=fit_temperature(logits, targets), unsure_below=0.5)
    fitted = Calibration(**{**vars(plain), "by_size": fit_by_size(logits, targets, plain)})
    assert list(fitted.by_size) == ["2", "3", "4"]
    others = distracted(4000, 1)
    for size in (2, 3, 4):
        assert likelihood(*others, fitted, size) > likelihood(*others, plain, size)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_prediction_sets_of_chosen_emotions_reach_their_coverage(size):
    logits, targets = distracted(4000, 0)
    plain = Calibration(temperature=1.0, unsure_below=0.5)
    fitted = Calibration(temperature=1.0, unsure_below=0.5, by_size=fit_by_size(logits, targets, plain))
    others, truth = distracted(4000, 1)
    chosen = LABELS[:size]
    own = truth < size
    right = fitted.probabilities(others[own], LABELS, chosen)[np.arange(own.sum()), truth[own]]
    every = [np.mean(right >= threshold) for threshold in fitted.among(chosen).set_thresholds.values()]
    assert every == sorted(every) and every[1] == pytest.approx(0.9, abs=0.1)


def test_sure_answers_among_chosen_emotions_are_right_as_often_as_among_all():
    logits, targets = distracted(4000, 0)
    calibration = Calibration(temperature=fit_temperature(logits, targets), unsure_below=0.8)
    shares = softmax(logits / calibration.temperature, axis=1)
    sure = shares.max(axis=1) >= 0.8
    promised = np.mean(shares.argmax(axis=1)[sure] == targets[sure])
    for size, own in fit_by_size(logits, targets, calibration).items():
        assert own.unsure_below >= (UNSURE_PAIR_BELOW - 1e-4 if size == "2" else 0.5)
        chosen = targets < int(size)
        among = softmax(logits[chosen, : int(size)] / own.temperature, axis=1)
        sure = among.max(axis=1) >= own.unsure_below
        assert np.mean(among.argmax(axis=1)[sure] == targets[chosen][sure]) >= promised - 0.05


def test_probabilities_are_the_softmax_of_the_chosen_logits():
    logits = np.random.default_rng(0).normal(0, 2, (4, 5, 5))
    own = SizeCalibration(temperature=0.8, unsure_below=0.5)
    calibration = Calibration(temperature=1.5, unsure_below=0.5, by_size={"3": own})
    found = calibration.probabilities(logits, LABELS, ("angry", "neutral", "surprised"))
    assert found == pytest.approx(softmax(logits[..., [0, 2, 4]] / 0.8, axis=-1))
    every = softmax(logits / 1.5, axis=-1)
    assert calibration.probabilities(logits, LABELS, ()) == pytest.approx(every)
    assert calibration.probabilities(logits, LABELS, LABELS[::-1]) == pytest.approx(every[..., ::-1])
    pair = calibration.probabilities(logits, LABELS, ("happy", "sad"))  # without a calibration of its own
    assert pair == pytest.approx(softmax(logits[..., [1, 3]] / 1.5, axis=-1))


def test_impossible_emotions_can_be_chosen():
    found = Calibration(temperature=1.0, unsure_below=0.5).probabilities(
        np.array([[900.0, -900.0, -900.0]]), LABELS[:3], LABELS[1:3]
    )
    assert found.tolist() == [[0.5, 0.5]]


def test_unfamiliar_recordings_have_their_own_calibration():
    logits = np.random.default_rng(0).normal(0, 2, (20, 5))
    other = Calibration(
        temperature=3.0,
        unsure_below=0.7,
        set_thresholds={"90": 0.05},
        by_size={"3": SizeCalibration(temperature=2.0, unsure_below=0.6)},
        slope=1.0,
    )
    plain = Calibration(temperature=1.5, unsure_below=0.5, set_thresholds={"90": 0.1})
    both = Calibration(**{**vars(plain), "unfamiliar": other})
    assert both.among((), unfamiliar=True) is other and both.among(()) is both
    assert both.among(LABELS[:3], unfamiliar=True) == other.by_size["3"]
    assert both.among(LABELS[:2], unfamiliar=True).temperature == 3.0
    far = both.probabilities(logits, LABELS, (), distance=2.0)
    assert far == pytest.approx(softmax(logits / (3.0 * np.e), axis=1))
    assert both.probabilities(logits, LABELS, (), distance=1000.0) == pytest.approx(0.2, abs=0.02)
    assert both.probabilities(logits, LABELS, ()) == pytest.approx(softmax(logits / 1.5, axis=1))
    few = both.probabilities(logits, LABELS, LABELS[:3], distance=2.0)
    assert few == pytest.approx(softmax(logits[:, :3] / (2.0 * np.e), axis=1))
    assert plain.among((), unfamiliar=True) is plain, "a model that cannot tell has one calibration"
    assert Calibration.from_dict(asdict(both)) == both


def test_the_calibration_is_read_as_written_and_without_sizes():
    logits, targets = distracted(500, 0)
    plain = Calibration(temperature=1.0, unsure_below=0.5, set_thresholds={"90": 0.1})
    full = Calibration(**{**vars(plain), "by_size": fit_by_size(logits, targets, plain)})
    assert Calibration.from_dict(asdict(full)) == full
    older = {name: value for name, value in asdict(plain).items() if name not in ("by_size", "unfamiliar", "slope")}
    assert Calibration.from_dict(older) == plain
    assert plain.among(()) is plain and plain.among(("angry", "sad")).set_thresholds == {}
