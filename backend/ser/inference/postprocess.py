"""Owns the last step of every door: what the windows of a recording say -> ``Prediction``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ser.audio.vad import Speech
from ser.core.labels import canonical_order
from ser.core.prediction import WARNINGS, Prediction
from ser.inference.windowing import DEFAULT_GRID, Grid, Window, dominant, pool, segments, smooth, timeline, transitions
from ser.models.calibration import candidates, prediction_set
from ser.models.checkpoint import ModelInfo


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of a recording.

    Attributes:
        speech: where speech is.
        windows: its parts that were asked for an emotion; none without speech.
        probabilities: (windows, classes), calibrated, in the canonical order of the model's labels.
        grid: how the windows lie.
        intensities: (windows,) how strongly the emotion is expressed; None from models that do not tell.
    """

    speech: Speech
    windows: Sequence[Window]
    probabilities: np.ndarray
    grid: Grid = DEFAULT_GRID
    intensities: np.ndarray | None = None


def conclude(
    info: ModelInfo,
    evidence: Evidence,
    *,
    file: str,
    duration_seconds: float,
    warnings: Sequence[str] = (),
    set_threshold: float | None = None,
) -> Prediction:
    """Puts the answer together.

    Args:
        info: the model that gave the probabilities.
        evidence: what it said.
        file: name of the recording.
        duration_seconds: its length.
        warnings: codes of ``WARNINGS``.
        set_threshold: probability from which on an emotion is in the ``prediction_set``; None asks for no set.
    """
    threshold, labels = info.calibration.unsure_below, canonical_order(info.labels)
    parts, by_window, grid = list(evidence.windows), evidence.probabilities, evidence.grid
    found: dict[str, float] = {}
    stretches, course = [], None
    if parts:
        found = dict(zip(labels, pool(by_window, parts).tolist(), strict=True))
        smoothed = smooth(by_window, parts, grid)
        stretches = segments(smoothed, parts, labels, evidence.speech, grid, threshold)
        course = timeline(smoothed, parts, labels, grid)
    best = max(found, key=found.get) if found else None
    unsure = best is not None and found[best] < threshold
    return Prediction(
        file=file,
        state="no_speech" if best is None else "unsure" if unsure else "emotion",
        emotion=best,
        confidence=None if best is None else round(100 * found[best], 2),
        probabilities=found,
        candidates=candidates(found) if unsure else [],
        model=info.name,
        duration_seconds=round(duration_seconds, 3),
        speech_seconds=round(evidence.speech.seconds, 3),
        segments=stretches,
        warnings=[WARNINGS[code] for code in warnings],
        warning_codes=list(warnings),
        dominant=dominant(stretches),
        transitions=transitions(stretches),
        timeline=course,
        prediction_set=None if set_threshold is None or not found else prediction_set(found, set_threshold),
        intensity=None if evidence.intensities is None else round(float(pool(evidence.intensities, parts)), 4),
    )
