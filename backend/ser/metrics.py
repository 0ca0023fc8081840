"""Owns the figures: from true and predicted labels to UA, WA, F1, recalls, confusion, calibration error and intervals.

UA is the mean of the per-class recalls (unweighted average recall, balanced accuracy), WA plain accuracy, F1 macro.
All are shares of 1 in here; people are shown percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix, f1_score, recall_score

NO_SPEECH = "no_speech"  # stands in the predicted labels for a clip without speech; it counts as wrong
CALIBRATION_BINS = 15


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Figures of one set of predictions.

    Attributes:
        ua: mean of the per-class recalls.
        wa: accuracy.
        f1: macro F1.
        weighted_f1: F1 weighted by class size.
        recalls: label -> recall.
        confusion: rows are true labels, columns predicted ones, in the order of the labels.
    """

    ua: float
    wa: float
    f1: float
    weighted_f1: float
    recalls: dict[str, float]
    confusion: list[list[int]]


def score(truth: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> Scores:
    """Compares labels; ``predicted`` may hold ``NO_SPEECH``, which is never right."""
    order = list(labels)
    recalls = recall_score(truth, predicted, labels=order, average=None, zero_division=0)
    f1 = {
        average: f1_score(truth, predicted, labels=order, average=average, zero_division=0)
        for average in ("macro", "weighted")
    }
    return Scores(
        ua=float(recalls.mean()),
        wa=float(np.mean(np.asarray(truth) == np.asarray(predicted))),
        f1=float(f1["macro"]),
        weighted_f1=float(f1["weighted"]),
        recalls=dict(zip(order, recalls.tolist(), strict=True)),
        confusion=confusion_matrix(truth, predicted, labels=[*order, NO_SPEECH])[: len(order), : len(order)].tolist(),
    )


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Mean distance between confidence and accuracy over equal-width bins, weighted by their size.

    Args:
        confidence: (clips,) probability of the answer.
        correct: bool (clips,).
        bins: number of bins between 0 and 1.

    Source: Guo et al. 2017, ICML, "On calibration of modern neural networks".
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(confidence[index == b].mean() - correct[index == b].mean()) * (index == b).sum() for b in set(index)]
    return float(sum(gaps) / len(confidence))


def calibration_floor(confidence: np.ndarray, rounds: int = 100) -> float:
    """Expected calibration error that a perfectly calibrated model of these confidences shows by chance."""
    draw = np.random.default_rng(0)
    errors = [expected_calibration_error(confidence, draw.random(len(confidence)) < confidence) for _ in range(rounds)]
    return float(np.mean(errors))


def speaker_interval(
    truth: Sequence[str], predicted: Sequence[str], speakers: Sequence[str], labels: Sequence[str], rounds: int = 1000
) -> tuple[float, float]:
    """95 % bootstrap interval of the UA; whole speakers are drawn, as clips of one speaker are not independent."""
    names, index = np.unique(np.asarray(speakers), return_inverse=True)
    counts = np.stack([_counts(truth, predicted, labels, index == s) for s in range(len(names))])
    draw = np.random.default_rng(0)
    totals = counts[draw.integers(0, len(names), (rounds, len(names)))].sum(axis=1)  # (rounds, classes, 2)
    uas = (totals[:, :, 0] / np.maximum(totals[:, :, 1], 1)).mean(axis=1)
    low, high = np.percentile(uas, [2.5, 97.5])
    return float(low), float(high)


def _counts(truth: Sequence[str], predicted: Sequence[str], labels: Sequence[str], chosen: np.ndarray) -> np.ndarray:
    """(classes, 2): right answers and clips of every class among the chosen clips."""
    true, guess = np.asarray(truth)[chosen], np.asarray(predicted)[chosen]
    return np.array([[np.sum((true == label) & (guess == label)), np.sum(true == label)] for label in labels])
