"""Divides a recording into windows of a given length and step, and limits their total duration."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ser.audio.vad import Speech
from ser.audio.waveform import SAMPLE_RATE
from ser.core.errors import AudioError, SettingsError

LONG_SECONDS = 10.0  # a longer recording is analysed window by window
WINDOW_SECONDS = 3.0
HOP_SECONDS = 1.0
WINDOW_LIMITS_SECONDS = (0.5, 30.0)
MIN_HOP_SECONDS = 0.1
MIN_SPEECH_SECONDS = 0.25  # a window or a segment with less is left out
MAX_OVERLAP = WINDOW_SECONDS / HOP_SECONDS  # the longest recording in default windows is the most work allowed


@dataclass(frozen=True)
class Window:
    """A part of a recording: ``span`` in samples at 16 kHz, and how many s of speech it holds."""

    span: slice
    speech_seconds: float


@dataclass(frozen=True)
class Grid:
    """Length and step of windows, in s.

    Attributes:
        window_seconds: length.
        hop_seconds: step.
        always: whether short recordings are divided into windows as well.
    """

    window_seconds: float = WINDOW_SECONDS
    hop_seconds: float = HOP_SECONDS
    always: bool = False


DEFAULT_GRID = Grid()


def make_grid(window_seconds: float | None, hop_seconds: float | None) -> Grid:
    """Makes a grid; None stands for the default.

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
    """Checks that the windows do not add up to hours of audio, as many windows overlap with a short hop.

    Args:
        grid: the requested grid.
        seconds: length of the recording.
        longest_seconds: of the longest recording that is accepted; ``MAX_OVERLAP`` times that is the most.

    Raises:
        AudioError: they add up to more (``value_invalid``).
    """
    size, most = grid.window_seconds, MAX_OVERLAP * longest_seconds
    count = int((seconds - size) / grid.hop_seconds + 1e-6) + 1 if seconds > size else 1
    if count > 1 and count * size > most:
        allowed = math.ceil(10 * (seconds - size) / (int(most / size) - 1)) / 10
        raise AudioError(
            f"Windows of {size:g} s every {grid.hop_seconds:g} s come to {count * size:.0f} s of audio in a recording "
            f"of {seconds:.0f} s; at most {most:.0f} s are analysed. Use a hop of {allowed:g} s or more, or a shorter "
            "recording.",
            "value_invalid",
        )


def make_windows(speech: Speech, grid: Grid = DEFAULT_GRID) -> list[Window]:
    """Returns the windows of a recording that contain enough speech; at least one."""
    size, hop = round(grid.window_seconds * SAMPLE_RATE), round(grid.hop_seconds * SAMPLE_RATE)
    if speech.samples <= (size if grid.always else LONG_SECONDS * SAMPLE_RATE):
        return [Window(slice(0, speech.samples), speech.seconds)]
    spans = [slice(start, start + size) for start in range(0, speech.samples - size + 1, hop)]
    spans[-1] = slice(spans[-1].start, speech.samples)  # the last one is extended to the end, by less than a hop
    every = [Window(span, speech.seconds_between(span.start, span.stop)) for span in spans]
    spoken = [window for window in every if window.speech_seconds >= MIN_SPEECH_SECONDS]
    return spoken or [max(every, key=lambda window: window.speech_seconds)]
