"""Frame-level descriptors, against librosa 0.11 on real speech and difficult sounds."""

from __future__ import annotations

import subprocess
import sys

import librosa
import numpy as np
import pytest

from ser.audio.waveform import SAMPLE_RATE, decode
from ser.features import low_level as acoustics
from ser.features.low_level import (
    HOP_SAMPLES,
    PITCH_HOP_SAMPLES,
    PITCH_MAX_HZ,
    PITCH_MIN_HZ,
    WINDOW_SAMPLES,
    YIN_THRESHOLD,
)

WINDOW = {"frame_length": WINDOW_SAMPLES, "hop_length": HOP_SAMPLES}
KINDS = ("angry", "happy", "sad", "silence", "offset", "noise", "click", "short")


@pytest.fixture(params=KINDS)
def sound(request, samples) -> np.ndarray:
    draw = np.random.default_rng(0)
    made = {
        "silence": np.zeros(SAMPLE_RATE),
        "offset": np.full(SAMPLE_RATE, 0.3),
        "noise": np.clip(2 * draw.standard_normal(SAMPLE_RATE), -1, 1),
        "click": np.arange(SAMPLE_RATE) == 7000,
        "short": draw.standard_normal(1600),
    }
    known = request.param in samples
    return decode(samples[request.param]).samples if known else made[request.param].astype(np.float32)


def test_levels_and_crossings_equal_librosa(sound):
    expected = librosa.feature.rms(y=sound, **WINDOW)[0]
    np.testing.assert_allclose(acoustics.root_mean_square(sound), expected, rtol=1e-5, atol=1e-9)
    expected = librosa.feature.zero_crossing_rate(sound, **WINDOW)[0]
    np.testing.assert_allclose(acoustics.zero_crossing_rate(sound), expected, atol=1e-9)


def test_the_spectrum_and_its_descriptors_equal_librosa(sound):
    magnitude = np.abs(librosa.stft(sound, n_fft=WINDOW_SAMPLES, hop_length=HOP_SAMPLES))
    found = acoustics.spectrogram(sound)
    np.testing.assert_allclose(found, magnitude, atol=1e-4 * max(float(magnitude.max()), 1e-3))
    mel = librosa.feature.melspectrogram(S=magnitude**2, sr=SAMPLE_RATE, n_mels=acoustics.MELS)
    np.testing.assert_allclose(acoustics.mel_decibel(magnitude), librosa.power_to_db(mel), atol=1e-3)
    expected = librosa.feature.spectral_rolloff(S=magnitude, sr=SAMPLE_RATE, roll_percent=acoustics.ROLLOFF_SHARE)[0]
    np.testing.assert_allclose(acoustics.rolloff(magnitude), expected, atol=SAMPLE_RATE / WINDOW_SAMPLES)
    np.testing.assert_allclose(
        acoustics.flatness(magnitude), librosa.feature.spectral_flatness(S=magnitude)[0], rtol=1e-3
    )
    centroid, bandwidth = acoustics.moments(magnitude + 1e-6)
    shape = {"S": magnitude + 1e-6, "sr": SAMPLE_RATE}
    np.testing.assert_allclose(centroid, librosa.feature.spectral_centroid(**shape)[0], rtol=1e-4)
    np.testing.assert_allclose(bandwidth, librosa.feature.spectral_bandwidth(**shape)[0], rtol=1e-3)


def test_the_pitch_equals_librosa_s_yin(sound):
    curve = acoustics.find_pitch(sound)
    expected = librosa.yin(
        sound - sound.mean(),
        fmin=PITCH_MIN_HZ,
        fmax=PITCH_MAX_HZ,
        sr=SAMPLE_RATE,
        frame_length=WINDOW_SAMPLES,
        hop_length=PITCH_HOP_SAMPLES,
        trough_threshold=YIN_THRESHOLD,
        center=False,
    )
    assert len(curve.hertz) == len(curve.seconds) == len(expected)
    voiced = ~np.isnan(curve.hertz)
    np.testing.assert_allclose(curve.hertz[voiced], expected[voiced], rtol=1e-3)


def test_onsets_equal_librosa(sound):
    mel = acoustics.mel_decibel(acoustics.spectrogram(sound))
    clock = {"sr": SAMPLE_RATE, "hop_length": HOP_SAMPLES}
    strength = librosa.onset.onset_strength(S=mel, **clock)
    np.testing.assert_allclose(acoustics.onset_strength(mel), strength, atol=1e-5)
    for gap in (3, 15):
        expected = librosa.onset.onset_detect(onset_envelope=strength, **clock, wait=gap)
        assert acoustics.find_onsets(strength, gap).tolist() == expected.tolist()


def test_speech_has_a_pitch_and_onsets(samples):
    """Guards the two tests above, which would also pass if nothing were ever found."""
    for path in samples.values():
        clip = decode(path).samples
        assert len(acoustics.find_pitch(clip).voiced) > 20
        strength = acoustics.onset_strength(acoustics.mel_decibel(acoustics.spectrogram(clip)))
        assert len(acoustics.find_onsets(strength, 15)) >= 3


def test_pitch_follows_a_glide_over_time():
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    glide = np.sin(2 * np.pi * (100 * time + 50 * time**2)).astype(np.float32)  # 100 Hz plus 100 Hz per second
    curve = acoustics.find_pitch(glide)
    assert len(curve.voiced) == len(curve.hertz)
    np.testing.assert_allclose(curve.hertz, 100 + 100 * curve.seconds, rtol=0.03)


def test_a_voice_is_described_without_librosa(samples):
    code = """
import sys
from pathlib import Path
from ser.audio.waveform import decode
from ser.audio.vad import find_speech
from ser.features.voice_report import measure

clip = decode(Path(sys.argv[1])).samples
measure(clip, find_speech(clip), everything=False)
print(sorted({"librosa", "numba", "sklearn"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code, samples["sad"]], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
