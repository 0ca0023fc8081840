"""Computes named acoustic statistics of a clip: samples (samples,) -> values (dims,).

These are features for a fully connected network: averages and variation of level, spectrum, cepstrum, harmony, rhythm
and pitch over a clip. ``names()`` and ``statistics()`` have the same order. Everything is resampled to 16 kHz and
shares one spectrogram: 64 ms windows every 10 ms.

The measures of the voice report come from ``ser.features.low_level``; the others from librosa 0.11, which is imported
on demand because its first call compiles for seconds. Two choices keep a 3 s clip at tens of ms: chroma and tonnetz use
the same short-time spectrum (a constant-Q transform would take ten times as long, and its tuning cannot be estimated in
silence), and pitch is YIN, not pYIN.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ser.audio.waveform import SAMPLE_RATE, Waveform, resample
from ser.core.optional_packages import require
from ser.features.low_level import (
    HOP_SAMPLES,
    MELS,
    find_pitch,
    flatness,
    mel_decibel,
    moments,
    onset_strength,
    rolloff,
    root_mean_square,
    spectrogram,
    zero_crossing_rate,
)

TEMPO_LAGS = 800  # frames of 10 ms: tempo is looked for in repetitions up to 8 s apart, as librosa does
MEL_BANDS, MFCCS = 8, 20

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
    require("librosa", "The measurement of acoustic statistics, such as for the model mlp,")
    samples = resample(Waveform(samples, sample_rate), SAMPLE_RATE).samples.astype(np.float32, copy=False)
    magnitude = spectrogram(samples)
    mel_db = mel_decibel(magnitude)
    series = {**_waveform_series(samples), **_spectral_series(magnitude), **_cepstral_series(mel_db)}
    parts = [_measure(series[name], measures) for name, (_, measures) in _SERIES.items()]
    parts += [_rhythm(mel_db), _pitch(samples), _mel(mel_db)]
    return np.concatenate(parts).astype(np.float32)


def mel_hertz() -> np.ndarray:
    """Returns the centre of every mel band in Hz, (128,)."""
    import librosa

    return librosa.mel_frequencies(MELS + 2, fmax=SAMPLE_RATE / 2)[1:-1]


def _waveform_series(samples: np.ndarray) -> dict[str, np.ndarray]:
    """Returns zero crossings (share of the samples) and RMS (full scale is 1), each (1, frames)."""
    return {
        "zero_crossing_rate": zero_crossing_rate(samples)[None],
        "rms": root_mean_square(samples)[None],
    }


def _spectral_series(magnitude: np.ndarray) -> dict[str, np.ndarray]:
    """Returns what is measured on a magnitude spectrogram (513, frames): name -> (rows, frames)."""
    import librosa

    centroid, bandwidth = moments(magnitude)
    chroma = librosa.feature.chroma_stft(S=magnitude**2, sr=SAMPLE_RATE, tuning=0.0)  # speech has no reference tuning
    return {
        "centroid": centroid[None],
        "bandwidth": bandwidth[None],
        "rolloff": rolloff(magnitude)[None],
        "contrast": librosa.feature.spectral_contrast(S=magnitude, sr=SAMPLE_RATE),
        "flatness": flatness(magnitude)[None],
        "chroma": chroma,
        "tonnetz": librosa.feature.tonnetz(chroma=chroma),
    }


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
