from __future__ import annotations

import numpy as np
import pytest

from ser.audio import SAMPLE_RATE
from ser.speech import FRAME_SAMPLES, Speech
from ser.timeline import Window, pool, segments, windows


def speech(seconds: float, spoken: list[tuple[float, float]]) -> Speech:
    frames = int(seconds * SAMPLE_RATE) // FRAME_SAMPLES
    middle = (np.arange(frames) + 0.5) * FRAME_SAMPLES / SAMPLE_RATE
    active = np.zeros(frames, bool)
    for start, end in spoken:
        active |= (middle > start) & (middle < end)
    return Speech(active, int(seconds * SAMPLE_RATE))


def test_a_short_recording_is_one_window():
    parts = windows(speech(10.0, [(0, 10)]))
    assert [part.span for part in parts] == [slice(0, 10 * SAMPLE_RATE)]


def test_a_long_recording_is_windows_of_3_s_every_second_to_its_end():
    parts = windows(speech(12.5, [(0, 12.5)]))
    starts = [part.span.start / SAMPLE_RATE for part in parts]
    assert starts == list(range(10))
    assert {part.span.stop - part.span.start for part in parts[:-1]} == {3 * SAMPLE_RATE}
    assert parts[-1].span.stop == int(12.5 * SAMPLE_RATE)


def test_windows_without_speech_have_no_answer():
    parts = windows(speech(20.0, [(0, 4)]))
    assert max(part.span.start for part in parts) <= 4 * SAMPLE_RATE
    assert len(windows(speech(20.0, [(5.0, 5.1)]))) == 1


def test_pooling_weighs_by_speech():
    parts = [Window(slice(0, 1), 3.0), Window(slice(1, 2), 1.0)]
    assert pool(np.array([[1.0, 0.0], [0.0, 1.0]]), parts).tolist() == [0.75, 0.25]


def test_one_window_is_one_segment_over_the_speech():
    heard = speech(4.0, [(1.0, 3.0)])
    found = segments(np.array([[0.1, 0.9]]), windows(heard), ("angry", "sad"), heard)
    assert len(found) == 1
    assert found[0].emotion == "sad" and found[0].confidence == 90.0
    assert found[0].start == pytest.approx(1.0, abs=0.05) and found[0].end == pytest.approx(3.0, abs=0.05)


def test_neighbouring_windows_with_one_answer_are_joined_and_cover_the_recording():
    heard = speech(14.0, [(0, 14)])
    parts = windows(heard)
    rows = np.array([[0.8, 0.2]] * 5 + [[0.3, 0.7]] * (len(parts) - 5))
    found = segments(rows, parts, ("angry", "sad"), heard)
    assert [one.emotion for one in found] == ["angry", "sad"]
    assert found[0].start == 0 and found[0].end == found[1].start and found[1].end == 14.0
    assert found[0].confidence == pytest.approx(80) and found[1].confidence == pytest.approx(70)


def test_a_pause_splits_a_segment():
    heard = speech(30.0, [(0, 5), (20, 30)])
    parts = windows(heard)
    found = segments(np.array([[0.8, 0.2]] * len(parts)), parts, ("angry", "sad"), heard)
    assert len(found) == 2
    assert found[0].end < found[1].start
