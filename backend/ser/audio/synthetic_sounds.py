"""Synthesises sounds that are not speech, from which a model learns to reject them.

A voice activity detector sometimes fires on music, birds and sirens. A model with a pretrained encoder learns from
these sounds, and from speech, to tell the two apart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SECONDS = 3.0
SCALE = 2.0 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)  # a major scale
PEAK = 0.5

Sound = Callable[[int, np.random.Generator], np.ndarray]  # (sample_rate, draw) -> (samples,)


def music(sample_rate: int, draw: np.random.Generator) -> np.ndarray:
    """Chords of plucked or bowed notes."""
    base = 220.0 * draw.choice([0.5, 1.0, 2.0])

    def chord(seconds: float) -> np.ndarray:
        pitches = base * draw.choice(SCALE, int(draw.integers(1, 4)))
        return sum(_note(pitch, seconds, sample_rate, draw) for pitch in pitches)

    return _sequence(lambda: chord(draw.uniform(0.3, 1.2)), (0.15, 0.8), sample_rate, draw)


def drums(sample_rate: int, draw: np.random.Generator) -> np.ndarray:
    """A rhythm of noise bursts and falling tones."""

    def beat() -> np.ndarray:
        time = np.arange(int(0.2 * sample_rate)) / sample_rate
        if draw.random() < 0.5:
            return draw.standard_normal(len(time)) * np.exp(-draw.uniform(15, 40) * time)
        return _tone(60 + 100 * np.exp(-30 * time), sample_rate) * np.exp(-15 * time)

    return _sequence(beat, (0.12, 0.5), sample_rate, draw)


def birds(sample_rate: int, draw: np.random.Generator) -> np.ndarray:
    """Chirps, each from one high pitch to another."""

    def chirp() -> np.ndarray:
        samples = int(draw.uniform(0.05, 0.2) * sample_rate)
        return _tone(np.linspace(*draw.uniform(1500, 6000, 2), samples), sample_rate) * np.hanning(samples)

    return _sequence(chirp, (0.1, 0.6), sample_rate, draw)


def siren(sample_rate: int, draw: np.random.Generator) -> np.ndarray:
    """A tone that rises and falls."""
    time = np.arange(int(SECONDS * sample_rate)) / sample_rate
    return _tone(draw.uniform(400, 900) * (1 + 0.5 * np.sin(2 * np.pi * draw.uniform(0.2, 3) * time)), sample_rate)


def engine(sample_rate: int, draw: np.random.Generator) -> np.ndarray:
    """A low hum with its overtones, in noise."""
    time = np.arange(int(SECONDS * sample_rate)) / sample_rate
    pitch = draw.uniform(30, 120) * (1 + 0.2 * np.sin(2 * np.pi * 0.3 * time))
    overtones = sum(_tone(number * pitch, sample_rate) / number for number in range(1, 30))
    return overtones + 0.3 * draw.standard_normal(len(time))


def noise(sample_rate: int, draw: np.random.Generator) -> np.ndarray:
    """Noise of any colour from white to brown, swelling and falling."""
    samples = int(SECONDS * sample_rate)
    spectrum = np.fft.rfft(draw.standard_normal(samples))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** draw.uniform(0, 1)
    time = np.arange(samples) / sample_rate
    swell = 1 + draw.random() * np.sin(2 * np.pi * draw.uniform(0.2, 6) * time)
    return np.fft.irfft(spectrum, samples) * swell


SOUNDS: dict[str, Sound] = {one.__name__: one for one in (music, drums, birds, siren, engine, noise)}


def make_sound(kind: str, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
    """Returns float32 (samples,), 3 s of one kind of ``SOUNDS``, different at every draw."""
    samples = SOUNDS[kind](sample_rate, draw)
    return (samples * PEAK / np.abs(samples).max()).astype(np.float32)


def _note(pitch: float, seconds: float, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
    """A tone with vibrato and overtones that fades."""
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    course = pitch * (1 + 0.01 * draw.random() * np.sin(2 * np.pi * draw.uniform(4, 7) * time))
    decay, highest = draw.uniform(0.5, 2), int(min(draw.integers(3, 20), sample_rate / 2.1 / pitch))
    overtones = sum(_tone(number * course, sample_rate) / number**decay for number in range(1, highest + 1))
    return overtones * np.minimum(1, time / draw.uniform(0.005, 0.1)) * np.exp(-draw.uniform(0.2, 6) * time)


def _tone(pitch: np.ndarray, sample_rate: int) -> np.ndarray:
    """A sine of a changing pitch (samples,) in Hz."""
    return np.sin(2 * np.pi * np.cumsum(pitch) / sample_rate)


def _sequence(
    event: Callable[[], np.ndarray], gaps: tuple[float, float], sample_rate: int, draw: np.random.Generator
) -> np.ndarray:
    """Events (samples,) one after the other, ``gaps`` s apart, until ``SECONDS`` are filled."""
    total = np.zeros(int(SECONDS * sample_rate))
    start = 0
    while start < len(total):
        sound = event()[: len(total) - start]
        total[start : start + len(sound)] += sound
        start += int(draw.uniform(*gaps) * sample_rate)
    return total
