"""The command line as a person runs it: a process of its own."""

from __future__ import annotations

import errno
import json
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import soundfile

from ser.core.settings import PROJECT
from ser.data.splits import PROTOCOLS


def ser(*arguments: str | Path, stdin: bytes | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "ser", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=PROJECT / "backend", timeout=120)


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


def test_some_failures_give_1_all_give_3_and_stdout_stays_clean(samples, tmp_path):
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


def test_usage_and_model_problems_have_their_own_exit_codes(samples):
    assert ser("predict").returncode == 2
    assert ser("predict", samples["sad"], "--format", "xml").returncode == 2
    unknown = ser("predict", samples["sad"], "--model", "nonsense")
    assert unknown.returncode == 4 and b"available: " in unknown.stderr


def test_a_checkpoint_can_be_given_by_path(samples):
    by_name = ser("predict", samples["sad"], "--format", "json")
    by_path = ser("predict", samples["sad"], "--format", "json", "--model", PROJECT / "weights" / "cnn1d")
    assert json.loads(by_name.stdout) == json.loads(by_path.stdout)


def test_models_are_listed_with_their_honest_figures():
    listed = ser("models").stdout.decode()
    config = json.loads((PROJECT / "weights" / "cnn1d" / "config.json").read_text(encoding="utf-8"))
    for one in config["figures"]:
        line = f"UA {one['ua']} % on unseen speakers of {one['corpus']} ({one['protocol']}, {one['classes']} classes)"
        assert (line in listed) is one["speaker_independent"]


def test_the_help_names_every_protocol():
    told = ser("evaluate", "--help").stdout.decode()
    assert [name for name in PROTOCOLS if name not in told] == []


def test_the_openapi_document_is_printed():
    assert json.loads(ser("openapi").stdout)["openapi"].startswith("3.")


def test_a_report_can_be_made_again_from_the_predictions_alone(tmp_path):
    kept = PROJECT / "weights" / "cnn1d_published" / "evaluation" / "ravdess-random-7classes"
    for file in (*kept.glob("*.csv"), kept / "metrics.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    done = ser("report", tmp_path)
    assert done.returncode == 0 and Path(done.stdout.decode().strip()) == tmp_path / "report.html"
    assert b"LEAKY" in (tmp_path / "report.html").read_bytes()
    empty = ser("report", tmp_path / "nowhere")
    assert empty.returncode == 3 and b"no finished evaluation" in empty.stderr and b"Traceback" not in empty.stderr


def test_two_runs_are_compared_and_unlike_ones_refused(tmp_path):
    leaky, other = (
        PROJECT / "weights" / model / "evaluation" / f"ravdess-{run}classes"
        for model, run in (("cnn1d_published", "random-7"), ("mlp", "emobox-8"))
    )
    same = ser("compare", leaky, leaky, "--out", tmp_path)
    assert same.returncode == 0 and b"is within chance" in same.stdout and b"A IS LEAKY" in same.stdout
    assert {file.name for file in tmp_path.iterdir()} == {"compare.html", "compare.json"}
    unlike = ser("compare", leaky, other)
    assert unlike.returncode == 3 and b"only one has calm" in unlike.stderr


def test_features_are_printed_with_unit_and_meaning(samples):
    done = ser("features", samples["happy"])
    text = done.stdout.decode()
    assert done.returncode == 0 and done.stderr == b""
    assert re.search(r"pitch +\d+\.\d Hz +Average pitch", text) and "dBFS" in text and "semitones" in text
    assert "mfcc_03_std" not in text and "mfcc_03_std" in ser("features", samples["happy"], "--all").stdout.decode()


def test_features_as_json_hold_every_statistic(samples):
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


def test_a_recording_is_drawn(samples, tmp_path):
    done = ser("plot", samples["sad"], "-o", tmp_path / "made" / "sad.png")
    assert done.returncode == 0 and done.stdout == b"" and b"sad.png" in done.stderr
    picture = matplotlib.image.imread(tmp_path / "made" / "sad.png")
    assert picture.shape[0] > 800 and picture.shape[1] > 800
    assert (picture[..., :3].std(axis=(0, 1)) > 0.05).all()


def test_what_cannot_be_measured_or_drawn_is_one_sentence(samples, tmp_path):
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


def test_own_recordings_are_scored_and_bad_ones_named(samples, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("path;emotion\r\nangry.wav;anger\r\nsad.wav;sad\r\nhappy.wav;calm\r\n", encoding="utf-8-sig")
    out = tmp_path / "out"
    done = ser("score", "--files", samples["sad"].parent, "--labels", labels, "--out", out)
    assert done.returncode == 0 and b"precision" in done.stdout and b"<- predicted" in done.stdout
    assert {"report.html", "metrics.json", "predictions.csv"} <= {file.name for file in out.iterdir()}
    labels.write_text("path,emotion\nangry.wav,anger\nnowhere.wav,sad\n", encoding="utf-8")
    some = ser("score", "--files", samples["sad"].parent, "--labels", labels, "--out", out)
    assert some.returncode == 1 and b"nowhere.wav" in some.stderr and b"100.0 %" in some.stdout
    labels.write_text("angry.wav,anger\n", encoding="utf-8")
    bad = ser("score", "--files", samples["sad"].parent, "--labels", labels)
    assert bad.returncode == 3 and b"line 1" in bad.stderr and b"Traceback" not in bad.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--files", "my clips", "--labels", "x.csv"], "score --files 'my clips' --labels x.csv\n"),
        (["--files", ".", "--labels", "x.csv", "--model", "mlp"], "score --files . --labels x.csv --model mlp\n"),
        (["--files", ".", "--out", "o", "--resume"], "score --files . --labels labels.csv --out o --resume\n"),
        (["--model", "cnn1d"], "score --files FOLDER --labels labels.csv --model cnn1d\n"),
        (["--labels", "x.csv"], "needs --files FOLDER, which 'train' and 'score' have.\n"),
    ],
)
def test_how_scoring_was_spelt_before_answers_with_what_to_type(options, message):
    done = ser("evaluate", *options)
    assert done.returncode == 2 and done.stderr.decode().replace("\r", "").endswith(message)


def test_what_to_score_has_to_be_named():
    done = ser("score", "--files", ".")
    assert done.returncode == 2 and b"--labels" in done.stderr
    assert b"--files" not in ser("evaluate", "--help").stdout and b"--protocol" not in ser("score", "--help").stdout


def test_a_corpus_is_explored(samples, tmp_path):
    folder = tmp_path / "root" / "Actor_01"
    folder.mkdir(parents=True)
    for name, code in (("angry", "05"), ("sad", "04")):
        (folder / f"03-01-{code}-01-01-01-01.wav").write_bytes(samples[name].read_bytes())
    done = ser("corpus", "ravdess", "--root", tmp_path / "root", "--out", tmp_path / "out")
    assert done.returncode == 0 and b"2 clips" in done.stdout and b"angry" in done.stdout
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "corpus.html",
        "corpus.json",
        "emotions.png",
        "lengths.png",
    }
    assert b"available: " in ser("corpus", "nonsense").stderr


def test_wrong_label_sets_are_explained():
    done = ser("evaluate", "--labels", "angry,joyful", "--root", ".")
    assert done.returncode == 2 and b"joyful" in done.stderr


@pytest.mark.corpus
@pytest.mark.slow
def test_train_killed_resumed_and_used(corpora_root, samples, tmp_path, monkeypatch):
    """`train` on four real actors, killed with -9 half-way and resumed, ends with the bytes of one never killed."""
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


@pytest.fixture
def own_recordings(samples, tmp_path) -> Path:
    """A folder in which four people say three things, and ``labels.csv`` beside them."""
    folder = tmp_path / "mine"
    folder.mkdir()
    rows = ["path,emotion,speaker"]
    for speaker in range(4):
        for emotion, source in samples.items():
            clip, rate = soundfile.read(source)
            soundfile.write(folder / f"{speaker} {emotion}.wav", clip[speaker * 800 :], rate)
            rows.append(f"{speaker} {emotion}.wav,{emotion},person {speaker}")
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


def test_own_recordings_become_a_model_that_predicts(own_recordings, tmp_path, samples):
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


def test_own_recordings_without_speakers_say_that_the_figure_may_be_leaky(own_recordings, tmp_path):
    listing = tmp_path / "labels.csv"
    rows = [line.rpartition(",")[0] for line in listing.read_text(encoding="utf-8").splitlines()]
    listing.write_text("\n".join(rows), encoding="utf-8")
    made = tmp_path / "model"
    options = ("--recipe", "cnn_lstm_attention", "--epochs", "1", "--out", made)
    trained = ser("train", "--files", own_recordings, "--labels", listing, *options)
    assert trained.returncode == 0, trained.stderr
    (figure,) = json.loads((made / "config.json").read_text(encoding="utf-8"))["figures"]
    assert not figure["speaker_independent"] and "speakers unknown" in figure["protocol"]


def test_own_recordings_need_a_list(own_recordings):
    failed = ser("train", "--files", own_recordings)
    assert failed.returncode == 2 and b"--labels labels.csv" in failed.stderr


def test_a_full_disk_is_one_sentence(monkeypatch, capsys):
    from ser import cli

    def full(**_: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli, "app", full)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1 and capsys.readouterr().err.startswith("ser: the disk is full")
