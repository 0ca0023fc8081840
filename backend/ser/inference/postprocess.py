"""Turns the probabilities of a recording's windows into a timeline, segments, transitions and the ``Prediction``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ser.audio.vad import Speech
from ser.audio.waveform import SAMPLE_RATE
from ser.core.labels import canonical_order
from ser.core.prediction import WARNINGS, Prediction, Segment, Timeline, Transition
from ser.inference.windowing import DEFAULT_GRID, MIN_SPEECH_SECONDS, Grid, Window
from ser.models.calibration import candidates, prediction_set
from ser.models.checkpoint import ModelInfo

PAUSE_SECONDS = 1.0  # a longer pause ends a segment
SMOOTHING = (0.25, 0.5, 0.25)  # weights of the window before, the window itself and the one after


@dataclass(frozen=True, kw_only=True)
class WindowResults:
    """The predictions of a model for the windows of a recording.

    Attributes:
        speech: where speech is in the recording.
        windows: those that contain speech; may be empty.
        probabilities: (windows, classes), calibrated, in canonical order of the chosen emotions, or of the model's
            labels if none were chosen.
        grid: length and step of the windows.
        intensities: (windows,) how strongly the emotion is expressed; None for models without that output.
        emotions: the chosen ones, in canonical order; empty for all of the model.
    """

    speech: Speech
    windows: Sequence[Window]
    probabilities: np.ndarray
    grid: Grid = DEFAULT_GRID
    intensities: np.ndarray | None = None
    emotions: tuple[str, ...] = ()


def make_prediction(
    info: ModelInfo,
    results: WindowResults,
    *,
    file: str,
    duration_seconds: float,
    unsure_below: float,
    warnings: Sequence[str] = (),
    set_threshold: float | None = None,
    adapted_seconds: float = 0.0,
) -> Prediction:
    """Combines the windows into the prediction.

    Args:
        info: the model.
        results: its predictions for the windows.
        file: name of the recording.
        duration_seconds: its length.
        unsure_below: an answer of lower probability is unsure.
        warnings: codes of ``WARNINGS``.
        set_threshold: lowest probability of an emotion in the ``prediction_set``; None for no set.
        adapted_seconds: amount of speech of the speaker that the answer is adapted to, in s.
    """
    labels = results.emotions or canonical_order(info.labels)
    windows, grid = results.windows, results.grid
    found: dict[str, float] = {}
    segments, timeline = [], None
    if windows:
        found = dict(zip(labels, pool_windows(results.probabilities, windows).tolist(), strict=True))
        smoothed = smooth(results.probabilities, windows, grid)
        segments = find_segments(smoothed, windows, labels, results.speech, grid, unsure_below)
        timeline = make_timeline(smoothed, windows, labels, grid)
    best = max(found, key=found.get) if found else None
    unsure = best is not None and found[best] < unsure_below
    return Prediction(
        file=file,
        state="no_speech" if best is None else "unsure" if unsure else "emotion",
        emotion=best,
        confidence=None if best is None else round(100 * found[best], 2),
        probabilities=found,
        candidates=candidates(found) if unsure else [],
        model=info.name,
        duration_seconds=round(duration_seconds, 3),
        speech_seconds=round(results.speech.seconds, 3),
        segments=segments,
        warnings=[WARNINGS[code] for code in warnings],
        warning_codes=list(warnings),
        dominant=dominant_emotion(segments),
        transitions=find_transitions(segments),
        timeline=timeline,
        prediction_set=None if set_threshold is None or not found else prediction_set(found, set_threshold),
        intensity=None if results.intensities is None else round(float(pool_windows(results.intensities, windows)), 4),
        emotions=list(results.emotions),
        adapted_seconds=adapted_seconds,
    )


def pool_windows(values: np.ndarray, windows: Sequence[Window]) -> np.ndarray:
    """Returns the mean over the first axis of (windows, ...), weighted by the speech in each window."""
    return np.average(values, axis=0, weights=[window.speech_seconds for window in windows])


def smooth(probabilities: np.ndarray, windows: Sequence[Window], grid: Grid) -> np.ndarray:
    """Returns the weighted mean of every window and its direct neighbours, (windows, classes); see ``SMOOTHING``."""
    hop = round(grid.hop_seconds * SAMPLE_RATE)
    starts = np.array([window.span.start for window in windows])
    adjacent = np.diff(starts) == hop  # (windows - 1,)
    before, own, after = SMOOTHING
    total, weight = own * probabilities, np.full(len(windows), own)
    total[1:][adjacent] += before * probabilities[:-1][adjacent]
    weight[1:][adjacent] += before
    total[:-1][adjacent] += after * probabilities[1:][adjacent]
    weight[:-1][adjacent] += after
    return total / weight[:, None]


def make_timeline(
    probabilities: np.ndarray, windows: Sequence[Window], labels: tuple[str, ...], grid: Grid
) -> Timeline:
    """Returns smoothed probabilities (windows, classes) with their times."""
    return Timeline(
        window_seconds=grid.window_seconds,
        hop_seconds=grid.hop_seconds,
        start=[round(window.span.start / SAMPLE_RATE, 3) for window in windows],
        end=[round(window.span.stop / SAMPLE_RATE, 3) for window in windows],
        probabilities={label: probabilities[:, i].round(4).tolist() for i, label in enumerate(labels)},
    )


def find_segments(
    probabilities: np.ndarray,
    windows: Sequence[Window],
    labels: tuple[str, ...],
    speech: Speech,
    grid: Grid,
    unsure_below: float,
) -> list[Segment]:
    """Joins neighbouring windows with the same likeliest emotion into segments of speech.

    Args:
        probabilities: (windows, classes), smoothed.
        windows: the windows.
        labels: names of the classes.
        speech: of the whole recording.
        grid: length and step of the windows.
        unsure_below: a segment with a lower mean probability is unsure.

    Returns:
        Segments in order, not overlapping. A window covers the hop in its middle, or up to a gap beside it; a
        recording of one window is one segment from the start of the first to the end of the last speech.
    """
    stretches = _bridged(speech)
    if len(windows) == 1:
        runs = [(0.0, speech.samples / SAMPLE_RATE, int(probabilities[0].argmax()), float(probabilities[0].max()))]
        stretches = [(stretches[0][0], stretches[-1][1])]
    else:
        runs = _runs(probabilities, windows, grid)
    return [
        Segment(
            start=round(max(start, begin), 3),
            end=round(min(end, finish), 3),
            emotion=labels[best],
            confidence=round(100 * probability, 2),
            state="unsure" if probability < unsure_below else "emotion",
        )
        for start, end, best, probability in runs
        for begin, finish in stretches
        if min(end, finish) - max(start, begin) >= min(MIN_SPEECH_SECONDS, finish - begin)
    ]


def find_transitions(found: list[Segment]) -> list[Transition]:
    """Returns the times at which one sure emotion follows another; unsure segments between them are skipped."""
    sure = [segment for segment in found if segment.state == "emotion"]
    return [
        Transition(at=after.start, before=before.emotion, after=after.emotion)
        for before, after in pairwise(sure)
        if before.emotion != after.emotion
    ]


def dominant_emotion(found: list[Segment]) -> str | None:
    """Returns the emotion with the longest total duration; None without a segment."""
    seconds: dict[str, float] = defaultdict(float)
    for segment in found:
        seconds[segment.emotion] += segment.end - segment.start
    return max(seconds, key=seconds.get) if seconds else None


def _bridged(speech: Speech) -> list[tuple[float, float]]:
    """Stretches of speech in s, pauses of up to ``PAUSE_SECONDS`` included."""
    joined: list[tuple[float, float]] = []
    for start, end in speech.segments():
        if joined and start - joined[-1][1] <= PAUSE_SECONDS:
            start = joined.pop()[0]
        joined.append((start, end))
    return joined


def _cells(windows: Sequence[Window], grid: Grid) -> list[tuple[float, float]]:
    """The interval of each window in s: the hop in its middle, extended up to a gap beside it."""
    hop, margin = round(grid.hop_seconds * SAMPLE_RATE), (grid.window_seconds - grid.hop_seconds) / 2 * SAMPLE_RATE
    starts, ends = [float(windows[0].span.start)], []
    for before, after in pairwise(window.span for window in windows):
        if after.start - before.start == hop:
            edges = [after.start + margin] * 2
        elif before.stop <= after.start:
            edges = [before.stop, after.start]
        else:
            edges = [(before.stop + after.start) / 2] * 2
        ends.append(edges[0])
        starts.append(edges[1])
    ends.append(windows[-1].span.stop)
    return [(start / SAMPLE_RATE, end / SAMPLE_RATE) for start, end in zip(starts, ends, strict=True)]


def _runs(probabilities: np.ndarray, windows: Sequence[Window], grid: Grid) -> list[tuple[float, float, int, float]]:
    """Neighbouring windows with the same likeliest class: start and end in s, the class, its mean probability."""
    hop = round(grid.hop_seconds * SAMPLE_RATE)
    numbers = [window.span.start // hop for window in windows]
    best = probabilities.argmax(axis=1).tolist()
    runs = [[0]]
    for place in range(1, len(windows)):
        if best[place] == best[place - 1] and numbers[place] == numbers[place - 1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    cells = _cells(windows, grid)
    return [
        (cells[run[0]][0], cells[run[-1]][1], best[run[0]], float(probabilities[run, best[run[0]]].mean()))
        for run in runs
    ]
