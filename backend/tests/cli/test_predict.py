"""The ``predict``, ``features`` and ``plot`` commands."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from ser.core.resume_log import ResumeLog
from ser.core.settings import PROJECT
from tests.tools.command_line import ser


def test_text_names_the_emotion_and_json_is_the_prediction(samples):
    text = ser("predict", samples["angry"])
    assert text.returncode == 0 and b"%" in text.stdout and text.stderr == b""
    one = json.loads(ser("predict", samples["angry"], "--format", "json").stdout)
    assert one["model"] == "cnn1d" and one["file"].endswith("angry.wav")
    assert one["emotion"].encode() in text.stdout


def test_files_folders_and_stdin_can_be_mixed(samples, tmp_path):
    done = ser(
        "predict", samples["sad"], samples["sad"].parent, "-", "--format", "jsonl", stdin=samples["sad"].read_bytes()
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(row["file"]).name for row in rows] == ["sad.wav", "angry.wav", "happy.wav", "sad.wav", "-"]
    assert rows[0]["probabilities"] == rows[3]["probabilities"] == rows[4]["probabilities"]
    many = json.loads(ser("predict", samples["sad"].parent, "--format", "json").stdout)
    assert len(many) == 3


def test_exit_code_is_1_for_some_failures_and_3_for_all_with_a_clean_stdout(samples, tmp_path):
    bad = tmp_path / "text.wav"
    bad.write_text("not audio", encoding="utf-8")
    mixed = ser("predict", bad, samples["happy"], "--format", "jsonl")
    assert mixed.returncode == 1 and len(mixed.stdout.splitlines()) == 1
    assert b"text.wav" in mixed.stderr and b"Traceback" not in mixed.stderr
    alone = ser("predict", bad)
    assert alone.returncode == 3 and alone.stdout == b""
    assert ser("predict", tmp_path / "nowhere.wav").returncode == 3
    (tmp_path / "empty").mkdir()
    assert b"contains no recording" in ser("predict", tmp_path / "empty").stderr
    assert ser("predict", tmp_path / "nowhere.wav", samples["happy"]).returncode == 1
    assert ser("predict", "-", stdin=b"").returncode == 3


def test_a_checkpoint_can_be_given_by_path(samples):
    by_name = ser("predict", samples["sad"], "--format", "json")
    by_path = ser("predict", samples["sad"], "--format", "json", "--model", PROJECT / "weights" / "cnn1d")
    assert json.loads(by_name.stdout) == json.loads(by_path.stdout)


def test_features_are_printed_with_unit_and_description(samples):
    done = ser("features", samples["happy"])
    text = done.stdout.decode()
    assert done.returncode == 0 and done.stderr == b""
    assert re.search(r"pitch +\d+\.\d Hz +Average pitch", text) and "dBFS" in text and "semitones" in text
    assert "mfcc_03_std" not in text and "mfcc_03_std" in ser("features", samples["happy"], "--all").stdout.decode()


def test_features_as_json_include_every_statistic(samples):
    found = json.loads(ser("features", "-", "--format", "json", stdin=samples["happy"].read_bytes()).stdout)
    assert found["file"] == "-" and found["state"] == "speech" and len(found["statistics"]) == 254
    assert all(set(one) == {"name", "value", "unit", "meaning"} for one in found["descriptors"])
    assert {"pitch", "loudness", "onset_rate", "brightness"} <= {one["name"] for one in found["descriptors"]}


def test_features_without_speech_say_so(tmp_path, encode):
    file = tmp_path / "hiss.wav"
    file.write_bytes(encode(0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000))
    text = ser("features", file)
    assert text.returncode == 0 and b"no speech" in text.stdout and b"pitch" not in text.stdout
    found = json.loads(ser("features", file, "--format", "json").stdout)
    assert found["state"] == "no_speech" and found["statistics"] == {}
    assert {one["value"] for one in found["descriptors"] if one["name"] == "pitch"} == {None}


def test_a_recording_is_plotted(samples, tmp_path):
    done = ser("plot", samples["sad"], "-o", tmp_path / "made" / "sad.png")
    assert done.returncode == 0 and done.stdout == b"" and b"sad.png" in done.stderr
    picture = matplotlib.image.imread(tmp_path / "made" / "sad.png")
    assert picture.shape[0] > 800 and picture.shape[1] > 800
    assert (picture[..., :3].std(axis=(0, 1)) > 0.05).all()


def test_failures_to_measure_or_plot_give_a_one_line_error(samples, tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("not audio", encoding="utf-8")
    there, nowhere, out = samples["sad"], tmp_path / "nowhere.wav", tmp_path / "out.png"
    cases = [(["features", text], 3), (["plot", nowhere, "-o", out], 3), (["plot", there, "-o", text / "x.png"], 2)]
    cases += [(["plot", there, "-o", tmp_path], 2), (["plot", there, "-o", out, "--model", "nonsense"], 4)]
    for arguments, exit_code in cases:
        done = ser(*arguments)
        assert done.returncode == exit_code and done.stdout == b"", arguments
        assert done.stderr and b"Traceback" not in done.stderr
        assert exit_code == 2 or done.stderr.count(b"\n") == 1
    assert not out.exists()


def test_emotions_can_be_chosen_for_files_and_stdin(samples, tmp_path):
    content = samples["happy"].read_bytes()
    done = ser("predict", samples["happy"], "-", "--emotions", "joy,angry", "--format", "jsonl", stdin=content)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["emotions"] for row in rows] == [["angry", "happy"]] * 2
    assert rows[0]["probabilities"] == rows[1]["probabilities"] and list(rows[0]["probabilities"]) == ["angry", "happy"]
    out = tmp_path / "answers.csv"
    ser("predict", samples["happy"].parent, "--emotions", "happy,angry", "--format", "csv", "--out", out)
    with out.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            shares = {name: value for name, value in row.items() if name.startswith("probability_") and value}
            assert list(shares) == ["probability_angry", "probability_happy"]
            assert sum(map(float, shares.values())) == pytest.approx(1, abs=1e-5)
    bad = ser("predict", samples["happy"], "--emotions", "happy")
    assert bad.returncode == 2 and b"Only happy was chosen" in bad.stderr and bad.stdout == b""


def test_a_run_is_only_resumed_with_the_same_emotions(samples, tmp_path):
    out = tmp_path / "answers.jsonl"
    run = {"model": "cnn1d", "window": None, "hop": None, "coverage": None, "speaker": None}
    run |= {"emotions": ["angry", "happy"], "adapt": "speaker", "speakers": None}
    with ResumeLog(out, run, resume=False):
        command = ("predict", samples["happy"].parent, "--format", "jsonl", "--out", out, "--resume")
    assert b"another run" in ser(*command).stderr
    assert ser(*command, "--emotions", "happy,angry").returncode == 0
