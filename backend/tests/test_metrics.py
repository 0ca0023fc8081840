from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from ser.metrics import NO_SPEECH, calibration_floor, expected_calibration_error, score, speaker_interval

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


def test_no_speech_counts_as_wrong():
    scores = score(["angry", "angry", "happy", "sad"], ["angry", NO_SPEECH, "happy", "sad"], LABELS)
    assert scores.recalls["angry"] == 0.5
    assert scores.ua == pytest.approx((0.5 + 1 + 1) / 3)
    assert scores.wa == 0.75


def test_calibration_error_of_a_calibrated_and_of_a_boasting_model():
    draw = np.random.default_rng(0)
    confidence = draw.uniform(0.2, 1, 200_000)
    assert expected_calibration_error(confidence, draw.random(200_000) < confidence) < 0.01
    assert expected_calibration_error(np.full(100, 0.9), np.arange(100) < 50) == pytest.approx(0.4)


def test_chance_alone_gives_a_calibration_error_that_shrinks_with_clips():
    confidence = np.random.default_rng(0).uniform(0.2, 1, 1440)
    assert 0.02 < calibration_floor(confidence) < 0.035
    assert calibration_floor(np.tile(confidence, 20)) < 0.01


def test_interval_holds_the_figure_and_widens_with_differing_speakers(drawn):
    truth, guess, speakers = drawn
    low, high = speaker_interval(truth, guess, speakers, LABELS)
    assert low < score(truth, guess, LABELS).ua < high
    uneven = [t if s < "s5" else "angry" for t, s in zip(truth, speakers, strict=True)]
    low2, high2 = speaker_interval(truth, uneven, speakers, LABELS)
    assert high2 - low2 > high - low
