"""Owns the named acoustic statistics of a clip: samples (samples,) -> values (dims,), every one with a name.

They are the "comprehensive features" that a fully connected network can learn from: how level, spectrum, cepstrum,
harmony, rhythm and pitch lie on average over a clip, and how much they move. ``names()`` and ``statistics()`` have the
same order. Everything goes through 16 kHz and shares one spectrogram: 64 ms windows every 10 ms.

librosa 0.11 computes most of them and is imported when it is needed: its first call compiles for seconds. Two choices
keep a 3 s clip at tens of ms: chroma and tonnetz come from the same short-time spectrum (a constant-Q transform would
cost ten times as much and its tuning cannot be estimated in silence), and pitch is YIN, not pYIN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ser.audio import SAMPLE_RATE, Waveform, resample

WINDOW_SAMPLES = 1024  # 64 ms: two periods of the lowest pitch and a half, and 15.6 Hz a bin
HOP_SAMPLES = 160  # 10 ms; the shortest recording still has the 9 frames of the delta filter
PITCH_HOP_SAMPLES = 320
PITCH_MIN_HZ, PITCH_MAX_HZ = 50, 500  # creaky men to excited children
YIN_THRESHOLD = 0.15  # a trough this deep is a period; the paper's 0.1 misses hoarse voices, which then drop an octave
VOICED_CORRELATION = 0.6  # of a frame with itself one period later
VOICED_RANGE_DB = 25.0  # quieter than this below the loudest frame is not voice
VOICED_STEP_SEMITONES = 2.0  # in 20 ms; a voice glides, a pitch found in noise jumps
TEMPO_LAGS = 800  # frames of 10 ms: tempo is looked for in repetitions up to 8 s apart, as librosa does
MELS, MEL_BANDS, MFCCS = 128, 8, 20
ROLLOFF_SHARE = 0.85  # of the magnitude lies below the rolloff
_TINY = 1e-12  # below any 24-bit recording's rounding; keeps divisions finite in digital silence

_FOUR, _TWO = ("mean", "std", "min", "max"), ("mean", "std")
_MEASURES = {"mean": np.mean, "std": np.std, "min": np.min, "max": np.max}
_NOTES = ("c", "c_sharp", "d", "d_sharp", "e", "f", "f_sharp", "g", "g_sharp", "a", "a_sharp", "b")
_CONTRAST_EDGES = (0, 200, 400, 800, 1600, 3200, 6400, 8000)  # Hz
_AXES = tuple(f"{interval}_{axis}" for interval in ("fifth", "minor_third", "major_third") for axis in "xy")

# series of frames -> the names of its rows, where {} stands for the measure; and what is measured over the frames
_SERIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "zero_crossing_rate": (("zero_crossing_rate_{}",), _FOUR),
    "rms": (("rms_{}",), _FOUR),
    "centroid": (("spectral_centroid_{}_hz",), _FOUR),
    "bandwidth": (("spectral_bandwidth_{}_hz",), _FOUR),
    "rolloff": (("spectral_rolloff_{}_hz",), _FOUR),
    "contrast": (
        tuple(
            f"spectral_contrast_{low}_to_{high}_hz_{{}}_db"
            for low, high in zip(_CONTRAST_EDGES[:-1], _CONTRAST_EDGES[1:], strict=True)
        ),
        _TWO,
    ),
    "flatness": (("spectral_flatness_{}",), _TWO),
    "mfcc": (tuple(f"mfcc_{index:02d}_{{}}" for index in range(MFCCS)), _FOUR),
    "delta": (tuple(f"mfcc_delta_{index:02d}_{{}}" for index in range(MFCCS)), _TWO),
    "delta_delta": (tuple(f"mfcc_delta_delta_{index:02d}_{{}}" for index in range(MFCCS)), _TWO),
    "chroma": (tuple(f"chroma_{note}_{{}}" for note in _NOTES), _TWO),
    "tonnetz": (tuple(f"tonnetz_{axis}_{{}}" for axis in _AXES), _TWO),
}
_RHYTHM = ("tempo_bpm", "beats_per_second", "beat_interval_mean_seconds")
_PITCH = ("pitch_mean_hz", "pitch_std_hz", "pitch_min_hz", "pitch_max_hz")
_MEL = tuple(f"mel_{measure}_db" for measure in ("mean", "std", "max", "min", "median", "quarter", "three_quarters"))
_BANDS = tuple(f"mel_band_{band}_mean_db" for band in range(1, MEL_BANDS + 1))


@cache
def names() -> tuple[str, ...]:
    """Returns the name of every statistic, in the order of ``statistics()``; a unit other than 1 is in the name."""
    measured = [row.format(measure) for rows, measures in _SERIES.values() for row in rows for measure in measures]
    return (*measured, *_RHYTHM, *_PITCH, *_MEL, *_BANDS)


def statistics(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Returns every statistic of a clip.

    Args:
        samples: float32 (samples,), at least 0.09 s, finite.
        sample_rate: Hz.

    Returns:
        float32 (dims,), always finite, in the order of ``names()``. What a clip has none of is 0: pitch without a
        voiced frame, rhythm without onsets.
    """
    samples = resample(Waveform(samples, sample_rate), SAMPLE_RATE).samples.astype(np.float32, copy=False)
    magnitude = spectrogram(samples)
    mel_db = mel_decibel(magnitude)
    series = {**waveform_series(samples), **spectral_series(magnitude), **_cepstral_series(mel_db)}
    parts = [_measure(series[name], measures) for name, (_, measures) in _SERIES.items()]
    parts += [_rhythm(mel_db), _pitch(samples), _mel(mel_db)]
    return np.concatenate(parts).astype(np.float32)


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
    import librosa

    centred = samples - samples.mean()  # an offset would resemble itself at any lag
    hertz = librosa.yin(
        centred,
        fmin=PITCH_MIN_HZ,
        fmax=PITCH_MAX_HZ,
        sr=SAMPLE_RATE,
        frame_length=WINDOW_SAMPLES,
        hop_length=PITCH_HOP_SAMPLES,
        trough_threshold=YIN_THRESHOLD,
        center=False,  # half-empty windows at the ends have a wrong period
    )
    hertz = np.clip(hertz, PITCH_MIN_HZ, PITCH_MAX_HZ)  # the interpolation may step over the edge
    frames = librosa.util.frame(centred, frame_length=WINDOW_SAMPLES, hop_length=PITCH_HOP_SAMPLES)
    periods = np.rint(SAMPLE_RATE / hertz).astype(int)
    seconds = (np.arange(len(hertz)) * PITCH_HOP_SAMPLES + WINDOW_SAMPLES / 2) / SAMPLE_RATE
    return PitchCurve(seconds, _continuous(np.where(_voiced(frames, periods), hertz, np.nan)))


def _voiced(frames: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Whether each of the frames (window, frames) is voice; ``periods`` (frames,) in samples."""
    size = WINDOW_SAMPLES - SAMPLE_RATE // PITCH_MIN_HZ
    index = np.arange(size)[:, None]
    now, later = frames[:size], np.take_along_axis(frames, index + periods, axis=0)
    energy = (frames**2).mean(axis=0)
    scale = np.sqrt((now**2).sum(axis=0) * (later**2).sum(axis=0))
    correlation = (now * later).sum(axis=0) / np.maximum(scale, _TINY)
    loud = energy > max(energy.max() * 10 ** (-VOICED_RANGE_DB / 10), _TINY)
    return loud & (correlation >= VOICED_CORRELATION)


def _continuous(hertz: np.ndarray) -> np.ndarray:
    """Takes out of (frames,) what no neighbour is close to; NaN is not voiced, coming in and going out."""
    close = np.abs(np.diff(12 * np.log2(hertz))) < VOICED_STEP_SEMITONES  # False beside NaN
    return np.where(np.append(close, False) | np.insert(close, 0, False), hertz, np.nan)


def spectrogram(samples: np.ndarray) -> np.ndarray:
    """Returns the magnitude spectrogram (513, frames) of samples (samples,) at 16 kHz; frames = 1 + samples // 160."""
    import librosa

    return np.abs(librosa.stft(samples, n_fft=WINDOW_SAMPLES, hop_length=HOP_SAMPLES))


def mel_decibel(magnitude: np.ndarray) -> np.ndarray:
    """Returns the mel spectrogram (128, frames) in dB, at most 80 dB below its maximum."""
    import librosa

    return librosa.power_to_db(_mel_filters() @ magnitude**2)


@cache
def _mel_filters() -> np.ndarray:
    import librosa

    return librosa.filters.mel(sr=SAMPLE_RATE, n_fft=WINDOW_SAMPLES, n_mels=MELS)


def waveform_series(samples: np.ndarray) -> dict[str, np.ndarray]:
    """Returns zero crossings (share of the samples) and RMS (full scale is 1), each (1, frames)."""
    import librosa

    window = {"frame_length": WINDOW_SAMPLES, "hop_length": HOP_SAMPLES}
    return {
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(samples, **window),
        "rms": librosa.feature.rms(y=samples, **window),
    }


def spectral_series(magnitude: np.ndarray) -> dict[str, np.ndarray]:
    """Returns what is measured on a magnitude spectrogram (513, frames): name -> (rows, frames)."""
    import librosa

    centroid, bandwidth = _moments(magnitude)
    chroma = librosa.feature.chroma_stft(S=magnitude**2, sr=SAMPLE_RATE, tuning=0.0)  # a voice is tuned to nothing
    return {
        "centroid": centroid,
        "bandwidth": bandwidth,
        "rolloff": librosa.feature.spectral_rolloff(S=magnitude, sr=SAMPLE_RATE, roll_percent=ROLLOFF_SHARE),
        "contrast": librosa.feature.spectral_contrast(S=magnitude, sr=SAMPLE_RATE),
        "flatness": librosa.feature.spectral_flatness(S=magnitude),
        "chroma": chroma,
        "tonnetz": librosa.feature.tonnetz(chroma=chroma),
    }


def _moments(magnitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns centroid and bandwidth (1, frames) in Hz: mean and standard deviation of frequency over magnitude.

    The same as librosa's, in a tenth of its time; 0 in digital silence.
    """
    hertz = np.linspace(0, SAMPLE_RATE / 2, len(magnitude))
    total = np.maximum(magnitude.sum(axis=0, keepdims=True, dtype=np.float64), _TINY)
    first, second = (hertz**power @ magnitude / total for power in (1, 2))
    return first, np.sqrt(np.maximum(second - first**2, 0))


def onset_strength(mel_db: np.ndarray) -> np.ndarray:
    """Returns how much louder (128, frames) in dB becomes from frame to frame, (frames,): what begins there."""
    import librosa

    return librosa.onset.onset_strength(S=mel_db, sr=SAMPLE_RATE, hop_length=HOP_SAMPLES)


def _cepstral_series(mel_db: np.ndarray) -> dict[str, np.ndarray]:
    import librosa

    mfcc = librosa.feature.mfcc(S=mel_db, n_mfcc=MFCCS)
    return {
        "mfcc": mfcc,
        "delta": librosa.feature.delta(mfcc, order=1),
        "delta_delta": librosa.feature.delta(mfcc, order=2),
    }


def _measure(rows: np.ndarray, measures: tuple[str, ...]) -> np.ndarray:
    """Measures every row of (rows, frames): (rows * measures,), the measures of a row side by side."""
    return np.stack([_MEASURES[measure](rows, axis=1) for measure in measures], axis=1).ravel()


def _rhythm(mel_db: np.ndarray) -> np.ndarray:
    """Returns tempo in BPM, beats a second, and mean time between beats in s."""
    import librosa

    clock = {"sr": SAMPLE_RATE, "hop_length": HOP_SAMPLES}
    onsets = onset_strength(mel_db)
    if not onsets.any():
        return np.zeros(3)
    repeats = np.zeros((TEMPO_LAGS, 1))  # one autocorrelation of the clip instead of one per frame
    found = librosa.autocorrelate(onsets, max_size=TEMPO_LAGS)
    repeats[: len(found), 0] = found / found[0]
    tempo = librosa.feature.tempo(tg=repeats, **clock)[0]
    beats = librosa.beat.beat_track(onset_envelope=onsets, bpm=tempo, **clock)[1] * HOP_SAMPLES / SAMPLE_RATE
    interval = np.diff(beats).mean() if len(beats) > 1 else 0.0
    return np.array([tempo, len(beats) / (mel_db.shape[1] * HOP_SAMPLES / SAMPLE_RATE), interval])


def _pitch(samples: np.ndarray) -> np.ndarray:
    """Returns mean, standard deviation, minimum and maximum of the pitch in Hz over voiced frames."""
    voiced = find_pitch(samples).voiced
    return _measure(voiced[None], _FOUR) if len(voiced) else np.zeros(4)


def _mel(mel_db: np.ndarray) -> np.ndarray:
    """Returns seven measures of the whole mel spectrogram and the mean of each of its bands, in dB."""
    quartiles = np.percentile(mel_db, (50, 25, 75))
    whole = [mel_db.mean(), mel_db.std(), mel_db.max(), mel_db.min(), *quartiles]
    return np.array([*whole, *(band.mean() for band in np.split(mel_db, MEL_BANDS))])
