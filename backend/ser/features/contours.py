"""Measures pitch, loudness, brightness and onset rate over time: samples -> curves.

``ser.features.voice_report`` has the same measures as single numbers. A recording is measured in blocks, so that half
an hour needs no more memory than half a minute; blocks overlap, so that their edges are not visible.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ser.audio.vad import Speech
from ser.audio.waveform import SAMPLE_RATE
from ser.features.low_level import (
    HOP_SAMPLES,
    ONSET_DELAY_FRAMES,
    PITCH_HOP_SAMPLES,
    WINDOW_SAMPLES,
    find_onsets,
    find_pitch,
    mel_decibel,
    moments,
    onset_strength,
    root_mean_square,
    spectrogram,
)
from ser.features.voice_report import ONSET_GAP_FRAMES, decibel

STEP_SECONDS = 0.05  # from one value to the next; longer in recordings over 250 s
MAX_VALUES = 5000
BLOCK_FRAMES = 3000  # 30 s
CONTEXT_FRAMES = 50  # 0.5 s included before and after a block
RATE_FRAMES = 300  # the tempo at a moment is that of the 3 s around it
RATE_SPEECH_FRAMES = 100  # with less than 1 s of speech in them there is no tempo
FRAMES_PER_SECOND = SAMPLE_RATE // HOP_SAMPLES


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One measure of a voice over time.

    Attributes:
        name: same as of the descriptor.
        unit: of the values.
        times: in s.
        values: None where it cannot be measured.
    """

    name: str
    unit: str
    times: list[float]
    values: list[float | None]


def follow(samples: np.ndarray, speech: Speech) -> list[Curve]:
    """Measures pitch, loudness, brightness and onset rate; all but loudness in speech only.

    Args:
        samples: float32 (samples,) at 16 kHz.
        speech: the speech in it.
    """
    frames = 1 + len(samples) // HOP_SAMPLES
    spoken = _spoken(speech, frames)
    power, centroid, strength, pitch = (np.concatenate(parts) for parts in zip(*_blocks(samples), strict=True))
    onsets = np.zeros(frames)
    onsets[(find_onsets(strength, ONSET_GAP_FRAMES) - ONSET_DELAY_FRAMES).clip(0)] = 1
    edges = cell_edges(len(samples) / SAMPLE_RATE)
    level = decibel(np.sqrt(_means(power, edges)))
    series = (
        ("pitch", "Hz", _means(np.where(spoken, pitch, np.nan), edges)),
        ("loudness", "dBFS", level),
        ("brightness", "Hz", _means(np.where(spoken, centroid, np.nan), edges)),
        ("onset_rate", "1/s", _means(_rate(onsets * spoken, spoken), edges)),
    )
    times = ((edges[1:] + edges[:-1]) / 2).round(3).tolist()
    return [Curve(name=name, unit=unit, times=times, values=_values(found)) for name, unit, found in series]


def cell_edges(seconds: float) -> np.ndarray:
    """Cuts a recording into at most ``MAX_VALUES`` cells of at least ``STEP_SECONDS``: (cells + 1,) in s."""
    return np.linspace(0, seconds, max(1, min(MAX_VALUES, int(seconds / STEP_SECONDS))) + 1)


def _blocks(samples: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Yields power, centroid in Hz, onset strength and pitch in Hz (NaN without one) of every frame, block by block."""
    frames = 1 + len(samples) // HOP_SAMPLES
    for first in range(0, frames, BLOCK_FRAMES):
        last = min(first + BLOCK_FRAMES, frames)
        begin = max(0, first - CONTEXT_FRAMES)
        part = samples[begin * HOP_SAMPLES : (last + CONTEXT_FRAMES) * HOP_SAMPLES]
        magnitude = spectrogram(part)
        strength = onset_strength(mel_decibel(magnitude))
        own = slice(first - begin, last - begin)
        series = root_mean_square(part) ** 2, moments(magnitude)[0], strength, _pitch(part, magnitude.shape[1])
        yield tuple(values[own] for values in series)


def _pitch(part: np.ndarray, frames: int) -> np.ndarray:
    """Returns the pitch at every frame (frames,), from the nearest frame of ``find_pitch``, which has half as many."""
    if len(part) < WINDOW_SAMPLES:
        return np.full(frames, np.nan)
    curve = find_pitch(part)
    nearest = np.rint((np.arange(frames) * HOP_SAMPLES - WINDOW_SAMPLES / 2) / PITCH_HOP_SAMPLES).astype(int)
    return curve.hertz[nearest.clip(0, len(curve.hertz) - 1)]


def _spoken(speech: Speech, frames: int) -> np.ndarray:
    """Whether each frame is in a stretch of speech, bool (frames,)."""
    found = np.zeros(frames, bool)
    for start, end in speech.segments():
        found[round(start * FRAMES_PER_SECOND) : round(end * FRAMES_PER_SECOND) + 1] = True
    return found


def _rate(onsets: np.ndarray, spoken: np.ndarray) -> np.ndarray:
    """Onsets a second of speech around each frame, NaN outside of speech and where there is too little of it."""
    begun, speaking = (_sums(values) for values in (onsets, spoken.astype(float)))
    known = spoken & (speaking >= RATE_SPEECH_FRAMES)
    return np.where(known, begun * FRAMES_PER_SECOND / np.maximum(speaking, 1), np.nan)


def _sums(values: np.ndarray) -> np.ndarray:
    """Returns the sum of (frames,) over the ``RATE_FRAMES`` around each frame."""
    total = np.insert(np.cumsum(values), 0, 0)
    middle = np.arange(len(values))
    start, stop = ((middle + step).clip(0, len(values)) for step in (-RATE_FRAMES // 2, RATE_FRAMES // 2))
    return total[stop] - total[start]


def _means(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Returns the mean of the values that are not NaN between neighbouring edges in s; NaN if there are none."""
    there = ~np.isnan(values)
    cells = (np.searchsorted(edges, np.arange(len(values)) / FRAMES_PER_SECOND, side="right") - 1).clip(
        0, len(edges) - 2
    )
    count = np.bincount(cells[there], minlength=len(edges) - 1)
    total = np.bincount(cells[there], values[there], minlength=len(edges) - 1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _values(found: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else round(value, 2) for value in found.tolist()]
