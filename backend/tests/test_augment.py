from __future__ import annotations

import numpy as np

from ser.audio import SAMPLE_RATE
from ser.augment import Chain, Gain, GaussianNoise, PitchShift, Shift, SpeedChange, TimeStretch


def loudest_hertz(samples: np.ndarray) -> float:
    window = np.hanning(len(samples))
    return float(np.abs(np.fft.rfft(samples * window)).argmax() * SAMPLE_RATE / len(samples))


def sine(hertz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)


def test_pitch_moves_and_length_stays():
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


def test_a_chain_draws_for_each_change_in_turn():
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


def test_a_shift_moves_every_sample_and_loses_none():
    ramp = np.arange(SAMPLE_RATE, dtype=np.float32)
    moved = {int(Shift(0.2)(ramp, SAMPLE_RATE, np.random.default_rng(seed)).argmin()) for seed in range(20)}
    assert len(moved) > 10 and all(min(by, SAMPLE_RATE - by) <= 0.2 * SAMPLE_RATE for by in moved)
    shifted = Shift(0.2)(ramp, SAMPLE_RATE, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(shifted), ramp)


def test_gain_is_in_decibel():
    for seed in range(4):
        decibel = np.random.default_rng(seed).uniform(-6, 6)
        changed = Gain(6.0)(sine(440), SAMPLE_RATE, np.random.default_rng(seed))
        assert abs(20 * np.log10(np.abs(changed).max()) - decibel) < 1e-3
        assert changed.dtype == np.float32
