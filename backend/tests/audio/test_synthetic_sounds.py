"""Synthetic music and noise used as examples without speech."""

from __future__ import annotations

import numpy as np
import pytest

from ser.audio.synthetic_sounds import PEAK, SECONDS, SOUNDS, make_sound
from ser.audio.waveform import SAMPLE_RATE


@pytest.mark.parametrize("kind", SOUNDS)
def test_every_kind_is_audible_and_differs_at_every_draw(kind):
    one, again, other = (make_sound(kind, SAMPLE_RATE, np.random.default_rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert one.shape == (int(SECONDS * SAMPLE_RATE),) and one.dtype == np.float32
    assert np.abs(one).max() == pytest.approx(PEAK) and np.isfinite(one).all()
    assert not np.allclose(one, other)


def test_notes_have_spectral_peaks_and_noise_has_none():
    def peak(kind: str) -> float:
        spectrum = np.abs(np.fft.rfft(make_sound(kind, SAMPLE_RATE, np.random.default_rng(3)))[20:]) ** 2
        return float(spectrum.max() / np.median(spectrum))

    assert peak("music") > 10 * peak("noise")
