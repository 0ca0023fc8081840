"""Owns the changes made to waveforms in training, never in serving.

Each is a small callable ``change(samples (samples,), sample_rate, draw) -> samples`` with its ranges as fields; a
recipe chains those that its authors used. Copies are drawn from a seed and made once per utterance, before the
features; each epoch then picks one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soxr

Change = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class PitchShift:
    """Moves the pitch by up to ``semitones`` up or down and keeps the length (phase vocoder)."""

    semitones: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        import librosa  # compiles for seconds on its first call; only training pays for it

        steps = draw.uniform(-self.semitones, self.semitones)
        return librosa.effects.pitch_shift(samples, sr=sample_rate, n_steps=steps)


@dataclass(frozen=True)
class SpeedChange:
    """Plays the clip ``slowest`` to ``quickest`` times as fast, pitch included (Ko et al. 2015, Interspeech)."""

    slowest: float
    quickest: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        factor = draw.uniform(self.slowest, self.quickest)
        return soxr.resample(samples, factor, 1.0).astype(np.float32, copy=False)


@dataclass(frozen=True)
class TimeStretch:
    """Plays the clip ``slowest`` to ``quickest`` times as fast and keeps the pitch (phase vocoder)."""

    slowest: float
    quickest: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        import librosa  # as above

        factor = draw.uniform(self.slowest, self.quickest)
        return librosa.effects.time_stretch(samples, rate=factor).astype(np.float32, copy=False)


@dataclass(frozen=True)
class Shift:
    """Moves the clip by up to ``seconds`` either way; what leaves at one end comes in at the other."""

    seconds: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        return np.roll(samples, round(draw.uniform(-self.seconds, self.seconds) * sample_rate))


@dataclass(frozen=True)
class Gain:
    """Makes the clip up to ``decibel`` louder or quieter; features that normalise the peak do not notice."""

    decibel: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        return samples * np.float32(10 ** (draw.uniform(-self.decibel, self.decibel) / 20))


@dataclass(frozen=True)
class GaussianNoise:
    """Adds white noise of a standard deviation up to ``deviation`` times the clip's peak."""

    deviation: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        scale = draw.uniform(0, self.deviation) * float(np.abs(samples).max(initial=0))
        return samples + np.float32(scale) * draw.standard_normal(len(samples), dtype=np.float32)


@dataclass(frozen=True)
class WhiteNoise:
    """Adds white noise at a signal-to-noise ratio between ``low_db`` and ``high_db``."""

    low_db: float
    high_db: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        power = float(np.mean(np.square(samples), dtype=np.float64))
        scale = np.sqrt(power / 10 ** (draw.uniform(self.low_db, self.high_db) / 10))
        return samples + np.float32(scale) * draw.standard_normal(len(samples), dtype=np.float32)


@dataclass(frozen=True)
class PreEmphasis:
    """High-pass ``y[t] = x[t] - coefficient * x[t - 1]``."""

    coefficient: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        before = np.concatenate([samples[:1], samples[:-1]])
        return samples - np.float32(self.coefficient) * before


@dataclass(frozen=True)
class Maybe:
    """Makes a change with a probability."""

    change: Change
    probability: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        return self.change(samples, sample_rate, draw) if draw.random() < self.probability else samples


@dataclass(frozen=True)
class Chain:
    """Applies several changes one after the other."""

    changes: tuple[Change, ...]

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        for change in self.changes:
            samples = change(samples, sample_rate, draw)
        return samples
