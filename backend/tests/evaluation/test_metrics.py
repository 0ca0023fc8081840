"""Evaluation metrics, against scikit-learn and calculations by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, classification_report

from ser.evaluation.metrics import (
    NO_SPEECH,
    calibration_floor,
    difference_interval,
    expected_calibration_error,
    group_recalls,
    paired_p_value,
    reliability,
    risk_coverage,
    score,
    speaker_interval,
)

LABELS = ("angry", "happy", "sad")


@pytest.fixture
def drawn() -> tuple[list[str], list[str], list[str]]:
    draw = np.random.default_rng(0)
    truth = draw.choice(LABELS, 300, p=[0.6, 0.3, 0.1])
    guess = np.where(draw.random(300) < 0.6, truth, draw.choice(LABELS, 300))
    return truth.tolist(), guess.tolist(), [f"s{i % 10}" for i in range(300)]


def test_ua_is_balanced_accuracy(drawn):
    truth, guess, _ = drawn
    scores = score(truth, guess, LABELS)
    assert scores.ua == pytest.approx(balanced_accuracy_score(truth, guess))
    assert scores.wa == pytest.approx(np.mean([a == b for a, b in zip(truth, guess, strict=True)]))
    assert np.sum(scores.confusion) == 300
    assert scores.recalls["sad"] == pytest.approx(scores.confusion[2][2] / sum(scores.confusion[2]))


def test_class_metrics_equal_the_classification_report(drawn):
    truth, guess, _ = drawn
    scores, report = score(truth, guess, LABELS), classification_report(truth, guess, output_dict=True)
    for label in LABELS:
        own = (scores.precisions[label], scores.recalls[label], scores.f1s[label], scores.clips[label])
        assert own == pytest.approx(tuple(report[label].values()))
    assert scores.f1 == pytest.approx(report["macro avg"]["f1-score"])
    assert scores.weighted_f1 == pytest.approx(report["weighted avg"]["f1-score"])


def test_the_recall_of_a_group_uses_its_clips_only(drawn):
    truth, guess, speakers = drawn
    found = group_recalls(truth, guess, speakers)
    assert list(found) == sorted(set(speakers)) and sum(clips for _, clips in found.values()) == 300
    own = [(t, g) for t, g, s in zip(truth, guess, speakers, strict=True) if s == "s3"]
    assert found["s3"] == (pytest.approx(balanced_accuracy_score(*zip(*own, strict=True))), 30)


def test_emotions_missing_from_a_group_do_not_lower_its_recall():
    found = group_recalls(["angry", "angry", "sad"], ["angry", NO_SPEECH, "sad"], ["x", "x", "y"])
    assert found == {"x": (0.5, 2), "y": (1.0, 1)}


def test_risk_coverage_by_hand():
    confidence = np.array([0.9, 0.2, 0.8, 0.5])
    curve = dict(risk_coverage(confidence, np.array([True, False, False, True])))
    assert len(curve) == 50
    assert (curve[0.02], curve[0.26], curve[0.76], curve[1.0]) == pytest.approx((1.0, 1 / 2, 2 / 4, 2 / 4))
    assert curve[0.5] == 0.5 and curve[0.74] == pytest.approx(2 / 3)


def test_coverage_of_a_share_includes_no_extra_clip():
    correct = np.arange(100) < 58  # the 58 most confident are right; 0.58 * 100 is 57.99... or 58.00...1
    curve = dict(risk_coverage(np.linspace(1, 0, 100), correct))
    assert curve[0.58] == 1.0 and curve[0.6] == pytest.approx(58 / 60)


def test_points_of_a_reliability_diagram_by_hand():
    confidence = np.array([0.1, 0.2, 0.95, 1.0])
    points = reliability(confidence, np.array([False, True, True, True]), bins=2)
    assert points == [(pytest.approx(0.15), 0.5, 2), (pytest.approx(0.975), 1.0, 2)]


def test_no_speech_counts_as_wrong():
    scores = score(["angry", "angry", "happy", "sad"], ["angry", NO_SPEECH, "happy", "sad"], LABELS)
    assert scores.recalls["angry"] == 0.5
    assert scores.ua == pytest.approx((0.5 + 1 + 1) / 3)
    assert scores.wa == 0.75


def test_calibration_error_of_calibrated_and_overconfident_models():
    draw = np.random.default_rng(0)
    confidence = draw.uniform(0.2, 1, 200_000)
    assert expected_calibration_error(confidence, draw.random(200_000) < confidence) < 0.01
    assert expected_calibration_error(np.full(100, 0.9), np.arange(100) < 50) == pytest.approx(0.4)


def test_calibration_error_from_chance_shrinks_with_more_clips():
    confidence = np.random.default_rng(0).uniform(0.2, 1, 1440)
    assert 0.02 < calibration_floor(confidence) < 0.035
    assert calibration_floor(np.tile(confidence, 20)) < 0.01


def test_interval_contains_the_figure_and_widens_with_speaker_variance(drawn):
    truth, guess, speakers = drawn
    low, high = speaker_interval(truth, guess, speakers, LABELS)
    assert low < score(truth, guess, LABELS).ua < high
    uneven = [t if s < "s5" else "angry" for t, s in zip(truth, speakers, strict=True)]
    low2, high2 = speaker_interval(truth, uneven, speakers, LABELS)
    assert high2 - low2 > high - low


def test_a_paired_interval_is_narrower_than_an_unpaired_one(drawn):
    truth, guess, speakers = drawn
    easy = {"s0", "s1", "s2", "s3", "s4"}
    one = [t if s in easy else g for t, g, s in zip(truth, guess, speakers, strict=True)]
    other = [t if i % 7 == 0 else g for i, (t, g) in enumerate(zip(truth, one, strict=True))]
    low, high = difference_interval([(truth, one, speakers)], [(truth, other, speakers)], LABELS)
    difference = score(truth, other, LABELS).ua - score(truth, one, LABELS).ua
    assert 0 < low < difference < high
    own = speaker_interval(truth, one, speakers, LABELS)
    assert high - low < (own[1] - own[0]) / 2
    turned = difference_interval([(truth, other, speakers)], [(truth, one, speakers)], LABELS)
    assert turned == pytest.approx((-high, -low))


def test_p_values_over_speakers():
    assert paired_p_value([0.1, 0.2, -0.1]) == pytest.approx(0.75)
    assert paired_p_value([0.0, 0.0]) == 1.0 and paired_p_value([1e-16, -1e-16]) == 1.0
    assert paired_p_value([0.01 * n for n in range(1, 13)]) == pytest.approx(2 / 2**12)
