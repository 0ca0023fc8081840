"""Acoustic statistics, against librosa 0.11 on real speech and calculations by hand."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from ser.audio.waveform import SAMPLE_RATE, decode
from ser.features.functionals import names, statistics
from ser.features.low_level import HOP_SAMPLES, WINDOW_SAMPLES


def sine(hertz: float, seconds: float = 2.0, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * sample_rate)) / sample_rate)).astype(np.float32)


def named(samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> dict[str, float]:
    return dict(zip(names(), statistics(samples, sample_rate).tolist(), strict=True))


@pytest.fixture
def clip(samples) -> np.ndarray:
    return decode(samples["happy"]).samples


def test_every_value_has_a_unique_name():
    assert len(names()) == len(set(names())) == 254
    assert {"mfcc_03_std", "pitch_mean_hz", "spectral_centroid_mean_hz", "chroma_c_sharp_mean"} <= set(names())
    assert all(name.isidentifier() and name == name.lower() for name in names())


CLIPS = {
    "silence": lambda size, draw: np.zeros(size),
    "tone": lambda size, draw: np.sin(2 * np.pi * 220 * np.arange(size) / SAMPLE_RATE),
    "offset": lambda size, draw: np.full(size, 0.3),
    "click": lambda size, draw: np.arange(size) == size // 2,
    "clipped noise": lambda size, draw: np.clip(5 * draw.standard_normal(size), -1, 1),
    "half silence": lambda size, draw: draw.standard_normal(size) * (np.arange(size) < size // 2),
    "rounding": lambda size, draw: 1e-7 * draw.standard_normal(size),
}


@pytest.mark.parametrize("make", CLIPS.values(), ids=CLIPS)
@pytest.mark.parametrize("seconds", [0.1, 0.5, 10.0])
def test_any_clip_has_finite_statistics(make, seconds):
    found = statistics(make(int(seconds * SAMPLE_RATE), np.random.default_rng(0)).astype(np.float32), SAMPLE_RATE)
    assert found.dtype == np.float32 and found.shape == (len(names()),)
    assert np.isfinite(found).all()


def test_silence_has_neither_pitch_nor_rhythm():
    found = named(np.zeros(SAMPLE_RATE, np.float32))
    assert found["pitch_mean_hz"] == found["tempo_bpm"] == found["rms_mean"] == found["spectral_centroid_max_hz"] == 0


def test_series_equal_librosa(clip):
    found = named(clip)
    window = {"n_fft": WINDOW_SAMPLES, "hop_length": HOP_SAMPLES}
    frame = {"frame_length": WINDOW_SAMPLES, "hop_length": HOP_SAMPLES}
    rate = {"y": clip, "sr": SAMPLE_RATE}
    mfcc = librosa.feature.mfcc(**rate, n_mfcc=20, **window)
    chroma = librosa.feature.chroma_stft(**rate, tuning=0.0, **window)
    expected = {
        "zero_crossing_rate_{}": librosa.feature.zero_crossing_rate(clip, **frame)[0],
        "rms_{}": librosa.feature.rms(y=clip, **frame)[0],
        "spectral_centroid_{}_hz": librosa.feature.spectral_centroid(**rate, **window)[0],
        "spectral_bandwidth_{}_hz": librosa.feature.spectral_bandwidth(**rate, **window)[0],
        "spectral_rolloff_{}_hz": librosa.feature.spectral_rolloff(**rate, **window)[0],
        "spectral_contrast_400_to_800_hz_{}_db": librosa.feature.spectral_contrast(**rate, **window)[2],
        "spectral_flatness_{}": librosa.feature.spectral_flatness(y=clip, **window)[0],
        "mfcc_03_{}": mfcc[3],
        "mfcc_delta_19_{}": librosa.feature.delta(mfcc)[19],
        "mfcc_delta_delta_00_{}": librosa.feature.delta(mfcc, order=2)[0],
        "chroma_a_{}": chroma[9],
        "tonnetz_minor_third_y_{}": librosa.feature.tonnetz(chroma=chroma)[3],
    }
    for pattern, series in expected.items():
        measures = {"mean": series.mean(), "std": series.std(), "min": series.min(), "max": series.max()}
        for measure, value in measures.items():
            if pattern.format(measure) in found:
                assert found[pattern.format(measure)] == pytest.approx(value, rel=1e-3, abs=1e-4), pattern


def test_mel_bands_equal_librosa(clip):
    power = librosa.feature.melspectrogram(
        y=clip, sr=SAMPLE_RATE, n_fft=WINDOW_SAMPLES, hop_length=HOP_SAMPLES, n_mels=128
    )
    decibel = librosa.power_to_db(power)
    found = named(clip)
    assert found["mel_median_db"] == pytest.approx(np.median(decibel), abs=1e-3)
    assert found["mel_three_quarters_db"] == pytest.approx(np.percentile(decibel, 75), abs=1e-3)
    assert found["mel_band_2_mean_db"] == pytest.approx(decibel[16:32].mean(), abs=1e-3)


@pytest.mark.parametrize("hertz", [60, 110, 220, 440])
def test_a_tone_has_its_frequency_as_pitch(hertz):
    found = named(sine(hertz))
    assert found["pitch_mean_hz"] == pytest.approx(hertz, rel=0.01)
    assert found["pitch_std_hz"] < 0.01 * hertz


def test_noise_has_no_pitch():
    noise = np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE).astype(np.float32)
    assert named(noise)["pitch_max_hz"] == 0


def test_a_1_khz_sine_has_a_brightness_of_1_khz():
    found = named(sine(1000))
    assert found["spectral_centroid_mean_hz"] == pytest.approx(1000, rel=0.02)
    assert found["spectral_rolloff_mean_hz"] == pytest.approx(1000, rel=0.05)
    assert found["zero_crossing_rate_max"] == pytest.approx(2 * 1000 / SAMPLE_RATE, rel=0.01)


def test_clicks_give_their_tempo():
    clicks = np.zeros(6 * SAMPLE_RATE, np.float32)
    clicks[:: SAMPLE_RATE // 2] = 0.9
    clicks += 1e-3 * np.random.default_rng(0).standard_normal(len(clicks)).astype(np.float32)
    found = named(clicks)
    assert found["tempo_bpm"] == pytest.approx(120, rel=0.02)
    assert found["beat_interval_mean_seconds"] == pytest.approx(0.5, rel=0.02)
    assert found["beats_per_second"] == pytest.approx(2, rel=0.2)


def test_half_the_amplitude_lowers_the_level_but_not_the_spectrum(clip):
    loud, quiet = named(clip), named(0.5 * clip)
    for measure in ("mean", "std", "min", "max"):
        assert quiet[f"rms_{measure}"] == pytest.approx(0.5 * loud[f"rms_{measure}"], rel=1e-5)
    assert quiet["mel_mean_db"] == pytest.approx(loud["mel_mean_db"] - 6.0206, abs=1e-3)
    moved = ("rms", "mel", "mfcc_00", "spectral_flatness")  # flatness has an absolute floor in librosa
    for name, value in loud.items():
        if not name.startswith(moved):
            assert quiet[name] == pytest.approx(value, rel=1e-3, abs=1e-3), name


def test_the_sampling_rate_does_not_change_the_statistics():
    found = named(sine(220, sample_rate=44_100), 44_100)
    assert found["pitch_mean_hz"] == pytest.approx(220, rel=0.01)
