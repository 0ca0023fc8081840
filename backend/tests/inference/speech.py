"""Builds speech segments at known times, for tests of what follows voice activity detection."""

from __future__ import annotations

import numpy as np

from ser.audio.vad import FRAME_SAMPLES, Speech
from ser.audio.waveform import SAMPLE_RATE


def speech_at(seconds: float, spoken: list[tuple[float, float]]) -> Speech:
    frames = int(seconds * SAMPLE_RATE) // FRAME_SAMPLES
    middle = (np.arange(frames) + 0.5) * FRAME_SAMPLES / SAMPLE_RATE
    active = np.zeros(frames, bool)
    for start, end in spoken:
        active |= (middle > start) & (middle < end)
    return Speech(active, int(seconds * SAMPLE_RATE))
