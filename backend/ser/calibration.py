"""Owns how sure an answer is: temperature scaling of logits, and when an answer is called unsure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

UNSURE_BELOW = 0.5  # an answer is unsure when it is more likely wrong than right
CANDIDATE_SHARE = 0.5  # an emotion at least half as likely as the likeliest is a candidate
MAX_CANDIDATES = 3


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What turns logits into probabilities that can be believed.

    Attributes:
        temperature: logits are divided by it.
        unsure_below: an answer of a smaller probability is unsure; see ``UNSURE_BELOW``.
    """

    temperature: float
    unsure_below: float


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Returns the temperature with the least negative log likelihood.

    Args:
        logits: (clips, classes), out-of-fold: of networks that never heard the clips' speakers.
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

    A temperature that has seen a clip flatters the calibration error of that clip, as a threshold chosen on the test
    set flatters accuracy. With folds or speakers for parts, the error is one of speakers that were not seen.

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
    """Returns what an unsure answer may be, likeliest first: two or three, see ``CANDIDATE_SHARE``."""
    ranked = sorted(probabilities, key=probabilities.get, reverse=True)
    close = [label for label in ranked if probabilities[label] >= CANDIDATE_SHARE * probabilities[ranked[0]]]
    return close[:MAX_CANDIDATES] if len(close) > 1 else ranked[:2]
