"""Voice activity detection and the speech segments derived from it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ser.audio.vad import FRAME_SAMPLES, Speech, _reach, find_speech
from ser.audio.waveform import SAMPLE_RATE, decode


def test_speech_is_found_and_quiet_is_not(samples):
    clip = decode(samples["angry"]).samples
    quiet = np.zeros(2 * SAMPLE_RATE, np.float32)
    speech = find_speech(np.concatenate([quiet, clip, quiet]))
    start, end = speech.segments()[0][0], speech.segments()[-1][1]
    assert 1.8 < start < 3.0
    assert 3.0 < end < 2 + len(clip) / SAMPLE_RATE + 0.3
    assert 0.5 < speech.seconds < len(clip) / SAMPLE_RATE + 0.3


@pytest.mark.parametrize("kind", ["silence", "white noise", "hum", "click"])
def test_no_speech_is_found_in_other_sounds(kind):
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
    """Builds speech from one character per 32 ms frame; '#' is speech."""
    return Speech(np.array([mark == "#" for mark in pattern]), len(pattern) * FRAME_SAMPLES)


def test_short_pauses_do_not_split_a_segment():
    assert len(speech_of("##...##").segments()) == 1
    assert len(speech_of("##" + "." * 12 + "##").segments()) == 2


def test_seconds_between_counts_overlap():
    speech = speech_of(".#..")
    assert speech.seconds == pytest.approx(0.032)
    assert speech.seconds_between(FRAME_SAMPLES + 256, 10 * FRAME_SAMPLES) == pytest.approx(0.016)
    assert speech.seconds_between(0, FRAME_SAMPLES) == 0


def test_likely_speech_counts_only_next_to_certain_speech():
    active = np.array([False, False, True, False, False, False])
    likely = np.array([True, True, True, False, True, True])
    np.testing.assert_array_equal(_reach(active, likely), [True, True, True, False, False, False])
    speech = Speech(active, 6 * FRAME_SAMPLES, _reach(active, likely))
    assert speech.seconds == pytest.approx(0.096) and speech.segments() == [(0.0, pytest.approx(0.096))]
    assert speech.span(margins=(0, 0)) == slice(2 * FRAME_SAMPLES, 3 * FRAME_SAMPLES)


def test_a_shouted_sentence_is_detected_completely(samples):
    speech = find_speech(decode(samples["angry"]).samples)
    assert 0.7 < speech.seconds < 1.6 and speech.active.sum() < speech.reach.sum()


def test_a_recording_is_cut_to_its_speech():
    speech = speech_of("." * 50 + "##....#" + "." * 50)
    margin = SAMPLE_RATE // 4
    assert speech.span() == slice(50 * FRAME_SAMPLES - margin, 57 * FRAME_SAMPLES + margin)
    assert speech.span(margins=(0, 0.032)) == slice(50 * FRAME_SAMPLES, 58 * FRAME_SAMPLES)


def test_the_cut_stays_inside_the_recording_and_the_requested_part():
    speech = speech_of("##" + "." * 60 + "##")
    assert speech.span(0, 40 * FRAME_SAMPLES) == slice(0, 2 * FRAME_SAMPLES + SAMPLE_RATE // 4)
    assert speech.span(60 * FRAME_SAMPLES) == slice(60 * FRAME_SAMPLES, 64 * FRAME_SAMPLES)
    assert speech.span(10 * FRAME_SAMPLES, 20 * FRAME_SAMPLES) == slice(10 * FRAME_SAMPLES, 20 * FRAME_SAMPLES)


@pytest.mark.parametrize("gain", [0.001, 0.25, 4.0])
def test_detection_does_not_depend_on_loudness(samples, gain):
    for path in samples.values():
        clip = decode(path).samples
        np.testing.assert_array_equal(find_speech(clip).active, find_speech(np.float32(gain) * clip).active)
