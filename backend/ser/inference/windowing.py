"""Owns how a long recording is looked at: in windows, whose answers become a timeline, segments and transitions."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from ser.audio.vad import Speech
from ser.audio.waveform import SAMPLE_RATE
from ser.core.errors import AudioError, SettingsError
from ser.core.prediction import Segment, Timeline, Transition

LONG_SECONDS = 10.0  # a longer recording is looked at window by window
WINDOW_SECONDS = 3.0
HOP_SECONDS = 1.0
WINDOW_LIMITS_SECONDS = (0.5, 30.0)
MIN_HOP_SECONDS = 0.1
MIN_SPEECH_SECONDS = 0.25  # a window with less has no answer of its own, a segment with less is left out
PAUSE_SECONDS = 1.0  # a longer pause ends a segment
MOST_TIMES = WINDOW_SECONDS / HOP_SECONDS  # the longest recording, in default windows, is the most work there is
SMOOTHING = (0.25, 0.5, 0.25)  # weights of the window before, the window itself and the one after


@dataclass(frozen=True)
class Window:
    """A part of a recording: ``span`` in samples at 16 kHz, and how many s of speech it holds."""

    span: slice
    speech_seconds: float


@dataclass(frozen=True)
class Grid:
    """How far apart windows begin and how long they are, in s.

    Attributes:
        window_seconds: length.
        hop_seconds: step.
        always: whether short recordings are looked at in windows, too.
    """

    window_seconds: float = WINDOW_SECONDS
    hop_seconds: float = HOP_SECONDS
    always: bool = False


DEFAULT_GRID = Grid()


def make_grid(window_seconds: float | None, hop_seconds: float | None) -> Grid:
    """Reads what a person asked for; None stands for the default.

    Raises:
        SettingsError: the window or the hop is out of range, or the hop is longer than the window.
    """
    window = WINDOW_SECONDS if window_seconds is None else window_seconds
    hop = min(HOP_SECONDS, window) if hop_seconds is None else hop_seconds
    low, high = WINDOW_LIMITS_SECONDS
    if not low <= window <= high:
        raise SettingsError(f"The window is {window:g} s; expected {low:g} to {high:g} s.")
    if not MIN_HOP_SECONDS <= hop <= window:
        raise SettingsError(f"The hop is {hop:g} s; expected {MIN_HOP_SECONDS:g} s up to the window's {window:g} s.")
    return Grid(window, hop, always=(window_seconds, hop_seconds) != (None, None))


def check_work(grid: Grid, seconds: float, longest_seconds: float) -> None:
    """Sees to it that windows do not come to hours of sound, where a short hop repeats every moment many times.

    Args:
        grid: what was asked for.
        seconds: length of the recording.
        longest_seconds: of the longest recording that is taken; ``MOST_TIMES`` of that is the most.

    Raises:
        AudioError: it is more (``value_invalid``).
    """
    size, most = grid.window_seconds, MOST_TIMES * longest_seconds
    count = int((seconds - size) / grid.hop_seconds + 1e-6) + 1 if seconds > size else 1
    if count > 1 and count * size > most:
        allowed = math.ceil(10 * (seconds - size) / (int(most / size) - 1)) / 10
        raise AudioError(
            f"Windows of {size:g} s every {grid.hop_seconds:g} s come to {count * size:.0f} s of sound in a recording "
            f"of {seconds:.0f} s; at most {most:.0f} s are looked at. Use a hop of {allowed:g} s or more, or a shorter "
            "recording.",
            "value_invalid",
        )


def windows(speech: Speech, grid: Grid = DEFAULT_GRID) -> list[Window]:
    """Returns the parts of a recording that are asked for an emotion; at least one where there is speech at all."""
    size, hop = round(grid.window_seconds * SAMPLE_RATE), round(grid.hop_seconds * SAMPLE_RATE)
    if speech.samples <= (size if grid.always else LONG_SECONDS * SAMPLE_RATE):
        return [Window(slice(0, speech.samples), speech.seconds)]
    spans = [slice(start, start + size) for start in range(0, speech.samples - size + 1, hop)]
    spans[-1] = slice(spans[-1].start, speech.samples)  # the last takes what is left, less than a hop
    every = [Window(span, speech.seconds_between(span.start, span.stop)) for span in spans]
    spoken = [window for window in every if window.speech_seconds >= MIN_SPEECH_SECONDS]
    return spoken or [max(every, key=lambda window: window.speech_seconds)]


def pool(values: np.ndarray, parts: list[Window]) -> np.ndarray:
    """Speech-weighted mean over the first axis of (windows, ...): the answer of the whole recording."""
    return np.average(values, axis=0, weights=[window.speech_seconds for window in parts])


def smooth(probabilities: np.ndarray, parts: list[Window], grid: Grid) -> np.ndarray:
    """Weighted mean of every window and its direct neighbours, (windows, classes); see ``SMOOTHING``."""
    hop = round(grid.hop_seconds * SAMPLE_RATE)
    starts = np.array([window.span.start for window in parts])
    adjacent = np.diff(starts) == hop  # (windows - 1,)
    before, own, after = SMOOTHING
    total, weight = own * probabilities, np.full(len(parts), own)
    total[1:][adjacent] += before * probabilities[:-1][adjacent]
    weight[1:][adjacent] += before
    total[:-1][adjacent] += after * probabilities[1:][adjacent]
    weight[:-1][adjacent] += after
    return total / weight[:, None]


def timeline(probabilities: np.ndarray, parts: list[Window], labels: tuple[str, ...], grid: Grid) -> Timeline:
    """Returns smoothed probabilities (windows, classes) with their times."""
    return Timeline(
        window_seconds=grid.window_seconds,
        hop_seconds=grid.hop_seconds,
        start=[round(window.span.start / SAMPLE_RATE, 3) for window in parts],
        end=[round(window.span.stop / SAMPLE_RATE, 3) for window in parts],
        probabilities={label: probabilities[:, i].round(4).tolist() for i, label in enumerate(labels)},
    )


def segments(
    probabilities: np.ndarray,
    parts: list[Window],
    labels: tuple[str, ...],
    speech: Speech,
    grid: Grid,
    unsure_below: float,
) -> list[Segment]:
    """Joins neighbouring windows with the same likeliest emotion and keeps what is speech.

    Args:
        probabilities: (windows, classes), smoothed.
        parts: the windows.
        labels: names of the classes.
        speech: of the whole recording.
        grid: how the windows lie.
        unsure_below: a segment with a smaller mean probability is unsure.

    Returns:
        Segments in order, not overlapping. A window speaks for the hop in its middle, beside a gap for all up to it; a
        recording of one window is one segment from the first to the last speech.
    """
    stretches = _bridged(speech)
    if len(parts) == 1:
        runs = [(0.0, speech.samples / SAMPLE_RATE, int(probabilities[0].argmax()), float(probabilities[0].max()))]
        stretches = [(stretches[0][0], stretches[-1][1])]
    else:
        runs = _runs(probabilities, parts, grid)
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


def transitions(found: list[Segment]) -> list[Transition]:
    """Returns where one sure emotion follows another; what is unsure between them is passed over."""
    sure = [segment for segment in found if segment.state == "emotion"]
    return [
        Transition(at=after.start, before=before.emotion, after=after.emotion)
        for before, after in pairwise(sure)
        if before.emotion != after.emotion
    ]


def dominant(found: list[Segment]) -> str | None:
    """Returns the emotion that the most speech carries; None without a segment."""
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


def _cells(parts: list[Window], grid: Grid) -> list[tuple[float, float]]:
    """What each window speaks for, in s: the hop in its middle, and beside a gap between windows all up to the gap."""
    hop, margin = round(grid.hop_seconds * SAMPLE_RATE), (grid.window_seconds - grid.hop_seconds) / 2 * SAMPLE_RATE
    starts, ends = [float(parts[0].span.start)], []
    for before, after in pairwise(window.span for window in parts):
        if after.start - before.start == hop:
            edges = [after.start + margin] * 2
        elif before.stop <= after.start:
            edges = [before.stop, after.start]
        else:
            edges = [(before.stop + after.start) / 2] * 2
        ends.append(edges[0])
        starts.append(edges[1])
    ends.append(parts[-1].span.stop)
    return [(start / SAMPLE_RATE, end / SAMPLE_RATE) for start, end in zip(starts, ends, strict=True)]


def _runs(probabilities: np.ndarray, parts: list[Window], grid: Grid) -> list[tuple[float, float, int, float]]:
    """Neighbouring windows with the same likeliest class: start and end in s, the class, its mean probability."""
    rows = zip(_cells(parts, grid), probabilities, strict=True)
    cells = [(start, end, int(row.argmax()), row) for (start, end), row in rows]
    places = iter(range(len(cells)))
    hop = round(grid.hop_seconds * SAMPLE_RATE)

    def key(cell: tuple[float, float, int, np.ndarray]) -> tuple[int, int]:
        place = next(places)
        return cell[2], parts[place].span.start // hop - place

    found = []
    for (best, _), group in groupby(cells, key=key):
        run = list(group)
        found.append((run[0][0], run[-1][1], best, float(np.mean([row[best] for _, _, _, row in run]))))
    return found
