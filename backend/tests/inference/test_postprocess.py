"""Post-processing of window predictions: pooling, smoothing, segments, transitions and timelines."""

from __future__ import annotations

import numpy as np
import pytest

from ser.audio.waveform import SAMPLE_RATE
from ser.core.prediction import Segment
from ser.inference.postprocess import (
    dominant_emotion,
    find_segments,
    find_transitions,
    make_timeline,
    pool_windows,
    smooth,
)
from ser.inference.windowing import DEFAULT_GRID, Window, make_grid, make_windows
from tests.inference.speech import speech_at

GRID = DEFAULT_GRID
LABELS = ("angry", "sad")


def test_pooling_weights_windows_by_speech():
    parts = [Window(slice(0, 1), 3.0), Window(slice(1, 2), 1.0)]
    assert pool_windows(np.array([[1.0, 0.0], [0.0, 1.0]]), parts).tolist() == [0.75, 0.25]


def test_one_window_is_one_segment_over_the_speech():
    speech = speech_at(4.0, [(1.0, 3.0)])
    (found,) = find_segments(np.array([[0.1, 0.9]]), make_windows(speech), LABELS, speech, GRID, 0.5)
    assert found.emotion == "sad" and found.confidence == 90.0 and found.state == "emotion"
    assert found.start == pytest.approx(1.0, abs=0.05) and found.end == pytest.approx(3.0, abs=0.05)


def test_neighbouring_windows_with_the_same_emotion_are_merged():
    speech = speech_at(14.0, [(0, 14)])
    parts = make_windows(speech)
    rows = np.array([[0.8, 0.2]] * 5 + [[0.3, 0.7]] * (len(parts) - 5))
    found = find_segments(rows, parts, LABELS, speech, GRID, 0.75)
    assert [one.emotion for one in found] == ["angry", "sad"]
    assert [one.state for one in found] == ["emotion", "unsure"]
    assert found[0].start == 0 and found[0].end == found[1].start == 6.0
    assert found[1].end == pytest.approx(14.0, abs=0.05)
    assert found[0].confidence == pytest.approx(80) and found[1].confidence == pytest.approx(70)


def test_segments_cover_speech_only_and_are_split_at_long_pauses():
    speech = speech_at(30.0, [(0, 5), (7, 9), (9.5, 12), (20, 28)])
    parts = make_windows(speech)
    found = find_segments(np.array([[0.8, 0.2]] * len(parts)), parts, LABELS, speech, GRID, 0.5)
    spans = [(one.start, one.end) for one in found]
    assert np.array(spans) == pytest.approx(np.array([(0, 5), (7, 12), (20, 28)]), abs=0.06)


def test_segments_never_overlap_whatever_the_windows():
    draw = np.random.default_rng(0)
    for _ in range(200):
        edges = np.sort(draw.uniform(0, 40, 8)).reshape(4, 2)
        speech = speech_at(40.0, edges.tolist())
        grid = make_grid(float(draw.choice([1, 2, 3, 5.5])), float(draw.choice([0.25, 0.5, 1])))
        parts = make_windows(speech, grid)
        rows = draw.dirichlet([0.3, 0.3], len(parts))
        found = find_segments(smooth(rows, parts, grid), parts, LABELS, speech, grid, 0.5)
        for before, after in zip(found, found[1:], strict=False):
            assert before.start < before.end <= after.start + 1e-9
        spoken = speech.seconds
        assert sum(speech.seconds_between(int(16e3 * s.start), int(16e3 * s.end)) for s in found) <= spoken + 1e-6


def test_smoothing_uses_direct_neighbours_only():
    speech = speech_at(30.0, [(0, 6), (20, 30)])
    parts = make_windows(speech)
    rows = np.tile([1.0, 0.0], (len(parts), 1))
    rows[2] = [0.0, 1.0]
    smoothed = smooth(rows, parts, GRID)
    assert smoothed.sum(axis=1) == pytest.approx(1)
    assert smoothed[1:4, 1].tolist() == [0.25, 0.5, 0.25] and smoothed[:, 1].sum() == 1.0
    gap = next(i for i, part in enumerate(parts) if part.span.start >= 15 * SAMPLE_RATE)
    rows[:] = [1.0, 0.0]
    rows[gap - 1] = [0.0, 1.0]
    assert smooth(rows, parts, GRID)[gap, 1] == 0


def segment(start: float, end: float, emotion: str, state: str = "emotion") -> Segment:
    return Segment(start=start, end=end, emotion=emotion, confidence=60.0, state=state)


def test_transitions_join_certain_segments_and_the_dominant_emotion_has_most_speech():
    found = [
        segment(0, 3, "angry"),
        segment(3, 4, "sad", "unsure"),
        segment(4, 5, "angry"),
        segment(6, 11, "sad"),
    ]
    (change,) = find_transitions(found)
    assert (change.at, change.before, change.after) == (6, "angry", "sad")
    assert dominant_emotion(found) == "sad"
    assert dominant_emotion([]) is None and find_transitions([]) == []


def test_a_window_next_to_a_gap_extends_to_the_gap():
    speech = speech_at(30.0, [(0, 30)])
    kept = [part for part in make_windows(speech) if not 5 < part.span.start / SAMPLE_RATE < 20]
    found = find_segments(np.array([[0.8, 0.2]] * len(kept)), kept, LABELS, speech, GRID, 0.5)
    assert [(one.start, one.end) for one in found] == [(0.0, 8.0), (20.0, pytest.approx(30.0, abs=0.04))]


def test_overlapping_windows_next_to_a_gap_meet_in_the_middle():
    speech = speech_at(30.0, [(0, 30)])
    kept = [part for part in make_windows(speech) if part.span.start != 6 * SAMPLE_RATE]
    rows = np.array([[0.8, 0.2] if part.span.start < 6 * SAMPLE_RATE else [0.2, 0.8] for part in kept])
    found = find_segments(rows, kept, LABELS, speech, GRID, 0.5)
    assert [one.emotion for one in found] == ["angry", "sad"]
    assert found[0].end == found[1].start == 7.5  # 5 to 8 s and 7 to 10 s


def test_a_timeline_has_the_times_of_its_windows():
    asked = make_grid(2.0, 0.5)
    parts = make_windows(speech_at(6.0, [(0, 6)]), asked)
    timeline = make_timeline(np.full((9, 2), 0.5), parts, LABELS, asked)
    assert (timeline.window_seconds, timeline.hop_seconds, timeline.end[-1]) == (2.0, 0.5, 6.0)
    assert timeline.probabilities == {"angry": [0.5] * 9, "sad": [0.5] * 9}
