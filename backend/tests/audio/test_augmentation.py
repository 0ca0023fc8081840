"""Augmentation: pitch, speed, noise, reverberation, band limits, codecs and clipping."""

from __future__ import annotations

import numpy as np
import pytest

from ser.audio.augmentation import (
    BandLimit,
    Chain,
    Clipping,
    Codec,
    ColouredNoise,
    Gain,
    GaussianNoise,
    PitchShift,
    Room,
    Shift,
    SpeedChange,
    TimeStretch,
)
from ser.audio.waveform import SAMPLE_RATE, decode


def loudest_hertz(samples: np.ndarray) -> float:
    window = np.hanning(len(samples))
    return float(np.abs(np.fft.rfft(samples * window)).argmax() * SAMPLE_RATE / len(samples))


def sine(hertz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)


def test_pitch_shift_keeps_the_length():
    for seed in range(4):
        steps = np.random.default_rng(seed).uniform(-2, 2)
        shifted = PitchShift(2.0)(sine(440), SAMPLE_RATE, np.random.default_rng(seed))
        assert len(shifted) == 2 * SAMPLE_RATE
        assert abs(loudest_hertz(shifted) - 440 * 2 ** (steps / 12)) < 3


def test_speed_changes_length_and_pitch_together():
    for seed in range(4):
        factor = np.random.default_rng(seed).uniform(0.9, 1.1)
        quick = SpeedChange(0.9, 1.1)(sine(440), SAMPLE_RATE, np.random.default_rng(seed))
        assert abs(len(quick) - 2 * SAMPLE_RATE / factor) < 2
        assert abs(loudest_hertz(quick) - 440 * factor) < 1


def test_noise_follows_the_peak_of_the_clip():
    quiet = 0.01 * sine(440)
    for seed in range(4):
        scale = np.random.default_rng(seed).uniform(0, 0.005)
        noise = GaussianNoise(0.005)(quiet, SAMPLE_RATE, np.random.default_rng(seed)) - quiet
        assert abs(noise.std() / 0.01 - scale) < 0.05 * scale
        assert noise.dtype == np.float32


def test_a_chain_draws_for_each_augmentation_in_turn():
    draw = np.random.default_rng(5)
    by_hand = GaussianNoise(0.1)(SpeedChange(0.9, 1.1)(sine(300), SAMPLE_RATE, draw), SAMPLE_RATE, draw)
    chained = Chain((SpeedChange(0.9, 1.1), GaussianNoise(0.1)))(sine(300), SAMPLE_RATE, np.random.default_rng(5))
    np.testing.assert_array_equal(by_hand, chained)


def test_stretching_changes_the_length_and_keeps_the_pitch():
    for seed in range(3):
        factor = np.random.default_rng(seed).uniform(0.9, 1.1)
        stretched = TimeStretch(0.9, 1.1)(sine(440), SAMPLE_RATE, np.random.default_rng(seed))
        assert abs(len(stretched) - 2 * SAMPLE_RATE / factor) < 2
        assert abs(loudest_hertz(stretched) - 440) < 3
        assert stretched.dtype == np.float32


def test_time_shift_moves_every_sample_and_loses_none():
    ramp = np.arange(SAMPLE_RATE, dtype=np.float32)
    moved = {int(Shift(0.2)(ramp, SAMPLE_RATE, np.random.default_rng(seed)).argmin()) for seed in range(20)}
    assert len(moved) > 10 and all(min(by, SAMPLE_RATE - by) <= 0.2 * SAMPLE_RATE for by in moved)
    shifted = Shift(0.2)(ramp, SAMPLE_RATE, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(shifted), ramp)


def test_gain_is_in_decibels():
    for seed in range(4):
        decibel = np.random.default_rng(seed).uniform(-6, 6)
        changed = Gain(6.0)(sine(440), SAMPLE_RATE, np.random.default_rng(seed))
        assert abs(20 * np.log10(np.abs(changed).max()) - decibel) < 1e-3
        assert changed.dtype == np.float32


def ratio_db(samples: np.ndarray, rest: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(samples)) / np.mean(np.square(rest)))


def test_coloured_noise_has_the_requested_ratio_and_falls_with_frequency():
    for seed in range(4):
        noise = ColouredNoise(10, 20)(sine(440), SAMPLE_RATE, np.random.default_rng(seed)) - sine(440)
        assert 9.9 < ratio_db(sine(440), noise) < 20.1
    brown = ColouredNoise(10, 10, steepest=2.0)
    slopes = []
    for seed in range(8):
        noise = brown(sine(440), SAMPLE_RATE, np.random.default_rng(seed)) - sine(440)
        power = np.square(np.abs(np.fft.rfft(noise)))
        slopes.append(ratio_db(np.sqrt(power[200:1000]), np.sqrt(power[8000:])))
    assert min(slopes) > -1 and max(slopes) > 10


def test_reverberation_adds_a_tail_of_the_requested_length():
    click = np.zeros(2 * SAMPLE_RATE, np.float32)
    click[0] = 1
    answer = Room(0.5, 0.5, 0, 0)(click, SAMPLE_RATE, np.random.default_rng(0))
    assert answer[0] == 1 and np.square(answer[1:]).sum() == pytest.approx(1, rel=1e-3)
    early, late = answer[1:1600], answer[4001:5600]  # a quarter of a second apart: 30 dB
    assert ratio_db(early, late) == pytest.approx(30, abs=2)


def test_a_band_limit_keeps_the_middle_and_drops_the_edges():
    for hertz, kept in ((30, False), (1000, True), (7900, False)):
        limited = BandLimit(400, 3000)(sine(hertz), SAMPLE_RATE, np.random.default_rng(3))
        assert (np.std(limited) > 0.5 * np.std(sine(hertz))) == kept
        assert limited.dtype == np.float32


@pytest.mark.parametrize("kind", Codec().kinds, ids=lambda kind: f"{kind[0]}-{kind[2]}")
def test_a_codec_keeps_length_loudness_and_most_of_the_voice(kind, samples):
    clip = 0.3 * decode(samples["happy"]).samples
    coded = Codec((kind,))(clip, SAMPLE_RATE, np.random.default_rng(0))
    assert coded.shape == clip.shape and coded.dtype == np.float32
    assert abs(ratio_db(coded, clip)) < 1.5
    size = 1 << 16
    product = np.fft.irfft(np.fft.rfft(coded, size).conj() * np.fft.rfft(clip, size))
    assert product.max() > 0.7 * np.linalg.norm(coded) * np.linalg.norm(clip)
    assert not np.array_equal(coded, clip)


def test_clipping_affects_peaks_only():
    for seed in range(4):
        cut = Clipping(0.2)(sine(440), SAMPLE_RATE, np.random.default_rng(seed))
        limit = np.abs(cut).max()
        assert 0.2 <= limit <= 1
        np.testing.assert_array_equal(cut, sine(440).clip(-limit, limit))
