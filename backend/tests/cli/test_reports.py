"""The ``report``, ``compare`` and ``corpus`` commands."""

from __future__ import annotations

from pathlib import Path

from ser.core.settings import PROJECT
from tests.tools.command_line import ser


def test_a_report_can_be_regenerated_from_the_predictions(tmp_path):
    kept = PROJECT / "weights" / "cnn1d_published" / "evaluation" / "ravdess-random-7classes"
    for file in (*kept.glob("*.csv"), kept / "metrics.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    done = ser("report", tmp_path)
    assert done.returncode == 0 and Path(done.stdout.decode().strip()) == tmp_path / "report.html"
    assert b"LEAKY" in (tmp_path / "report.html").read_bytes()
    empty = ser("report", tmp_path / "nowhere")
    assert empty.returncode == 3 and b"no finished evaluation" in empty.stderr and b"Traceback" not in empty.stderr


def test_two_runs_are_compared_unless_they_are_incomparable(tmp_path):
    leaky, other = (
        PROJECT / "weights" / model / "evaluation" / f"ravdess-{run}classes"
        for model, run in (("cnn1d_published", "random-7"), ("mlp", "emobox-8"))
    )
    same = ser("compare", leaky, leaky, "--out", tmp_path)
    assert same.returncode == 0 and b"is within chance" in same.stdout and b"A IS LEAKY" in same.stdout
    assert {file.name for file in tmp_path.iterdir()} == {"compare.html", "compare.json"}
    unlike = ser("compare", leaky, other)
    assert unlike.returncode == 3 and b"only one has calm" in unlike.stderr


def test_a_corpus_is_described(samples, tmp_path):
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
