"""Measures level, spectrum, pitch and onsets frame by frame: samples (samples,) at 16 kHz -> (frames,).

Windows of 64 ms every 10 ms, 20 ms for the pitch. Uses numpy only, so that a server can describe a voice without
librosa, whose first call compiles for seconds; the tests compare every function with librosa 0.11.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ser.audio.waveform import SAMPLE_RATE

WINDOW_SAMPLES = 1024  # 64 ms: over two periods of the lowest pitch, and 15.6 Hz per bin
HOP_SAMPLES = 160  # 10 ms; the shortest recording still has the 9 frames of the delta filter
PITCH_HOP_SAMPLES = 320
PITCH_MIN_HZ, PITCH_MAX_HZ = 50, 500  # creaky men to excited children
YIN_THRESHOLD = 0.15  # a trough this deep is a period; the paper's 0.1 misses hoarse voices, which then drop an octave
VOICED_CORRELATION = 0.6  # of a frame with itself one period later
VOICED_RANGE_DB = 25.0  # quieter than this below the loudest frame is not voice
VOICED_STEP_SEMITONES = 2.0  # in 20 ms; a voice glides, pitch estimates in noise jump
MELS = 128
ROLLOFF_SHARE = 0.85  # of the magnitude lies below the rolloff
POWER_FLOOR = 1e-10  # of a bin, as librosa's amin
MEL_RANGE_DB = 80.0  # of a mel spectrogram below its maximum, as librosa's top_db
ONSET_DELAY_FRAMES = 7  # delay of a detected onset: librosa's lag and half its window of 2048
ONSET_PEAK_FRAMES, ONSET_MEAN_FRAMES, ONSET_RISE = 3, 10, 0.07  # librosa's, from a search over music and speech
ZERO = 1e-10  # magnitudes below this have no sign, as in librosa
TINY = 1e-12  # below any 24-bit recording's rounding; keeps divisions finite in digital silence


@dataclass(frozen=True)
class PitchCurve:
    """The pitch of a voice over time.

    Attributes:
        seconds: (frames,), the middle of each frame.
        hertz: (frames,), NaN where the frame is not voiced.
    """

    seconds: np.ndarray
    hertz: np.ndarray

    @property
    def voiced(self) -> np.ndarray:
        """Pitch of the voiced frames in Hz, (voiced frames,)."""
        return self.hertz[~np.isnan(self.hertz)]


def find_pitch(samples: np.ndarray) -> PitchCurve:
    """Follows the pitch between ``PITCH_MIN_HZ`` and ``PITCH_MAX_HZ`` in whole windows of 64 ms every 20 ms.

    The period is YIN's (de Cheveigne and Kawahara 2002, JASA 111). A frame is voiced when it resembles itself one
    period later and is not too far below the loudest frame (Boersma 1993, IFA Proceedings 17, names both), and when a
    neighbour has nearly the same pitch. The three limits were chosen on RAVDESS to come closest to pYIN's voicing.

    Args:
        samples: float32 (samples,) at 16 kHz, at least one window.
    """
    centred = samples - samples.mean()  # an offset would resemble itself at any lag
    frames = sliding_window_view(centred, WINDOW_SAMPLES)[::PITCH_HOP_SAMPLES]  # half-empty ones have a wrong period
    hertz = np.clip(SAMPLE_RATE / _periods(frames), PITCH_MIN_HZ, PITCH_MAX_HZ)  # interpolation may step over the edge
    seconds = (np.arange(len(hertz)) * PITCH_HOP_SAMPLES + WINDOW_SAMPLES / 2) / SAMPLE_RATE
    periods = np.rint(SAMPLE_RATE / hertz).astype(int)
    return PitchCurve(seconds, _continuous(np.where(_voiced(frames, periods), hertz, np.nan)))


def _periods(frames: np.ndarray) -> np.ndarray:
    """YIN's period in samples of every frame of (frames, window), refined by a parabola through the trough."""
    shortest, longest = SAMPLE_RATE // PITCH_MAX_HZ, SAMPLE_RATE // PITCH_MIN_HZ
    spectrum = np.fft.rfft(frames, 2 * WINDOW_SAMPLES, axis=1)
    similar = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, axis=1)[:, : longest + 1].astype(np.float32)
    energy = np.cumsum(frames**2, axis=1)[:, :longest]
    different = 2 * (similar[:, :1] - similar[:, 1:]) - energy  # (frames, longest), at lags from 1 on
    mean = np.cumsum(different, axis=1) / np.arange(1, longest + 1, dtype=np.float32)
    curve = (different / (mean + np.finfo(np.float32).tiny))[:, shortest - 1 :]  # at lags from the shortest on
    inner = (curve[:, 1:-1] < curve[:, :-2]) & (curve[:, 1:-1] <= curve[:, 2:])
    first, last = curve[:, :1] < curve[:, 1:2], curve[:, -1:] < curve[:, -2:-1]
    deep = np.hstack([first, inner, last]) & (curve < YIN_THRESHOLD)
    best = np.where(deep.any(axis=1), deep.argmax(axis=1), curve.argmin(axis=1))
    return shortest + best + _parabola_offset(curve, best)


def _parabola_offset(curve: np.ndarray, best: np.ndarray) -> np.ndarray:
    """How far the lowest point of the parabola through a place and its neighbours is from the place, (frames,)."""
    place = best.clip(1, curve.shape[1] - 2)
    rows = np.arange(len(curve))
    before, own, after = (curve[rows, place + step] for step in (-1, 0, 1))
    bend, slope = after + before - 2 * own, (after - before) / 2
    inside = (np.abs(slope) < np.abs(bend)) & (place == best)
    return np.where(inside, -slope / np.where(inside, bend, 1), 0)


def _voiced(frames: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Whether each of (frames, window) is voice; ``periods`` (frames,) in samples."""
    size = WINDOW_SAMPLES - SAMPLE_RATE // PITCH_MIN_HZ
    now = frames[:, :size]
    later = np.take_along_axis(frames, np.arange(size)[None, :] + periods[:, None], axis=1)
    energy = (frames**2).mean(axis=1)
    scale = np.sqrt((now**2).sum(axis=1) * (later**2).sum(axis=1))
    correlation = (now * later).sum(axis=1) / np.maximum(scale, TINY)
    loud = energy > max(energy.max() * 10 ** (-VOICED_RANGE_DB / 10), TINY)
    return loud & (correlation >= VOICED_CORRELATION)


def _continuous(hertz: np.ndarray) -> np.ndarray:
    """Removes values from (frames,) that are far from both neighbours; NaN is unvoiced, in input and output."""
    close = np.abs(np.diff(12 * np.log2(hertz))) < VOICED_STEP_SEMITONES  # False beside NaN
    return np.where(np.append(close, False) | np.insert(close, 0, False), hertz, np.nan)


def _centred_frames(samples: np.ndarray, mode: str) -> np.ndarray:
    """Windows every 10 ms around 0, 10 ms, ..., (1 + samples // 160, window); ``mode`` is ``np.pad``'s."""
    return sliding_window_view(np.pad(samples, WINDOW_SAMPLES // 2, mode=mode), WINDOW_SAMPLES)[::HOP_SAMPLES]


def spectrogram(samples: np.ndarray) -> np.ndarray:
    """Returns the magnitude spectrogram (513, frames) of samples (samples,) at 16 kHz; frames = 1 + samples // 160."""
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES)).astype(np.float32)
    return np.abs(np.fft.rfft(_centred_frames(samples, "constant") * window, axis=1)).T


def root_mean_square(samples: np.ndarray) -> np.ndarray:
    """Returns the level (frames,); full scale is 1."""
    frames = _centred_frames(samples, "constant")
    return np.sqrt(np.einsum("ij,ij->i", frames, frames) / WINDOW_SAMPLES)


def zero_crossing_rate(samples: np.ndarray) -> np.ndarray:
    """Returns the share of samples at which the sign changes, (frames,)."""
    negative = np.pad(samples, WINDOW_SAMPLES // 2, mode="edge") < -ZERO
    counts = np.cumsum(np.append(False, negative[1:] != negative[:-1]))
    starts = np.arange(0, len(samples) + 1, HOP_SAMPLES)
    return (counts[starts + WINDOW_SAMPLES - 1] - counts[starts]) / WINDOW_SAMPLES


def moments(magnitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns centroid and bandwidth (frames,) in Hz: mean and standard deviation of frequency over magnitude.

    Both are 0 in digital silence.
    """
    hertz = np.linspace(0, SAMPLE_RATE / 2, len(magnitude))
    total = np.maximum(magnitude.sum(axis=0, dtype=np.float64), TINY)
    first, second = (hertz**power @ magnitude / total for power in (1, 2))
    return first, np.sqrt(np.maximum(second - first**2, 0))


def rolloff(magnitude: np.ndarray) -> np.ndarray:
    """Returns the frequency below which ``ROLLOFF_SHARE`` of the magnitude lies, (frames,) in Hz."""
    below = np.cumsum(magnitude, axis=0)
    return (below >= ROLLOFF_SHARE * below[-1]).argmax(axis=0) * SAMPLE_RATE / WINDOW_SAMPLES


def flatness(magnitude: np.ndarray) -> np.ndarray:
    """Returns the geometric over the arithmetic mean of the power, (frames,): 0 for a tone, 1 for noise."""
    power = np.maximum(magnitude**2, POWER_FLOOR)
    return np.exp(np.log(power).mean(axis=0)) / power.mean(axis=0)


@cache
def _mel_filters() -> np.ndarray:
    from ser.features.spectral import mel_filters  # imports torch, which most callers do not need

    return mel_filters(SAMPLE_RATE, WINDOW_SAMPLES, MELS).numpy()


def mel_decibel(magnitude: np.ndarray) -> np.ndarray:
    """Returns the mel spectrogram (128, frames) in dB, at most 80 dB below its maximum."""
    decibel = 10 * np.log10(np.maximum(_mel_filters() @ magnitude**2, POWER_FLOOR))
    return np.maximum(decibel, decibel.max() - MEL_RANGE_DB)


def onset_strength(mel_db: np.ndarray) -> np.ndarray:
    """Returns how much louder (128, frames) in dB becomes from frame to frame, (frames,): what begins there.

    A rise is told ``ONSET_DELAY_FRAMES`` later, as librosa does, which aligns it with beats.
    """
    rise = np.maximum(np.diff(mel_db, axis=1), 0).mean(axis=0)
    return np.pad(rise, (ONSET_DELAY_FRAMES, 0))[: mel_db.shape[1]]


def find_onsets(strength: np.ndarray, gap: int) -> np.ndarray:
    """Returns the frames in which a sound begins: peaks of ``strength`` (frames,) above their neighbourhood's mean.

    Args:
        strength: see ``onset_strength``.
        gap: frames that are passed over after an onset.
    """
    height = strength - strength.min()
    if not height.any():
        return np.zeros(0, int)
    height = height / height.max()
    before = np.pad(height, (ONSET_PEAK_FRAMES, 0), constant_values=-np.inf)
    peaks = height == sliding_window_view(before, ONSET_PEAK_FRAMES + 1).max(axis=1)
    edges = np.arange(len(height))
    start, stop = (edges - ONSET_MEAN_FRAMES).clip(0), (edges + ONSET_MEAN_FRAMES + 1).clip(None, len(height))
    total = np.insert(np.cumsum(height, dtype=np.float64), 0, 0)
    peaks &= height >= (total[stop] - total[start]) / (stop - start) + ONSET_RISE
    found: list[int] = []
    for frame in np.flatnonzero(peaks).tolist():
        if not found or frame - found[-1] > gap:
            found.append(frame)
    return np.array(found, int)
