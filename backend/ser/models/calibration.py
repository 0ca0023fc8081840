"""Calibrates confidence: temperature scaling of logits, the threshold for "unsure", and prediction sets.

All three depend on how many emotions the answer is chosen from, so a model has them for all its emotions and for every
number of chosen ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Self

import numpy as np

UNSURE_BELOW = 0.5  # a prediction is unsure when it is more likely wrong than right
CANDIDATE_SHARE = 0.5  # an emotion at least half as likely as the likeliest is a candidate
MAX_CANDIDATES = 3
FAMILIAR = 1.0  # distance up to which a recording is like those of training
MOST_LOG_GROWTH = 5.0  # every answer is as good as a guess long before that
COVERAGES = (80, 90, 95)  # percent of the prediction sets that should contain the true emotion
UNSURE_PAIR_BELOW = 1 / (1 + CANDIDATE_SHARE)  # of two emotions: the other one is then a candidate
MAX_SUBSETS = 40  # of one size that a calibration is fitted on
SUBSETS_SEED = 0


@dataclass(frozen=True, kw_only=True)
class SizeCalibration:
    """Parameters for answers among a certain number of emotions; fields as in ``Calibration``."""

    temperature: float
    unsure_below: float
    set_thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Calibration(SizeCalibration):
    """Parameters that turn logits into calibrated probabilities.

    Attributes:
        temperature: logits are divided by it.
        unsure_below: a prediction of lower probability is unsure; see ``UNSURE_BELOW``.
        set_thresholds: coverage in percent, such as "90" -> lowest probability of an emotion in the prediction set.
        by_size: number of chosen emotions, such as "3" -> the same for answers among that many; empty in models made
            before emotions could be chosen.
        unfamiliar: the same for recordings at a distance of more than 1 from those of training, see
            ``ser.models.domain_distance``; None in models that cannot tell.
        slope: by how much the logarithm of the temperature grows per unit of distance beyond 1; of ``unfamiliar`` only.
    """

    by_size: Mapping[str, SizeCalibration] = field(default_factory=dict)
    unfamiliar: Calibration | None = None
    slope: float = 0.0

    @classmethod
    def from_dict(cls, shape: Mapping[str, Any]) -> Self:
        """Reads what ``asdict`` returned.

        Raises:
            TypeError: a field is missing or unknown.
        """
        sizes = {size: SizeCalibration(**own) for size, own in shape.get("by_size", {}).items()}
        other = shape.get("unfamiliar")
        return cls(**{**shape, "by_size": sizes, "unfamiliar": None if other is None else cls.from_dict(other)})

    def among(self, emotions: Sequence[str], *, unfamiliar: bool = False) -> SizeCalibration:
        """Returns the parameters for answers among chosen emotions; for all of the model's if there is no choice.

        Without a calibration for that many, it is the model's temperature, without prediction sets.

        Args:
            emotions: the chosen ones; empty for all.
            unfamiliar: whether the recording is unlike those of training.
        """
        if unfamiliar and self.unfamiliar is not None:
            return self.unfamiliar.among(emotions)
        if not emotions:
            return self
        plain = SizeCalibration(temperature=self.temperature, unsure_below=_least_sure(len(emotions)))
        return self.by_size.get(str(len(emotions)), plain)

    def probabilities(
        self, logits: np.ndarray, labels: Sequence[str], emotions: Sequence[str], *, distance: float = 0.0
    ) -> np.ndarray:
        """Returns the calibrated probabilities of the chosen emotions, summing to 1: (..., emotions).

        Args:
            logits: (..., classes).
            labels: names of the classes.
            emotions: the chosen ones, in the order of the result; empty for all, in the order of ``labels``.
            distance: of the recording from those of training.
        """
        chosen = logits[..., [labels.index(emotion) for emotion in emotions or labels]].astype(float)
        among = () if len(emotions) == len(labels) else emotions
        temperature = self.among(among, unfamiliar=distance > FAMILIAR).temperature
        if self.unfamiliar is not None:
            temperature *= growth(self.unfamiliar.slope, distance)
        return _softmax(chosen / temperature)


def growth(slope: float, distance: Any) -> Any:
    """Returns the factor of the temperature at a distance, a number or (clips,): 1 up to ``FAMILIAR``."""
    return np.exp(np.clip(slope * (np.asarray(distance) - FAMILIAR), 0, MOST_LOG_GROWTH))


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


def fit_by_size(logits: np.ndarray, targets: np.ndarray, calibration: SizeCalibration) -> dict[str, SizeCalibration]:
    """Fits the calibration of answers among 2, 3, ... of the classes, all but one at most.

    For every size, the logits of all subsets of that size (a random ``MAX_SUBSETS`` of more) are taken together, each
    with the clips whose true class is among them. "Unsure" keeps its meaning: answers that are not unsure are right at
    least as often as with all classes, see ``_unsure_below``.

    Args:
        logits: (clips, classes), out-of-fold and not masked.
        targets: int (clips,), right classes.
        calibration: of all classes.

    Returns:
        Size -> its calibration; sizes without any clip are left out.
    """
    shares = _softmax(logits / calibration.temperature)
    promised = _accuracy_above(shares.max(axis=1), shares.argmax(axis=1) == targets, calibration.unsure_below)
    found = {}
    for size in range(2, logits.shape[1]):
        chosen, right = _restricted(logits, targets, size)
        if len(right):
            found[str(size)] = _fit_size(chosen, right, promised)
    return found


def _restricted(logits: np.ndarray, targets: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits (pairs, size) of all pairs of a subset and a clip of one of its classes, and the right class (pairs,)."""
    subsets = np.array(list(combinations(range(logits.shape[1]), size)))
    if len(subsets) > MAX_SUBSETS:
        subsets = np.random.default_rng(SUBSETS_SEED).permutation(subsets)[:MAX_SUBSETS]
    clips = [np.isin(targets, subset) for subset in subsets]
    pairs = list(zip(subsets, clips, strict=True))
    chosen = np.concatenate([logits[np.ix_(own, subset)] for subset, own in pairs])
    return chosen, np.concatenate([np.searchsorted(subset, targets[own]) for subset, own in pairs])


def _fit_size(logits: np.ndarray, targets: np.ndarray, promised: float) -> SizeCalibration:
    temperature = round(fit_temperature(logits, targets), 4)
    shares = _softmax(logits / temperature)
    right = shares[np.arange(len(targets)), targets]
    thresholds = {str(percent): round(set_threshold(right, percent / 100), 4) for percent in COVERAGES}
    least = _least_sure(logits.shape[1])
    unsure_below = _unsure_below(shares.max(axis=1), shares.argmax(axis=1) == targets, promised, least)
    return SizeCalibration(temperature=temperature, unsure_below=round(unsure_below, 4), set_thresholds=thresholds)


def _unsure_below(confidence: np.ndarray, correct: np.ndarray, promised: float, least: float) -> float:
    """The lowest threshold from ``least`` on, in steps of 0.01, above which at least ``promised`` answers are right."""
    steps = np.arange(least, 1, 0.01)
    return float(next((step for step in steps if _accuracy_above(confidence, correct, step) >= promised), steps[-1]))


def _accuracy_above(confidence: np.ndarray, correct: np.ndarray, threshold: float) -> float:
    """Share of right answers among those with at least that confidence; 1 if there are none."""
    sure = confidence >= threshold
    return float(correct[sure].mean()) if sure.any() else 1.0


def _least_sure(size: int) -> float:
    """The lowest threshold for "unsure" among that many emotions."""
    return UNSURE_PAIR_BELOW if size == 2 else UNSURE_BELOW


def _softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


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
