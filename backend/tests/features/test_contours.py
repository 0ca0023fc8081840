"""Contours over time (pitch, loudness, brightness, onset rate) of sounds with a known course."""

from __future__ import annotations

import numpy as np
import pytest

from ser.audio.vad import FRAME_SAMPLES, Speech, find_speech
from ser.audio.waveform import SAMPLE_RATE, decode
from ser.features.contours import MAX_VALUES, Curve, follow
from ser.features.voice_report import measure


def spoken(samples: np.ndarray, start: float = 0.0, end: float = np.inf) -> Speech:
    begins = np.arange(-(-len(samples) // FRAME_SAMPLES)) * FRAME_SAMPLES / SAMPLE_RATE
    return Speech((begins >= start) & (begins < end), len(samples))


def sine(hertz: float, seconds: float, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(
        np.float32
    )


def curves(samples: np.ndarray, speech: Speech | None = None) -> dict[str, Curve]:
    return {curve.name: curve for curve in follow(samples, speech or spoken(samples))}


def values(curve: Curve, start: float, end: float) -> np.ndarray:
    pairs = zip(curve.times, curve.values, strict=True)
    return np.array([np.nan if value is None else value for at, value in pairs if start <= at <= end])


def test_pitch_loudness_and_brightness_follow_the_sound():
    found = curves(np.concatenate([sine(110, 2), sine(220, 2, 0.05)]))
    assert {name: curve.unit for name, curve in found.items()} == {
        "pitch": "Hz",
        "loudness": "dBFS",
        "brightness": "Hz",
        "onset_rate": "1/s",
    }
    for start, hertz, level in ((0.2, 110, -9.03), (2.2, 220, -29.03)):
        np.testing.assert_allclose(values(found["pitch"], start, start + 1.6), hertz, rtol=0.01)
        np.testing.assert_allclose(values(found["brightness"], start, start + 1.6), hertz, rtol=0.05)
        np.testing.assert_allclose(values(found["loudness"], start, start + 1.6), level, atol=0.1)


def test_at_most_20_values_per_second_and_5000_in_total():
    for seconds in (0.1, 1.0, 7.77, 300.0):
        samples = sine(200, seconds)
        for curve in follow(samples, spoken(samples)):
            assert len(curve.times) == len(curve.values) <= min(MAX_VALUES, 20 * seconds + 1)
            assert curve.times[0] > 0 and curve.times[-1] < seconds
            if len(curve.times) > 1:
                assert np.diff(curve.times).min() > 0.0489


def test_block_boundaries_leave_no_trace():
    samples = sine(200, 70.0)
    found = curves(samples)
    for name, tolerance in (("pitch", 0.5), ("loudness", 0.1), ("brightness", 5.0)):
        inside = values(found[name], 0.2, 69.8)
        assert np.nanmax(np.abs(inside - np.median(inside))) < tolerance, name


def test_outside_speech_only_loudness_is_given():
    noise = 0.1 * np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE).astype(np.float32)
    samples = np.concatenate([sine(100, 2), sine(200, 2), noise])
    found = curves(samples, spoken(samples, 2.0, 4.0))
    for name in ("pitch", "brightness", "onset_rate"):
        assert np.isnan(values(found[name], 0, 1.8)).all() and np.isnan(values(found[name], 4.2, 6)).all()
    assert not np.isnan(values(found["pitch"], 2.2, 3.8)).any()
    assert not np.isnan(values(found["loudness"], 0, 6)).any()


def test_recordings_without_speech_and_silence_are_handled():
    for samples in (np.zeros(SAMPLE_RATE, np.float32), np.zeros(1600, np.float32)):
        found = curves(samples, spoken(samples, end=0.0))
        assert set(found["pitch"].values) == set(found["onset_rate"].values) == {None}
        assert set(found["loudness"].values) == {-120.0}


def test_the_onset_rate_follows_the_sound():
    time = np.arange(12 * SAMPLE_RATE) / SAMPLE_RATE
    gap = np.where(time < 6, 0.5, 0.25)  # two, then four bursts per second
    bursts = (np.sin(2 * np.pi * 300 * time) * np.exp(-20 * (time % gap))).astype(np.float32)
    rate = curves(bursts)["onset_rate"]
    assert np.mean(values(rate, 1.5, 4.4)) == pytest.approx(2, abs=0.3)
    assert np.mean(values(rate, 7.6, 10.5)) == pytest.approx(4, abs=0.4)


def test_contours_and_descriptors_agree(samples):
    clip = decode(samples["sad"]).samples
    speech = find_speech(clip)
    descriptors = {one.name: one.value for one in measure(clip, speech, everything=False).descriptors}
    found = curves(clip, speech)
    for name, tolerance in (("pitch", 0.1), ("brightness", 0.1), ("onset_rate", 0.3)):
        assert np.nanmean(values(found[name], 0, 60)) == pytest.approx(descriptors[name], rel=tolerance), name
