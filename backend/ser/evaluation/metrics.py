"""Computes UA, WA, F1, recalls, confusion, calibration, risk and intervals from true and predicted labels.

UA is the mean of the per-class recalls (unweighted average recall, balanced accuracy), WA plain accuracy, F1 macro.
All are shares of 1 here; they are displayed in percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import wilcoxon
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, recall_score

NO_SPEECH = "no_speech"  # predicted label of a clip without speech; it counts as wrong
CALIBRATION_BINS = 15
COVERAGE_STEPS = 50  # points of a risk-coverage curve: every 2 % of the clips

Answers = tuple[Sequence[str], Sequence[str], Sequence[str]]  # truth, predicted, speakers; one entry per clip


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Figures of one set of predictions.

    Attributes:
        ua: mean of the per-class recalls.
        wa: accuracy.
        f1: macro F1.
        weighted_f1: F1 weighted by class size.
        recalls: label -> recall.
        precisions: label -> precision, 0 for a label that was never predicted.
        f1s: label -> F1.
        clips: label -> clips with this true label.
        confusion: rows are true labels, columns predicted ones, in the order of the labels (or of ``answers``).
    """

    ua: float
    wa: float
    f1: float
    weighted_f1: float
    recalls: dict[str, float]
    precisions: dict[str, float]
    f1s: dict[str, float]
    clips: dict[str, int]
    confusion: list[list[int]]


def score(
    truth: Sequence[str], predicted: Sequence[str], labels: Sequence[str], answers: Sequence[str] | None = None
) -> Scores:
    """Compares labels; ``predicted`` may hold ``NO_SPEECH``, which is never right.

    Args:
        truth: true labels.
        predicted: predicted labels.
        labels: classes of the true labels.
        answers: classes that the model can predict, if they are more: columns of the confusion matrix.
    """
    order = list(labels)
    columns = precision_recall_fscore_support(truth, predicted, labels=order, zero_division=0)
    precisions, recalls, f1s, clips = (dict(zip(order, column.tolist(), strict=True)) for column in columns)
    return Scores(
        ua=float(columns[1].mean()),
        wa=float(np.mean(np.asarray(truth) == np.asarray(predicted))),
        f1=float(columns[2].mean()),
        weighted_f1=float(np.average(columns[2], weights=columns[3])),
        recalls=recalls,
        precisions=precisions,
        f1s=f1s,
        clips=clips,
        confusion=_confusion(truth, predicted, order, list(answers or labels)),
    )


def _confusion(
    truth: Sequence[str], predicted: Sequence[str], labels: list[str], answers: list[str]
) -> list[list[int]]:
    names = [*labels, *(answer for answer in answers if answer not in labels), NO_SPEECH]
    counts = confusion_matrix(truth, predicted, labels=names)
    return counts[: len(labels), [names.index(answer) for answer in answers]].tolist()


def group_recalls(
    truth: Sequence[str], predicted: Sequence[str], groups: Sequence[str]
) -> dict[str, tuple[float, int]]:
    """Returns group -> (UA, clips), by name; a group's UA is over the emotions that occur in it."""
    true, guess, member = np.asarray(truth), np.asarray(predicted), np.asarray(groups)
    found = {}
    for name in sorted(set(groups)):
        own = member == name
        present = sorted(set(true[own].tolist()))
        recalls = recall_score(true[own], guess[own], labels=present, average="macro", zero_division=0)
        found[name] = (float(recalls), int(own.sum()))
    return found


def risk_coverage(confidence: np.ndarray, correct: np.ndarray) -> list[tuple[float, float]]:
    """Risk-coverage curve: [(coverage, accuracy)] of the most confident 2 %, 4 % ... 100 % of the clips.

    Args:
        confidence: (clips,) probability of the predicted label.
        correct: bool (clips,).

    Source: El-Yaniv and Wiener 2010, JMLR 11, "On the foundations of noise-free selective classification"; the risk is
    1 - accuracy.
    """
    surest = np.asarray(correct)[np.argsort(-np.asarray(confidence), kind="stable")]
    right = surest.cumsum()
    shares = np.arange(1, COVERAGE_STEPS + 1) / COVERAGE_STEPS
    counts = np.ceil(shares * len(surest) - 1e-9).astype(int)  # 0.58 * 50 is a little more than 29
    return list(zip(shares.round(4).tolist(), (right[counts - 1] / counts).tolist(), strict=True))


def reliability(
    confidence: np.ndarray, correct: np.ndarray, bins: int = CALIBRATION_BINS
) -> list[tuple[float, float, int]]:
    """Points of a reliability diagram: [(mean confidence, accuracy, clips)] of every equal-width bin that is not empty.

    Args:
        confidence: (clips,) probability of the answer.
        correct: bool (clips,).
        bins: number of bins between 0 and 1.

    Source: Guo et al. 2017, ICML, "On calibration of modern neural networks".
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        (float(confidence[index == b].mean()), float(correct[index == b].mean()), int((index == b).sum()))
        for b in sorted(set(index.tolist()))
    ]


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Mean distance between confidence and accuracy over equal-width bins, weighted by their size.

    Args:
        confidence: (clips,) probability of the answer.
        correct: bool (clips,).
        bins: number of bins between 0 and 1.

    Source: Guo et al. 2017, ICML, "On calibration of modern neural networks".
    """
    gaps = [abs(mean - accuracy) * clips for mean, accuracy, clips in reliability(confidence, correct, bins)]
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
    names = sorted(set(speakers))
    counts = _speaker_counts((truth, predicted, speakers), labels, names)
    low, high = np.percentile(_ua(counts[_draws(len(names), rounds)].sum(axis=1)), [2.5, 97.5])
    return float(low), float(high)


def difference_interval(
    one: Sequence[Answers], other: Sequence[Answers], labels: Sequence[str], rounds: int = 1000
) -> tuple[float, float]:
    """95 % paired bootstrap interval of the difference of two systems' UA, ``other`` - ``one``, means over their seeds.

    The same speakers are drawn for both, so that a difficult speaker does not count as a difference.

    Args:
        one: (truth, predicted, speakers) of every seed of one system.
        other: the same of the other system, on the same clips.
        labels: order of the classes.
        rounds: how often speakers are drawn.

    Source: Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13 (percentile interval).
    """
    names = sorted(set(one[0][2]))
    draws = _draws(len(names), rounds)
    one_uas, other_uas = (
        np.mean([_ua(_speaker_counts(run, labels, names)[draws].sum(axis=1)) for run in runs], axis=0)
        for runs in (one, other)
    )
    low, high = np.percentile(other_uas - one_uas, [2.5, 97.5])
    return float(low), float(high)


def paired_p_value(differences: Sequence[float]) -> float:
    """Two-sided p-value of the differences between two systems under the null hypothesis; 1 if all are zero.

    Args:
        differences: one per speaker, as clips of one speaker are not independent.

    Source: Wilcoxon 1945, Biometrics Bulletin 1(6), signed-rank test, two-sided.
    """
    rounded = np.round(np.asarray(differences, float), 12)  # differences by rounding are ties
    return float(wilcoxon(rounded).pvalue) if rounded.any() else 1.0


def _draws(speakers: int, rounds: int) -> np.ndarray:
    """(rounds, speakers): positions of speakers drawn with replacement, the same ones at every call."""
    return np.random.default_rng(0).integers(0, speakers, (rounds, speakers))


def _ua(counts: np.ndarray) -> np.ndarray:
    """(rounds,) UA from (rounds, classes, 2) correct predictions and clips."""
    return (counts[:, :, 0] / np.maximum(counts[:, :, 1], 1)).mean(axis=1)


def _speaker_counts(answers: Answers, labels: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """(speakers, classes, 2): correct predictions and clips of every class of every speaker."""
    truth, predicted, speakers = answers
    member = np.asarray(speakers)
    return np.stack([_counts(truth, predicted, labels, member == name) for name in names])


def _counts(truth: Sequence[str], predicted: Sequence[str], labels: Sequence[str], chosen: np.ndarray) -> np.ndarray:
    """(classes, 2): correct predictions and clips of every class among the chosen clips."""
    true, guess = np.asarray(truth)[chosen], np.asarray(predicted)[chosen]
    return np.array([[np.sum((true == label) & (guess == label)), np.sum(true == label)] for label in labels])
