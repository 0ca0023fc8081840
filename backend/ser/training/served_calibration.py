"""Fits the calibration that ships, from evaluations on unseen speakers and on unheard corpora.

Temperatures and thresholds of prediction sets are fitted for two kinds of recordings that can be told apart when
serving: familiar ones, and those unlike anything in training. The former come from an evaluation on unseen speakers of
the training corpora, the latter from one in which each corpus was left out.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from ser.core.errors import ProtocolError
from ser.data.splits import get_protocol
from ser.evaluation.metrics import NO_SPEECH
from ser.evaluation.metrics_file import METRICS_FILE, Metrics, read_metrics
from ser.evaluation.out_of_fold import THRESHOLD, UNSURE, OutOfFold, read_out_of_fold, write_rows
from ser.evaluation.summary import refresh
from ser.models.calibration import (
    COVERAGES,
    FAMILIAR,
    UNSURE_BELOW,
    Calibration,
    fit_by_size,
    fit_temperature,
    growth,
    set_threshold,
)

FEWEST = 50  # clips that the calibration of unfamiliar recordings is fitted to


@dataclass(frozen=True)
class Predictions:
    """Predictions on clips whose class the network was trained on.

    Attributes:
        logits: (clips, classes).
        targets: int (clips,), right classes.
        corpora: (clips,), names.
        speakers: (clips,), names across corpora.
        distances: (clips,), from the training recordings.
    """

    logits: np.ndarray
    targets: np.ndarray
    corpora: np.ndarray
    speakers: np.ndarray
    distances: np.ndarray

    def __len__(self) -> int:
        return len(self.targets)

    def only(self, chosen: np.ndarray) -> Predictions:
        """Returns the clips where ``chosen`` (clips,) is true."""
        parts = (self.logits, self.targets, self.corpora, self.speakers, self.distances)
        return Predictions(*(part[chosen] for part in parts))

    @property
    def familiar(self) -> np.ndarray:
        """bool (clips,)."""
        return self.distances <= FAMILIAR


def gather(runs: Sequence[OutOfFold]) -> Predictions:
    """Returns the predictions of one or more seeds together."""
    parts = []
    for run in runs:
        targets = np.array([run.classes.index(label) for label in run.truth])
        spoken = np.array(run.predicted) != NO_SPEECH
        distances = np.zeros(len(targets)) if run.distances is None else run.distances
        corpora = np.array(run.corpora or [speaker.split("/")[0] for speaker in run.speakers])
        learnt = np.isfinite(run.logits[np.arange(len(targets)), targets]) & spoken
        every = (run.logits, targets, corpora, np.array(run.speakers), distances)
        parts.append([part[learnt] for part in every])
    return Predictions(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def fit_calibration(heard: Predictions, unheard: Predictions | None, *, sizes: bool = True) -> Calibration:
    """Returns the calibration that ships.

    Args:
        heard: of unseen speakers of the training corpora.
        unheard: of corpora that were left out of training; None where that was not evaluated.
        sizes: whether to fit the calibration of chosen emotions too, which takes a while.
    """
    calibration = _fit(heard.only(heard.familiar), slope=0.0, sizes=sizes)
    far = None if unheard is None else unheard.only(~unheard.familiar)
    if far is None or len(far) < FEWEST:
        return calibration
    return replace(calibration, unfamiliar=_fit(far, slope=_fit_slope(far), sizes=sizes))


def calibrate_evaluations(folder: Path) -> Calibration:
    """Fits a model's calibration to its evaluations, and scores these as served.

    The predictions in every evaluation on unseen speakers or unheard corpora get the calibration of each clip, fitted
    without its speaker (``joint``) or its whole corpus (``cross``), and ``metrics.json`` is computed again from them.

    Args:
        folder: ``evaluation`` of a checkpoint, with a folder for each figure and for all corpora together.

    Returns:
        The calibration that ships, fitted to everything.

    Raises:
        ProtocolError: there is no evaluation on unseen speakers with all labels.
    """
    every = {path: read_metrics(path) for path in sorted(folder.iterdir()) if (path / METRICS_FILE).exists()}
    pooled = {
        path: metrics for path, metrics in every.items() if metrics.speaker_independent and _is_pooled(metrics, every)
    }
    if not pooled:
        raise ProtocolError(f"{folder} has no evaluation on unseen speakers.")
    foreign = {path: metrics for path, metrics in pooled.items() if get_protocol(metrics.protocol).foreign}
    own = [path for path in pooled if path not in foreign]
    heard = [run for path in own for run in _runs(path)]
    unheard = [run for path in foreign for run in _runs(path)]
    for path, metrics in pooled.items():
        for seed, run in enumerate(_runs(path)):
            columns = cross_fit(run, heard, unheard, by_corpus=path in foreign)
            by_clip = dict(zip(zip(run.speakers, run.files, strict=True), columns, strict=True))
            for part, other in every.items():
                if other.protocol == metrics.protocol:
                    _add_columns(part / f"out_of_fold_seed{seed}.csv", by_clip)
    for path, metrics in every.items():
        if any(metrics.protocol == one.protocol for one in pooled.values()):
            refresh(path)
    return fit_calibration(gather(heard), gather(unheard) if unheard else None)


def cross_fit(
    run: OutOfFold, heard: Sequence[OutOfFold], unheard: Sequence[OutOfFold], *, by_corpus: bool
) -> list[dict[str, str]]:
    """Returns the calibration of every clip of a run, fitted without its speaker: columns of ``OutOfFold``.

    Args:
        run: one of the others.
        heard: evaluations of unseen speakers, one per seed.
        unheard: evaluations of unheard corpora; may be empty.
        by_corpus: whether the whole corpus of a clip is left out, not only the speakers of its fold.
    """
    corpora = run.corpora or [speaker.split("/")[0] for speaker in run.speakers]
    parts = np.array(corpora if by_corpus else run.folds)
    every, other = gather(heard), gather(unheard) if unheard else None
    distances = np.zeros(len(parts)) if run.distances is None else run.distances
    columns: list[dict[str, str]] = [{} for _ in parts]
    for part in np.unique(parts):
        own = np.flatnonzero(parts == part)
        names = sorted({run.speakers[clip] for clip in own})
        left = [None if one is None else one.only(~np.isin(one.speakers, names)) for one in (every, other)]
        calibration = fit_calibration(*left, sizes=False)
        for clip in own:
            columns[clip] = _columns(calibration, float(distances[clip]))
    return columns


def _is_pooled(metrics: Metrics, every: Mapping[Path, Metrics]) -> bool:
    """Whether an evaluation is not a part of another one, of several corpora."""
    joined = [one for one in every.values() if one.protocol == metrics.protocol and "+" in one.corpus]
    return "+" in metrics.corpus or not joined


def _runs(folder: Path) -> list[OutOfFold]:
    return [read_out_of_fold(file) for file in sorted(folder.glob("out_of_fold_seed*.csv"))]


def _add_columns(file: Path, by_clip: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    write_rows(file, [row | by_clip[row["speaker"], row["file"]] for row in rows])


def _columns(calibration: Calibration, distance: float) -> dict[str, str]:
    used = calibration.among((), unfamiliar=distance > FAMILIAR)
    slope = 0.0 if calibration.unfamiliar is None else calibration.unfamiliar.slope
    return {
        "temperature": f"{used.temperature * growth(slope, distance):.4f}",
        UNSURE: f"{used.unsure_below:.4f}",
        **{f"{THRESHOLD}{percent}": f"{value:.4f}" for percent, value in used.set_thresholds.items()},
    }


def _fit(clips: Predictions, *, slope: float, sizes: bool) -> Calibration:
    """Fits temperature and sets to clips of one kind; ``slope`` and ``sizes`` as in ``fit_calibration``."""
    logits = clips.logits / growth(slope, clips.distances)[:, None]
    temperature = round(fit_temperature(logits, clips.targets), 4)
    right = softmax(logits / temperature, axis=1)[np.arange(len(clips)), clips.targets]
    calibration = Calibration(
        temperature=temperature,
        unsure_below=UNSURE_BELOW,
        set_thresholds={str(percent): round(set_threshold(right, percent / 100), 4) for percent in COVERAGES},
        slope=round(slope, 4),
    )
    return replace(calibration, by_size=fit_by_size(logits, clips.targets, calibration)) if sizes else calibration


def _fit_slope(clips: Predictions) -> float:
    """How the logarithm of the temperature grows with the distance; every corpus weighs the same.

    Found by the likelihood, without a bound but zero: a recording is never trusted more because it is further away.
    """
    weights = np.zeros(len(clips))
    for corpus in np.unique(clips.corpora):
        own = clips.corpora == corpus
        weights[own] = 1 / own.sum()

    def loss(values: np.ndarray) -> float:
        temperature = np.exp(values[0] + max(values[1], 0) * (clips.distances - FAMILIAR))
        likelihood = log_softmax(clips.logits / temperature[:, None], axis=1)
        return -float(weights @ likelihood[np.arange(len(clips)), clips.targets])

    return float(max(minimize(loss, np.array([0.0, 1.0]), method="Nelder-Mead").x[1], 0.0))
