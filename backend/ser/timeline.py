"""Owns how a long recording is looked at: windows of 3 s every 1 s, and how their answers become segments."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ser.audio import SAMPLE_RATE
from ser.prediction import Segment
from ser.speech import Speech

LONG_SECONDS = 10.0  # a longer recording is looked at window by window
WINDOW_SECONDS = 3
HOP_SECONDS = 1
MIN_SPEECH_SECONDS = 0.25  # a window with less has no answer of its own


@dataclass(frozen=True)
class Window:
    """A part of a recording: ``span`` in samples at 16 kHz, and how many s of speech it holds."""

    span: slice
    speech_seconds: float


def windows(speech: Speech) -> list[Window]:
    """Returns the parts of a recording that are asked for an emotion; at least one where there is speech at all."""
    if speech.samples <= LONG_SECONDS * SAMPLE_RATE:
        return [Window(slice(0, speech.samples), speech.seconds)]
    size, hop = WINDOW_SECONDS * SAMPLE_RATE, HOP_SECONDS * SAMPLE_RATE
    spans = [slice(start, start + size) for start in range(0, speech.samples - size + 1, hop)]
    spans[-1] = slice(spans[-1].start, speech.samples)  # the last takes what is left, less than a hop
    every = [Window(span, speech.seconds_between(span.start, span.stop)) for span in spans]
    spoken = [window for window in every if window.speech_seconds >= MIN_SPEECH_SECONDS]
    return spoken or [max(every, key=lambda window: window.speech_seconds)]


def pool(probabilities: np.ndarray, parts: list[Window]) -> np.ndarray:
    """Speech-weighted mean of (windows, classes): the answer of the whole recording, (classes,)."""
    return np.average(probabilities, axis=0, weights=[window.speech_seconds for window in parts])


def segments(probabilities: np.ndarray, parts: list[Window], labels: tuple[str, ...], speech: Speech) -> list[Segment]:
    """Joins neighbouring windows with the same likeliest emotion.

    Args:
        probabilities: (windows, classes).
        parts: the windows.
        labels: names of the classes.
        speech: of the whole recording.

    Returns:
        Segments in order, not overlapping. A window speaks for the second in its middle; a recording of one window
        is one segment from the first to the last speech.
    """
    stretches = speech.segments()
    if len(parts) == 1:
        best = int(probabilities[0].argmax())
        return [_segment(stretches[0][0], stretches[-1][1], labels[best], probabilities[0][best])]
    answers = [(window, int(row.argmax()), row) for window, row in zip(parts, probabilities, strict=True)]
    hop = HOP_SECONDS * SAMPLE_RATE
    index = iter(range(len(answers)))
    runs = groupby(answers, key=lambda answer: (answer[1], answer[0].span.start // hop - next(index)))
    found = []
    for (best, _), run in runs:
        rows = list(run)
        start, end = _extent(rows[0][0], rows[-1][0], speech.samples)
        found.append(_segment(start, end, labels[best], float(np.mean([row[best] for _, _, row in rows]))))
    return found


def _extent(first: Window, last: Window, samples: int) -> tuple[float, float]:
    margin = (WINDOW_SECONDS - HOP_SECONDS) / 2
    start = 0.0 if first.span.start == 0 else first.span.start / SAMPLE_RATE + margin
    end = samples / SAMPLE_RATE if last.span.stop == samples else last.span.stop / SAMPLE_RATE - margin
    return start, end


def _segment(start: float, end: float, emotion: str, probability: float) -> Segment:
    return Segment(
        start=round(start, 3), end=round(end, 3), emotion=emotion, confidence=round(100 * float(probability), 2)
    )
