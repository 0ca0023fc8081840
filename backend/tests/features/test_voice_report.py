"""The voice report, against synthetic voices with known properties."""

from __future__ import annotations

import numpy as np
import pytest

from ser.audio.vad import FRAME_SAMPLES, Speech, find_speech
from ser.audio.waveform import SAMPLE_RATE, decode
from ser.features.functionals import names, statistics
from ser.features.voice_report import MEASURED_SECONDS, cut_to_speech, measure


def spoken(samples: np.ndarray, start: float = 0.0, end: float | None = None) -> Speech:
    """Marks everything between two times in s as speech."""
    begins = np.arange(-(-len(samples) // FRAME_SAMPLES)) * FRAME_SAMPLES / SAMPLE_RATE
    return Speech((begins >= start) & (begins < (np.inf if end is None else end)), len(samples))


def values(samples: np.ndarray, speech: Speech) -> dict[str, float | None]:
    return {found.name: found.value for found in measure(samples, speech, everything=False).descriptors}


def sine(hertz: float, seconds: float = 2.0, amplitude: float = 0.5) -> np.ndarray:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def test_a_tone_is_described_correctly():
    tone = sine(220)
    found = values(tone, spoken(tone))
    assert found["pitch"] == pytest.approx(220, rel=0.01)
    assert found["pitch_range"] < 0.1 and found["voiced"] == 100
    assert found["loudness"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert found["zero_crossings"] == pytest.approx(440, rel=0.05)
    assert found["flatness"] < 0.01
    assert found["duration"] == found["speech"] == 2


def test_brightness_is_the_spectral_centroid():
    tone = sine(1000)
    assert values(tone, spoken(tone))["brightness"] == pytest.approx(1000, rel=0.02)


def test_an_octave_has_12_semitones():
    tones = np.concatenate([sine(110), sine(220)])
    found = values(tones, spoken(tones))
    assert found["pitch_range"] == pytest.approx(12, abs=0.3)
    assert (found["pitch_low"], found["pitch_high"]) == pytest.approx((110, 220), rel=0.02)


def test_half_the_amplitude_is_6_db_less_and_changes_nothing_else(samples):
    clip = decode(samples["happy"]).samples
    speech = find_speech(clip)
    loud, quiet = values(clip, speech), values(0.5 * clip, speech)
    assert loud.pop("loudness") - quiet.pop("loudness") == pytest.approx(6.0206, abs=1e-3)
    for name, value in loud.items():
        assert quiet[name] == pytest.approx(value, rel=1e-2 if name == "flatness" else 1e-3), name


def test_bursts_are_counted():
    time = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    bursts = (sine(300, 4.0) * np.exp(-20 * (time % 0.25))).astype(np.float32)
    assert values(bursts, spoken(bursts))["onset_rate"] == pytest.approx(4, abs=0.5)


def test_sound_outside_the_speech_is_ignored():
    tone = sine(220)
    noise = np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE).astype(np.float32)
    both = np.concatenate([noise, tone, noise])
    found = values(both, spoken(both, 2.016, 4.0))
    assert found["pitch"] == pytest.approx(220, rel=0.01)
    assert found["loudness"] == pytest.approx(values(tone, spoken(tone))["loudness"], abs=0.1)


def test_the_statistics_cover_the_speech_only(samples):
    clip = decode(samples["sad"]).samples
    speech = find_speech(clip)
    voice = measure(clip, speech, everything=True)
    assert tuple(voice.statistics) == names()
    np.testing.assert_allclose(
        list(voice.statistics.values()), statistics(cut_to_speech(clip, speech), SAMPLE_RATE), rtol=1e-6
    )
    named = {found.name: found.value for found in voice.descriptors}
    for name, statistic in (("pitch", "pitch_mean_hz"), ("brightness", "spectral_centroid_mean_hz")):
        assert named[name] == pytest.approx(voice.statistics[statistic], rel=1e-4)


@pytest.mark.parametrize("level", [0.0, 0.1])
def test_without_speech_only_the_recording_is_described(level):
    noise = (level * np.random.default_rng(0).standard_normal(SAMPLE_RATE)).astype(np.float32)
    voice = measure(noise, find_speech(noise), everything=True)
    assert voice.to_dict()["state"] == "no_speech" and voice.statistics == {} and voice.measured_seconds == 0
    there = {found.name for found in voice.descriptors if found.value is not None}
    assert there == {"duration", "speech", "loudness", "loudness_range"}


def test_a_whisper_has_no_pitch():
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    found = values(noise, spoken(noise))
    assert found["voiced"] == 0 and found["pitch"] is found["pitch_range"] is None
    assert found["flatness"] > 0.3


def test_very_brief_speech_is_measured_with_its_surroundings():
    tone = sine(220, 1.0)
    assert len(cut_to_speech(tone, spoken(tone, 0.5, 0.53))) >= 0.1 * SAMPLE_RATE
    assert values(tone, spoken(tone, 0.5, 0.53))["pitch"] == pytest.approx(220, rel=0.01)
    short = tone[: SAMPLE_RATE // 10]
    assert values(short, spoken(short))["pitch"] == pytest.approx(220, rel=0.01)


def test_at_most_one_minute_is_measured():
    tone = sine(220, MEASURED_SECONDS + 5)
    assert len(cut_to_speech(tone, spoken(tone))) == MEASURED_SECONDS * SAMPLE_RATE
    voice = measure(tone, spoken(tone), everything=False)
    assert voice.cut and voice.measured_seconds == MEASURED_SECONDS
