"""The ``score`` command, and the error for its former syntax."""

from __future__ import annotations

import pytest

from tests.tools.command_line import ser


def test_own_recordings_are_scored_and_unreadable_ones_listed(samples, tmp_path):
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
def test_the_former_syntax_is_answered_with_the_current_one(options, message):
    done = ser("evaluate", *options)
    assert done.returncode == 2 and done.stderr.decode().replace("\r", "").endswith(message)


def test_the_source_to_score_is_required():
    done = ser("score", "--files", ".")
    assert done.returncode == 2 and b"--labels" in done.stderr
    assert b"--files" not in ser("evaluate", "--help").stdout and b"--protocol" not in ser("score", "--help").stdout


def test_a_score_is_only_adapted_by_a_model_that_can_to_speakers_that_are_known(own_recordings, tmp_path):
    labels = tmp_path / "labels.csv"
    command = ("score", "--files", own_recordings, "--labels", labels)
    refused = ser(*command, "--adapt", "speaker")
    assert refused.returncode == 2 and b"cnn1d cannot adapt to speakers" in refused.stderr
    assert b"--adapt" in ser("score", "--help").stdout
