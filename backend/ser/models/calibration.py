"""Calibrates confidence: temperature scaling of logits, the threshold for "unsure", and prediction sets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

UNSURE_BELOW = 0.5  # a prediction is unsure when it is more likely wrong than right
CANDIDATE_SHARE = 0.5  # an emotion at least half as likely as the likeliest is a candidate
MAX_CANDIDATES = 3
COVERAGES = (80, 90, 95)  # percent of the prediction sets that should contain the true emotion


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Parameters that turn logits into calibrated probabilities.

    Attributes:
        temperature: logits are divided by it.
        unsure_below: a prediction of lower probability is unsure; see ``UNSURE_BELOW``.
        set_thresholds: coverage in percent, such as "90" -> lowest probability of an emotion in the prediction set.
    """

    temperature: float
    unsure_below: float
    set_thresholds: Mapping[str, float] = field(default_factory=dict)


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Returns the temperature that minimises the negative log likelihood.

    Args:
        logits: (clips, classes), out-of-fold: of networks that were not trained on the clips' speakers.
        targets: int (clips,), right classes.

    Source: Guo et al. 2017, ICML, "On calibration of modern neural networks".
    """
    from scipy.optimize import minimize_scalar  # serving, which imports this module, needs no scipy
    from scipy.special import log_softmax

    def loss(log_temperature: float) -> float:
        likelihood = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-likelihood[np.arange(len(targets)), targets].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def cross_fit_temperatures(logits: np.ndarray, targets: np.ndarray, parts: Sequence[str]) -> np.ndarray:
    """Returns the temperature of every clip, fitted on the clips of all other parts: float (clips,).

    A temperature fitted on a clip makes the calibration error of that clip look too small, as a threshold chosen on the
    test set does with accuracy. With folds or speakers as parts, the error is measured on unseen speakers.

    Args:
        logits: (clips, classes), out-of-fold.
        targets: int (clips,), right classes.
        parts: which part each clip belongs to; two or more.
    """
    member = np.asarray(parts)
    found = np.empty(len(targets))
    for part in sorted(set(parts)):
        own = member == part
        found[own] = fit_temperature(logits[~own], targets[~own])
    return found


def candidates(probabilities: dict[str, float]) -> list[str]:
    """Returns two or three candidates of an unsure prediction, likeliest first, see ``CANDIDATE_SHARE``."""
    ranked = sorted(probabilities, key=probabilities.get, reverse=True)
    close = [label for label in ranked if probabilities[label] >= CANDIDATE_SHARE * probabilities[ranked[0]]]
    return close[:MAX_CANDIDATES] if len(close) > 1 else ranked[:2]


def set_threshold(right: np.ndarray, coverage: float) -> float:
    """Returns the lowest probability of a class in the set, so that ``coverage`` of the sets contain the true class.

    Args:
        right: (clips,) calibrated probability of the true class, out-of-fold.
        coverage: share of 1 of the sets that should contain the true class, for clips like these.

    Returns:
        0 (every class) where there are too few clips to guarantee that coverage.

    Source: Sadinle et al. 2019, JASA 114(525), "Least ambiguous set-valued classifiers with bounded error levels", with
    the finite-sample rank of split conformal prediction (Vovk et al. 2005).
    """
    rank = math.ceil((len(right) + 1) * coverage - 1e-9)
    return float(np.sort(right)[len(right) - rank]) if rank <= len(right) else 0.0


def cross_fit_thresholds(right: np.ndarray, parts: Sequence[str], coverage: float) -> np.ndarray:
    """Returns the threshold of every clip, fitted on the clips of all other parts: float (clips,)."""
    member = np.asarray(parts)
    found = np.empty(len(right))
    for part in sorted(set(parts)):
        own = member == part
        found[own] = set_threshold(right[~own], coverage)
    return found


def prediction_set(probabilities: Mapping[str, float], threshold: float) -> list[str]:
    """Returns the emotions of at least the threshold's probability, likeliest first; never none."""
    ranked = sorted(probabilities, key=probabilities.get, reverse=True)
    return [label for label in ranked if probabilities[label] >= threshold] or ranked[:1]
