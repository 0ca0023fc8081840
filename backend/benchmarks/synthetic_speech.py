"""Synthesises the recording for measurements: vowels that the voice activity detector detects as speech."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 16_000  # Hz
# Centres of the first three formants of five vowels (a, i, u, e, o) in Hz, from textbooks of phonetics.
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
BANDWIDTHS = (80, 110, 160)  # Hz


def speech_like(seconds: float, seed: int = 0) -> np.ndarray:
    """Synthesises vowels with a varying pitch and short pauses: float32 (samples,) at ``SAMPLE_RATE``."""
    random = np.random.default_rng(seed)
    syllables, length = [], 0
    while length < seconds * SAMPLE_RATE:
        sound = _syllable(VOWELS[random.integers(len(VOWELS))], random.uniform(0.15, 0.3), random)
        pause = np.zeros(int(random.uniform(0.02, 0.08) * SAMPLE_RATE))
        syllables += [sound, pause]
        length += len(sound) + len(pause)
    samples = np.concatenate(syllables)[: int(seconds * SAMPLE_RATE)]
    samples += random.normal(0, 0.001, len(samples))
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)


def _syllable(formants: tuple[int, ...], seconds: float, random: np.random.Generator) -> np.ndarray:
    """A sum of harmonics, weighted by the formants."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = random.uniform(110, 180) * (1 + 0.1 * np.sin(2 * np.pi * random.uniform(1, 3) * time))  # Hz
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    harmonics = np.arange(1, 40)
    frequencies = harmonics * pitch.mean()
    gains = sum(1 / (1 + ((frequencies - f) / b) ** 2) for f, b in zip(formants, BANDWIDTHS, strict=True))
    sound = sum(gain / k**0.5 * np.sin(k * phase) for k, gain in zip(harmonics, gains, strict=True))
    return sound * np.sin(np.pi * time / seconds) ** 0.5


def wav(clip: Path | None, seconds: float = 3.0) -> bytes:
    """Returns the content of ``clip``, or a synthetic recording as 16-bit WAV."""
    if clip is not None:
        return clip.read_bytes()
    buffer = io.BytesIO()
    soundfile.write(buffer, speech_like(seconds), SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
