"""Long runs that are killed and resumed process every file exactly once.

``SER_FULL=1`` uses as many files and kills as are promised.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ser.core.errors import SettingsError
from ser.core.resume_log import SUFFIX, ResumeLog
from ser.core.settings import PROJECT

FULL = os.environ.get("SER_FULL") == "1"
FILES, KILLS = (10_000, 20) if FULL else (12, 2)
KILL_AT = np.linspace(2, FILES * 0.8, KILLS).astype(int).tolist()  # lines of the resume log


def test_a_resume_log_continues_where_it_stopped(tmp_path):
    with ResumeLog(tmp_path / "out", {"run": 1}, resume=False) as log:
        log.add({"file": "a"})
    with ResumeLog(tmp_path / "out", {"run": 1}, resume=True) as log:
        assert log.entries == [{"file": "a"}]
        log.add({"file": "b"})
    with ResumeLog(tmp_path / "out", {"run": 1}, resume=True) as log:
        assert log.entries == [{"file": "a"}, {"file": "b"}]
        log.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_resume_log_keeps_its_complete_lines(tmp_path):
    target, path = tmp_path / "out", tmp_path / f"out{SUFFIX}"
    with ResumeLog(target, {"run": 1}, resume=False) as log:
        for number in range(5):
            log.add({"file": f"ü{number}"})
    content = path.read_bytes()
    for cut in range(len(content) + 1):
        path.write_bytes(content[:cut])
        with ResumeLog(target, {"run": 1}, resume=True) as log:
            whole = max(0, content[:cut].count(b"\n") - 1)
            assert [entry["file"] for entry in log.entries] == [f"ü{number}" for number in range(whole)]
            log.add({"file": "new"})
        with ResumeLog(target, {"run": 1}, resume=True) as log:
            assert len(log.entries) == whole + 1


@pytest.mark.parametrize("content", [b'{"run": 2}\n', b"no JSON\n", b"\xff\n"])
def test_the_resume_log_of_another_run_is_refused(tmp_path, content):
    (tmp_path / f"out{SUFFIX}").write_bytes(content)
    with pytest.raises(SettingsError, match="another run"):
        ResumeLog(tmp_path / "out", {"run": 1}, resume=True)
    with ResumeLog(tmp_path / "out", {"run": 1}, resume=False) as log:
        assert log.entries == []


def test_a_full_disk_is_reported_and_loses_nothing(tmp_path, monkeypatch):
    with ResumeLog(tmp_path / "out", {"run": 1}, resume=False) as log:
        log.add({"file": "a"})

        def full(_: bytes) -> int:
            raise OSError(28, "No space left on device")

        genuine = log._file
        monkeypatch.setattr(log, "_file", type("Full", (), {"write": staticmethod(full)}))
        with pytest.raises(SettingsError, match="No space left"):
            log.add({"file": "b"})
        monkeypatch.setattr(log, "_file", genuine)
    with ResumeLog(tmp_path / "out", {"run": 1}, resume=True) as log:
        assert log.entries == [{"file": "a"}]


@pytest.fixture
def folder(tmp_path: Path, samples) -> Path:
    """Many recordings, all links to or copies of the three shipped samples."""
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    sources = list(samples.values())
    for number in range(FILES):
        shutil.copyfile(sources[number % 3], recordings / f"{number:05d}.wav")
    return recordings


def ser(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "ser", *map(str, arguments)]


def killed_after(command: list[str], log: Path, lines: int) -> None:
    """Runs a command and kills it as soon as its resume log has the given number of lines."""
    with subprocess.Popen(command, cwd=PROJECT / "backend", stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and (not log.exists() or log.read_bytes().count(b"\n") < lines):
            time.sleep(0.01)
        process.kill()


@pytest.mark.slow
def test_killed_prediction_resumes_with_every_file_once(folder, tmp_path):
    out = tmp_path / "answers.jsonl"
    log = out.with_name(out.name + SUFFIX)
    command = ser("predict", folder, "--format", "jsonl", "--out", out)
    for lines in KILL_AT:
        killed_after([*command, "--resume"], log, lines)
        assert not out.exists() and log.exists()
    done = subprocess.run([*command, "--resume"], cwd=PROJECT / "backend", capture_output=True)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [Path(row["file"]).name for row in rows] == [f"{number:05d}.wav" for number in range(FILES)]
    assert not log.exists()
    assert rows[0]["probabilities"] == rows[3]["probabilities"] == rows[FILES // 3 * 3 - 3]["probabilities"]


@pytest.mark.slow
def test_killed_scoring_resumes_with_every_file_once(folder, tmp_path):
    listing = tmp_path / "labels.csv"
    names = [f"{number:05d}.wav" for number in range(FILES)]
    listing.write_text("path,emotion\n" + "".join(f"{name},angry\n" for name in names), encoding="utf-8")
    out = tmp_path / "scores"
    command = ser("score", "--files", folder, "--labels", listing, "--out", out, "--resume")
    log = out.with_name(out.name + SUFFIX)
    for lines in KILL_AT:
        killed_after(command, log, lines)
        assert not (out / "predictions.csv").exists() and log.exists()
    done = subprocess.run(command, cwd=PROJECT / "backend", capture_output=True)
    assert done.returncode == 0, done.stderr
    with (out / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["file"] for row in csv.DictReader(stream)] == names


def test_resuming_without_a_resume_log_is_explained(samples):
    done = subprocess.run(ser("predict", samples["sad"], "--resume"), cwd=PROJECT / "backend", capture_output=True)
    assert done.returncode == 2 and b"--out FILE" in done.stderr
