"""Exports in every format, read back by another library or checked against the format's rules."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pysubs2
import pytest
from praatio import textgrid

from ser.core.prediction import Prediction, Segment
from ser.inference.export import FORMATS, to_audacity, to_csv, to_rttm, to_srt, to_textgrid, to_webvtt


def segment(start: float, end: float, emotion: str, state: str = "emotion") -> Segment:
    return Segment(start=start, end=end, emotion=emotion, confidence=61.25, state=state)


@pytest.fixture
def prediction() -> Prediction:
    return Prediction(
        file="my clip.wav",
        state="unsure",
        emotion="happy",
        confidence=41.0,
        probabilities={"angry": 0.2, "happy": 0.41, "sad": 0.39},
        candidates=["happy", "sad"],
        model="cnn1d",
        duration_seconds=3725.5,
        speech_seconds=20.0,
        segments=[
            segment(0.4, 2.5, "happy"),
            segment(2.5, 61.0005, "sad", "unsure"),
            segment(3600.25, 3725.4994, "angry"),
        ],
        warnings=["It is loud; too loud."],
    )


TEXTS = ["happy 61 %", "unsure: sad 61 %", "angry 61 %"]


def random_predictions(count: int) -> list[Prediction]:
    draw = np.random.default_rng(0)
    found = []
    for _ in range(count):
        edges = np.sort(draw.uniform(0, draw.choice([1, 60, 7200]), 2 * int(draw.integers(0, 8)))).round(3)
        pairs = [(a, b) for a, b in edges.reshape(-1, 2).tolist() if b > a]
        parts = [segment(a, b, str(draw.choice(["angry", "happy"]))) for a, b in pairs]
        end = float(edges[-1]) + draw.uniform(0, 2) if len(edges) else 1.0
        probabilities = {"angry": 0.5, "happy": 0.5}
        found.append(
            Prediction(
                file="a.wav",
                state="emotion",
                emotion="angry",
                confidence=50.0,
                probabilities=probabilities,
                candidates=[],
                model="m",
                duration_seconds=round(end, 3),
                speech_seconds=1.0,
                segments=parts,
            )
        )
    return found


def test_csv_is_read_back(prediction):
    silent = replace(
        prediction, state="no_speech", emotion=None, confidence=None, probabilities={}, candidates=[], segments=[]
    )
    rows = list(csv.DictReader(io.StringIO(to_csv([prediction, silent]))))
    assert rows[0]["file"] == "my clip.wav" and float(rows[0]["probability_happy"]) == 0.41
    assert rows[0]["candidates"] == "happy;sad" and rows[0]["probability_calm"] == ""
    assert (rows[1]["state"], rows[1]["emotion"], rows[1]["confidence"]) == ("no_speech", "", "")


def test_a_file_name_never_becomes_a_formula(prediction):
    (row,) = csv.DictReader(io.StringIO(to_csv([replace(prediction, file='=HYPERLINK("x"),\n"y".wav')])))
    assert row["file"] == '\'=HYPERLINK("x"),\n"y".wav'


def test_audacity_labels_are_read_back(prediction):
    rows = [line.split("\t") for line in to_audacity(prediction).splitlines()]
    assert [(float(start), float(end)) for start, end, _ in rows] == [
        (one.start, one.end) for one in prediction.segments
    ]
    assert [text for _, _, text in rows] == TEXTS


MARKS = [(3726.0, "after the end"), (2.5, "z last"), (0.0, 'the "start"'), (2.5000001, "at the same time")]


def test_marks_are_audacity_labels_of_zero_length(prediction):
    rows = [line.split("\t") for line in to_audacity(prediction, MARKS).splitlines()]
    assert [(start, end, text) for start, end, text in rows if start == end] == [
        ("0.000000", "0.000000", 'the "start"'),
        ("2.500000", "2.500000", "z last"),
        ("2.500000", "2.500000", "at the same time"),
        ("3726.000000", "3726.000000", "after the end"),
    ]
    starts = [float(start) for start, _, _ in rows]
    assert len(rows) == len(TEXTS) + len(MARKS) and starts == sorted(starts)


def test_marks_are_a_point_tier_that_praatio_reads(prediction, tmp_path):
    file = tmp_path / "marked.TextGrid"
    file.write_text(to_textgrid(prediction, MARKS), encoding="utf-8")
    found = textgrid.openTextgrid(str(file), includeEmptyIntervals=False)
    assert found.tierNames == ("emotion", "marks") and found.maxTimestamp == 3726
    points = [(point.time, point.label.replace('""', '"')) for point in found.getTier("marks").entries]
    assert points == [(0.0, 'the "start"'), (2.5, "z last; at the same time"), (3726.0, "after the end")]
    assert [entry.label for entry in found.getTier("emotion").entries] == TEXTS
    assert to_textgrid(prediction) == to_textgrid(prediction, [])


@pytest.mark.parametrize("form", ["csv", "webvtt", "srt", "rttm"])
def test_formats_without_marks_ignore_them(prediction, form):
    assert FORMATS[form].write(prediction, MARKS) == FORMATS[form].write(prediction)


@pytest.mark.parametrize(("write", "form"), [(to_srt, "srt"), (to_webvtt, "vtt")])
def test_subtitles_are_read_by_pysubs2(prediction, write, form):
    found = pysubs2.SSAFile.from_string(write(prediction), format_=form)
    assert [event.text for event in found] == TEXTS
    for event, one in zip(found, prediction.segments, strict=True):
        assert (event.start, event.end) == (round(1000 * one.start), round(1000 * one.end))


def test_a_textgrid_is_read_by_praatio_and_covers_the_recording(prediction, tmp_path):
    for number, one in enumerate([prediction, *random_predictions(50)]):
        file = tmp_path / f"{number}.TextGrid"
        file.write_text(to_textgrid(one), encoding="utf-8")
        found = textgrid.openTextgrid(str(file), includeEmptyIntervals=True)
        entries = found.getTier("emotion").entries
        assert (found.minTimestamp, found.maxTimestamp) == pytest.approx((0, one.duration_seconds), abs=1e-5)
        assert entries[0].start == 0 and entries[-1].end == pytest.approx(one.duration_seconds, abs=1e-5)
        for before, after in zip(entries, entries[1:], strict=False):
            assert before.end == after.start
        spoken = [entry for entry in entries if entry.label]
        assert [entry.start for entry in spoken] == pytest.approx([part.start for part in one.segments], abs=1e-5)


def test_rttm_has_ten_fields_and_correct_times(prediction):
    for line, one in zip(to_rttm(prediction).splitlines(), prediction.segments, strict=True):
        fields = line.split(" ")
        assert len(fields) == 10 and fields[:3] == ["SPEAKER", "my_clip.wav", "1"]
        assert float(fields[3]) == pytest.approx(one.start, abs=6e-4)
        assert float(fields[3]) + float(fields[4]) == pytest.approx(one.end, abs=2e-3)
        assert fields[7] == one.emotion and float(fields[8]) == pytest.approx(0.6125)


@pytest.mark.parametrize("form", FORMATS)
def test_no_speech_is_a_valid_empty_file(prediction, form):
    silent = replace(
        prediction, state="no_speech", emotion=None, confidence=None, probabilities={}, candidates=[], segments=[]
    )
    assert "happy" not in FORMATS[form].write(silent).replace("probability_happy", "")


def test_the_command_line_writes_files(samples, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from ser.cli import app

    monkeypatch.setenv("SER_MODEL", "cnn1d")
    run = CliRunner()
    one = run.invoke(app, ["predict", str(samples["sad"]), "--format", "srt"])
    assert one.exit_code == 0 and len(pysubs2.SSAFile.from_string(one.stdout, format_="srt")) == 1
    several = ["predict", *map(str, samples.values()), str(samples["sad"]), "--format", "textgrid"]
    assert "name a folder" in str(run.invoke(app, several).exception)
    assert run.invoke(app, [*several, "--out", str(tmp_path / "labels")]).exit_code == 0
    names = {"angry.TextGrid", "happy.TextGrid", "sad.TextGrid", "sad-2.TextGrid"}
    assert {path.name for path in (tmp_path / "labels").iterdir()} == names
    table = tmp_path / "all.csv"
    assert (
        run.invoke(app, ["predict", str(Path(samples["sad"]).parent), "--format", "csv", "--out", str(table)]).exit_code
        == 0
    )
    assert len(list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))) == 3
