"""The ``train`` command, on RAVDESS and on own recordings."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ser.core.settings import PROJECT
from tests.tools.command_line import ser


@pytest.mark.corpus
@pytest.mark.slow
def test_training_is_killed_resumed_and_used(corpora_root, samples, tmp_path, monkeypatch):
    """``train`` on four real actors, killed half-way and resumed, ends with the same bytes as an uninterrupted run."""
    import time

    root = tmp_path / "ravdess"
    for actor in ("01", "02", "03", "04", "05", "06"):
        folder = root / f"Actor_{actor}"
        folder.mkdir(parents=True)
        for file in sorted((corpora_root / "ravdess" / f"Actor_{actor}").iterdir())[::4]:
            (folder / file.name).write_bytes(file.read_bytes())
    command = [
        "train",
        "--recipe",
        "cnn1d_published",
        "--root",
        root,
        "--labels",
        "angry,happy,sad,fearful",
        "--epochs",
        "6",
    ]
    assert ser(*command, "--out", tmp_path / "whole").returncode == 0
    arguments = [sys.executable, "-m", "ser", *map(str, command), "--out", str(tmp_path / "killed")]
    process = subprocess.Popen(arguments, cwd=PROJECT / "backend", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    state = tmp_path / "killed" / "state" / "training.json"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (state.exists() and len(json.loads(state.read_text())["history"]) >= 2):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert len(json.loads(state.read_text())["history"]) < 6
    assert ser(*command, "--out", tmp_path / "killed").returncode == 0
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]
    answer = ser("predict", samples["angry"], "--model", tmp_path / "killed", "--format", "json")
    assert json.loads(answer.stdout)["model"] == "killed"


def test_own_recordings_train_a_model_that_predicts(own_recordings, tmp_path, samples):
    made = tmp_path / "my model"
    listing = tmp_path / "labels.csv"
    options = ("--recipe", "cnn_lstm_attention", "--epochs", "1", "--out", made)
    trained = ser("train", "--files", own_recordings, "--labels", listing, *options)
    assert trained.returncode == 0, trained.stderr
    info = json.loads((made / "config.json").read_text(encoding="utf-8"))
    assert info["labels"] == ["angry", "happy", "sad"] and info["corpora"] == ["files"]
    assert info["figures"][0]["protocol"] == "held-out speakers"
    assert list((made / "tensorboard").glob("events*"))
    reported = ser("report", made)
    assert reported.returncode == 0 and reported.stdout.decode().strip() == str(made / "report.html")
    assert b"is within chance" in ser("compare", made, made, "--out", tmp_path / "compared").stdout
    answer = json.loads(ser("predict", samples["sad"], "--model", made, "--format", "json").stdout)
    assert answer["model"] == "my model" and set(answer["probabilities"]) == {"angry", "happy", "sad"}


def test_own_recordings_without_speakers_give_a_leakage_warning(own_recordings, tmp_path):
    listing = tmp_path / "labels.csv"
    rows = [line.rpartition(",")[0] for line in listing.read_text(encoding="utf-8").splitlines()]
    listing.write_text("\n".join(rows), encoding="utf-8")
    made = tmp_path / "model"
    options = ("--recipe", "cnn_lstm_attention", "--epochs", "1", "--out", made)
    trained = ser("train", "--files", own_recordings, "--labels", listing, *options)
    assert trained.returncode == 0, trained.stderr
    (figure,) = json.loads((made / "config.json").read_text(encoding="utf-8"))["figures"]
    assert not figure["speaker_independent"] and "speakers unknown" in figure["protocol"]


def test_own_recordings_need_a_label_file(own_recordings):
    failed = ser("train", "--files", own_recordings)
    assert failed.returncode == 2 and b"--labels labels.csv" in failed.stderr
