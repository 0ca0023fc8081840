"""Augments waveforms for training.

Each augmentation is a small callable ``change(samples (samples,), sample_rate, draw) -> samples`` with its ranges as
fields; a recipe chains those that its authors used. Augmented copies are drawn from a seed, once per utterance and
before the features are computed; each epoch then picks one of them.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soxr

from ser.audio.waveform import decode, resample

Change = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class PitchShift:
    """Shifts the pitch by up to ``semitones`` up or down and keeps the length (phase vocoder)."""

    semitones: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        import librosa  # compiles for seconds on its first call

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
    """Rotates the clip by up to ``seconds`` in either direction."""

    seconds: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        return np.roll(samples, round(draw.uniform(-self.seconds, self.seconds) * sample_rate))


@dataclass(frozen=True)
class Gain:
    """Makes the clip up to ``decibel`` louder or quieter; no effect on features that normalise the peak."""

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
class ColouredNoise:
    """Adds noise whose power falls by up to ``steepest`` times 3 dB an octave, like that of streets, fans and wind.

    0 is white noise, 1 pink, 2 brown. The signal-to-noise ratio is between ``low_db`` and ``high_db``.
    """

    low_db: float
    high_db: float
    steepest: float = 2.0

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        spectrum = np.fft.rfft(draw.standard_normal(len(samples)))
        spectrum[0] = 0
        spectrum[1:] *= np.arange(1, len(spectrum)) ** (-draw.uniform(0, self.steepest) / 2)
        noise = np.fft.irfft(spectrum, len(samples))
        ratio = 10 ** (draw.uniform(self.low_db, self.high_db) / 10)
        power = float(np.mean(np.square(samples), dtype=np.float64))
        scale = np.sqrt(power / ratio / max(float(np.mean(np.square(noise))), 1e-20))
        return (samples + scale * noise).astype(np.float32)


@dataclass(frozen=True)
class Room:
    """Adds reverberation: direct sound and a tail of noise that decays by 60 dB within the reverberation time.

    Source: Polack's statistical model, as in Habets 2007, "Single- and multi-microphone speech dereverberation using
    spectral enhancement", ch. 2.

    Attributes:
        shortest: reverberation time of the driest room, in s.
        longest: that of the most reverberant room.
        low_db: lowest level of the direct sound over the tail (distant microphone).
        high_db: highest level (close microphone).
    """

    shortest: float
    longest: float
    low_db: float
    high_db: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        from scipy.signal import fftconvolve  # takes half a second

        seconds = draw.uniform(self.shortest, self.longest)
        time = np.arange(1, round(seconds * sample_rate)) / sample_rate
        tail = draw.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
        ratio = 10 ** (draw.uniform(self.low_db, self.high_db) / 10)
        tail /= np.sqrt(np.square(tail).sum() * ratio)
        return fftconvolve(samples, np.concatenate([[1.0], tail]))[: len(samples)].astype(np.float32)


@dataclass(frozen=True)
class BandLimit:
    """Limits the bandwidth as a cheap microphone or a telephone does.

    Attributes:
        low_hertz: the lower edge is drawn from 20 Hz to this.
        high_hertz: the upper edge is drawn from this to 7.6 kHz.
    """

    low_hertz: float
    high_hertz: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        from scipy.signal import butter, sosfilt

        edges = draw.uniform(20, self.low_hertz), draw.uniform(self.high_hertz, 0.475 * sample_rate)
        return sosfilt(butter(4, edges, "bandpass", fs=sample_rate, output="sos"), samples).astype(np.float32)


@dataclass(frozen=True)
class Codec:
    """Encodes and decodes the clip with a lossy codec at a low bit rate, as messengers and telephones do."""

    kinds: tuple[tuple[str, str, int], ...] = (
        ("libopus", "ogg", 8_000),
        ("libopus", "ogg", 16_000),
        ("libmp3lame", "mp3", 24_000),
        ("pcm_mulaw", "wav", 0),
    )  # encoder, container, bits a second

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        encoder, container, rate = self.kinds[int(draw.integers(len(self.kinds)))]
        peak = max(float(np.abs(samples).max(initial=0)), 1e-5)
        content = _encode(samples / peak, sample_rate, encoder, container, rate)
        decoded = resample(decode(content), sample_rate).samples[: len(samples)]
        return np.pad(decoded, (0, len(samples) - len(decoded))) * np.float32(peak)


def _encode(samples: np.ndarray, sample_rate: int, encoder: str, container: str, rate: int) -> bytes:
    import av  # as in ser.audio.waveform

    content = io.BytesIO()
    with av.open(content, "w", format=container) as output:
        stream = output.add_stream(encoder, rate=sample_rate, layout="mono")
        if rate:
            stream.bit_rate = rate
        frame = av.AudioFrame.from_ndarray(np.int16(32_000 * samples)[None], format="s16", layout="mono")
        frame.sample_rate = sample_rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return content.getvalue()


@dataclass(frozen=True)
class Clipping:
    """Clips the samples at ``lowest`` times the peak, or at a larger share of it."""

    lowest: float

    def __call__(self, samples: np.ndarray, sample_rate: int, draw: np.random.Generator) -> np.ndarray:
        limit = np.float32(draw.uniform(self.lowest, 1) * np.abs(samples).max(initial=0))
        return samples.clip(-limit, limit)


@dataclass(frozen=True)
class Maybe:
    """Applies a change with a given probability."""

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
