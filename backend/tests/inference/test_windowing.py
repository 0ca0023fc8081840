"""Splitting of recordings into analysis windows."""

from __future__ import annotations

import re

import pytest

from ser.audio.waveform import SAMPLE_RATE
from ser.core.errors import AudioError, SettingsError
from ser.inference.windowing import check_work, make_grid, make_windows
from tests.inference.speech import speech_at


def test_a_short_recording_is_one_window():
    parts = make_windows(speech_at(10.0, [(0, 10)]))
    assert [part.span for part in parts] == [slice(0, 10 * SAMPLE_RATE)]


def test_a_long_recording_has_3_s_windows_every_second_to_its_end():
    parts = make_windows(speech_at(12.5, [(0, 12.5)]))
    starts = [part.span.start / SAMPLE_RATE for part in parts]
    assert starts == list(range(10))
    assert {part.span.stop - part.span.start for part in parts[:-1]} == {3 * SAMPLE_RATE}
    assert parts[-1].span.stop == int(12.5 * SAMPLE_RATE)


def test_windows_without_speech_are_skipped():
    parts = make_windows(speech_at(20.0, [(0, 4)]))
    assert max(part.span.start for part in parts) <= 4 * SAMPLE_RATE
    assert len(make_windows(speech_at(20.0, [(5.0, 5.1)]))) == 1


def test_window_settings_can_be_chosen():
    speech = speech_at(6.0, [(0, 6)])
    assert len(make_windows(speech)) == 1
    asked = make_grid(2.0, 0.5)
    parts = make_windows(speech, asked)
    assert [part.span.start / SAMPLE_RATE for part in parts] == [0.5 * n for n in range(9)]
    assert make_grid(0.7, None).hop_seconds == 0.7
    for window, hop in ((0.2, None), (60, None), (3, 4), (3, 0), (float("nan"), None)):
        with pytest.raises(SettingsError, match="expected"):
            make_grid(window, hop)


def test_the_total_audio_of_all_windows_is_bounded():
    for seconds in (2.0, 10.5, 600.0, 1799.99, 1800.0):
        check_work(make_grid(None, None), seconds, 1800.0)
    check_work(make_grid(30, 0.1), 35.0, 1800.0)
    check_work(make_grid(30, 0.1), 20.0, 5.0)
    for window, hop, longest in ((30, 0.1, 1800.0), (3, 0.9, 1800.0), (0.5, 0.1, 60.0), (30, 0.1, 31.0)):
        with pytest.raises(AudioError, match="at most .* Use a hop of") as caught:
            check_work(make_grid(window, hop), longest, longest)
        allowed = float(re.search(r"hop of ([\d.]+) s", str(caught.value))[1])
        check_work(make_grid(window, allowed), longest, longest)
        assert caught.value.code == "value_invalid" and hop < allowed <= window
