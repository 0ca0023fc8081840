"""Property-based tests: resampling, windows, merged timelines, exports, and decoding of arbitrary bytes."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pysubs2
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ser.audio.vad import FRAME_SAMPLES, Speech
from ser.audio.waveform import Waveform, decode, resample
from ser.core.errors import AudioError
from ser.core.labels import EMOTIONS
from ser.core.prediction import Prediction, Segment
from ser.inference.export import FORMATS, to_csv
from ser.inference.postprocess import find_segments
from ser.inference.windowing import Grid, make_windows

settings.register_profile("ser", max_examples=50, deadline=None, derandomize=True, database=None)
settings.load_profile("ser")

RATES = st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
MAGIC = st.sampled_from(
    [
        b"RIFF\xff\xff\xff\xffWAVE",
        b"FORM\0\0\1\0AIFF",
        b"fLaC",
        b"OggS",
        b"ID3",
        b"\x1aE\xdf\xa3",
        b"\xff\xfb",
        b"\xff\xf1",
    ]
    + [b"\0\0\0\x20ftypM4A ", b""]
)


@st.composite
def speeches(draw: st.DrawFn) -> Speech:
    """Speech anywhere in recordings of up to half a minute."""
    active = draw(st.lists(st.booleans(), min_size=1, max_size=900))
    cut = draw(st.integers(0, FRAME_SAMPLES - 1))
    return Speech(np.array(active), len(active) * FRAME_SAMPLES - cut)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Valid window settings."""
    size = draw(st.floats(0.5, 10))
    return Grid(window_seconds=size, hop_seconds=draw(st.floats(0.25, 1)) * size, always=draw(st.booleans()))


@st.composite
def predictions(draw: st.DrawFn) -> Prediction:
    """Predictions with consecutive segments and arbitrary names."""
    edges = sorted(set(draw(st.lists(st.integers(0, 3_600_000), min_size=2, max_size=20))))
    assume(len(edges) > 1)
    emotions = st.sampled_from(EMOTIONS)
    found = [
        Segment(start=a / 1000, end=b / 1000, emotion=draw(emotions), confidence=draw(st.integers(0, 100)))
        for a, b in zip(edges, edges[1:], strict=False)
    ]
    return Prediction(
        file=draw(st.text(min_size=1, max_size=40)),
        state="emotion",
        emotion=found[0].emotion,
        confidence=50.0,
        probabilities={found[0].emotion: 1.0},
        candidates=[],
        model="m",
        duration_seconds=edges[-1] / 1000 + 1,
        speech_seconds=1.0,
        segments=found,
    )


@given(st.integers(1, 5_000), RATES, RATES)
def test_resampling_keeps_the_length_and_stays_finite(size, given_rate, wanted):
    samples = np.sin(np.arange(size) / 7).astype(np.float32)
    found = resample(Waveform(samples, given_rate), wanted)
    assert abs(len(found.samples) - size * wanted / given_rate) <= 1
    assert found.samples.dtype == np.float32 and np.isfinite(found.samples).all()
    assert np.abs(found.samples).max(initial=0) < 2


@given(speeches(), grids())
def test_windows_are_ordered_within_the_recording_and_state_their_speech(speech, grid):
    assume(speech.active.any())
    found = make_windows(speech, grid)
    assert found
    starts = [window.span.start for window in found]
    assert starts == sorted(set(starts))
    for window in found:
        assert 0 <= window.span.start < window.span.stop <= speech.samples
        assert window.speech_seconds == speech.seconds_between(window.span.start, window.span.stop)


@given(speeches(), grids(), st.integers(0, 2**32 - 1))
def test_merged_segments_are_ordered_within_the_recording(speech, grid, seed):
    assume(speech.active.any())
    parts = make_windows(speech, grid)
    shares = np.random.default_rng(seed).dirichlet(np.ones(3), len(parts))
    found = find_segments(shares, parts, ("angry", "happy", "sad"), speech, grid, 0.5)
    for one, following in zip(found, found[1:], strict=False):
        assert one.end <= following.start + 1e-6
    for one in found:
        assert -1e-6 <= one.start < one.end <= speech.samples / 16_000 + 1e-3
        assert one.emotion in ("angry", "happy", "sad") and 0 <= one.confidence <= 100


@given(predictions())
def test_every_prediction_survives_a_json_round_trip(prediction):
    assert Prediction.from_dict(prediction.to_dict()) == prediction


@given(predictions())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_exports_are_readable_by_other_software(prediction):
    prediction = replace(prediction, file="clip.wav")
    cues = pysubs2.SSAFile.from_string(FORMATS["srt"].write(prediction), format_="srt")
    assert [cue.start for cue in cues] == [round(1000 * one.start) for one in prediction.segments]
    assert FORMATS["rttm"].write(prediction).count("\n") == len(prediction.segments)
    assert FORMATS["textgrid"].write(prediction).count("text =") >= len(prediction.segments)


@given(predictions())
def test_a_name_never_breaks_a_row_or_becomes_a_formula(prediction):
    assume("\0" not in prediction.file)
    (row,) = csv.DictReader(io.StringIO(to_csv([prediction]), newline=""))
    assert row["file"].removeprefix("'") == prediction.file.removeprefix("'")
    assert not row["file"].startswith(("=", "+", "-", "@"))


@given(MAGIC, st.binary(max_size=2_000))
@settings(max_examples=200)
def test_any_bytes_are_decoded_or_refused(magic, rest):
    try:
        waveform = decode(magic + rest, 60.0)
    except AudioError as error:
        assert error.code.startswith("audio_") and str(error).endswith(".")
    else:
        assert np.isfinite(waveform.samples).all() and 0.1 <= waveform.seconds <= 60
