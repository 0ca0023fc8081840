from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ser.audio import SAMPLE_RATE, decode
from ser.speech import FRAME_SAMPLES, Speech, find_speech


def test_speech_is_found_and_quiet_is_not(samples):
    clip = decode(samples["angry"]).samples
    quiet = np.zeros(2 * SAMPLE_RATE, np.float32)
    speech = find_speech(np.concatenate([quiet, clip, quiet]))
    start, end = speech.segments()[0][0], speech.segments()[-1][1]
    assert 1.8 < start < 3.0
    assert 3.0 < end < 2 + len(clip) / SAMPLE_RATE + 0.3
    assert 0.5 < speech.seconds < len(clip) / SAMPLE_RATE + 0.3


@pytest.mark.parametrize("kind", ["silence", "white noise", "hum", "click"])
def test_what_is_no_speech_has_none(kind):
    draw = np.random.default_rng(0)
    size = 3 * SAMPLE_RATE
    sounds = {
        "silence": np.zeros(size),
        "white noise": 0.1 * draw.standard_normal(size),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * np.arange(size) / SAMPLE_RATE),
        "click": np.eye(1, size, size // 2)[0],
    }
    speech = find_speech(sounds[kind].astype(np.float32))
    assert not speech.active.any()
    assert speech.segments() == []
    assert speech.seconds == 0


def test_threads_do_not_share_a_detector(samples):
    clips = [decode(path).samples for path in samples.values()] * 4
    alone = [find_speech(clip).active for clip in clips]
    with ThreadPoolExecutor(4) as pool:
        together = [speech.active for speech in pool.map(find_speech, clips)]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def speech_of(pattern: str) -> Speech:
    """One character per 32 ms frame: '#' is speech."""
    return Speech(np.array([mark == "#" for mark in pattern]), len(pattern) * FRAME_SAMPLES)


def test_short_pauses_do_not_split_a_segment():
    assert len(speech_of("##...##").segments()) == 1
    assert len(speech_of("##" + "." * 12 + "##").segments()) == 2


def test_seconds_between_counts_overlap():
    speech = speech_of(".#..")
    assert speech.seconds == pytest.approx(0.032)
    assert speech.seconds_between(FRAME_SAMPLES + 256, 10 * FRAME_SAMPLES) == pytest.approx(0.016)
    assert speech.seconds_between(0, FRAME_SAMPLES) == 0


def test_sparse_speech_is_cut_out_and_dense_speech_is_not():
    dense, sparse = speech_of("####..##"), speech_of("." * 50 + "##" + "." * 50)
    assert dense.span() == slice(0, dense.samples)
    margin = SAMPLE_RATE // 4
    assert sparse.span() == slice(50 * FRAME_SAMPLES - margin, 52 * FRAME_SAMPLES + margin)


def test_the_cut_stays_inside_the_recording():
    speech = speech_of("##" + "." * 60)
    assert speech.span() == slice(0, 2 * FRAME_SAMPLES + SAMPLE_RATE // 4)
