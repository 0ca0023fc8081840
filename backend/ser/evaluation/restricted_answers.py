"""Scores predictions as if only some classes could be answered: those of a clip's corpus, or those that corpora share.

A user's recording does not say which classes it can have, so these figures stand beside the served ones, never instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser.core.labels import relabel
from ser.evaluation.metrics import NO_SPEECH, score
from ser.evaluation.out_of_fold import OutOfFold


def masked_uas(labels: Sequence[str], runs: Sequence[OutOfFold]) -> list[float] | None:
    """Returns the UA of every seed if a clip's answer were the likeliest class that occurs in its corpus.

    Args:
        labels: the classes that occur.
        runs: predictions of every seed.

    Returns:
        None where all classes occur in all corpora.
    """
    allowed = [_occurring(run) for run in runs]
    if all(own.all() for own in allowed):
        return None
    answers = [
        _likeliest(run, np.where(own, run.logits, -np.inf), run.classes) for run, own in zip(runs, allowed, strict=True)
    ]
    return [score(run.truth, predicted, labels).ua for run, predicted in zip(runs, answers, strict=True)]


def shared_uas(
    shared: Sequence[str], runs: Sequence[OutOfFold], probabilities: Sequence[np.ndarray]
) -> list[float] | None:
    """Returns the UA of every seed if a clip's answer were the likeliest of the labels that all corpora share.

    Clips with another label are left out; the probability of calm is added to that of neutral.

    Args:
        shared: the labels that all corpora have, calm counting as neutral.
        runs: predictions of every seed.
        probabilities: per seed, (clips, classes).

    Returns:
        None where there are no such labels, or they are all classes.
    """
    if not shared or set(shared) == set(runs[0].classes):
        return None
    names = tuple(shared)
    uas = []
    for run, shares in zip(runs, probabilities, strict=True):
        counted = np.array([relabel(name, names) or "" for name in run.classes])
        sums = np.stack([shares[:, counted == name].sum(axis=1) for name in names], axis=1)
        truth = [relabel(label, names) for label in run.truth]
        pairs = [pair for pair in zip(truth, _likeliest(run, sums, names), strict=True) if pair[0]]
        present = [name for name in names if name in truth]
        uas.append(score([true for true, _ in pairs], [answer for _, answer in pairs], present).ua)
    return uas


def _occurring(run: OutOfFold) -> np.ndarray:
    """bool (clips, classes): the classes that occur in each clip's corpus."""
    corpora, truth = np.array(run.corpora or [""] * len(run.truth)), np.array(run.truth)
    found = {corpus: np.isin(run.classes, truth[corpora == corpus]) for corpus in np.unique(corpora)}
    return np.stack([found[corpus] for corpus in corpora])


def _likeliest(run: OutOfFold, scores: np.ndarray, names: Sequence[str]) -> list[str]:
    """The name with the highest score (clips, names) for each clip; no speech stays no speech."""
    best = scores.argmax(axis=1)
    return [NO_SPEECH if answer == NO_SPEECH else names[top] for answer, top in zip(run.predicted, best, strict=True)]
