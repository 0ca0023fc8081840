"""Measures R16: the same audio has the same probabilities by API, command line, batch and live session."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from benchmarks.local_server import BACKEND, running_server
from benchmarks.promises.lines import Line
from benchmarks.promises.load import clip, upload
from ser.core.settings import load_settings

TOLERANCE = 1e-4
SHORT_SECONDS = 2.0  # one chunk of a live session
LONG_SECONDS = (12.0, 16.5, 25.0)  # in windows; one clip in ten


def same_everywhere(full: bool) -> list[Line]:
    """R16: all clips by API, command line and batch; those as long as a chunk also in a live session."""
    count = 500 if full else 10
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        paths = [Path(folder) / f"{number:03d}.wav" for number in range(count)]
        for number, path in enumerate(paths):
            path.write_bytes(clip(number, _seconds(number)))
        short = [number for number in range(count) if _seconds(number) == SHORT_SECONDS]
        known = [upload(server, path.read_bytes(), path.name).json() for path in paths]
        others = {
            "command line": _command_line(*paths),
            "batch": _batch(Path(folder)),
            "live": dict(zip(short, _live(server.address, [paths[number] for number in short]), strict=True)),
        }
    pairs = [(one, known[number]) for found in others.values() for number, one in found.items()]
    worst = max(_difference(one, other) for one, other in pairs)
    spoken = sum(bool(answer["probabilities"]) for answer in known)
    complete = [len(found) for found in others.values()] == [count, count, len(short)]
    measured = f"largest difference {worst:.1e}, speech in {spoken} of {count}"
    wanted = (
        f"{count} clips, {count - len(short)} of them {LONG_SECONDS[0]:g} to {LONG_SECONDS[-1]:g} s long, by API, "
        f"command line and batch, the {len(short)} of {SHORT_SECONDS:g} s also live, within {TOLERANCE:g}"
    )
    return [Line("R16", wanted, measured, worst <= TOLERANCE and spoken > count / 2 and complete)]


def _seconds(number: int) -> float:
    """Returns the length of a clip in s, by its number."""
    return SHORT_SECONDS if number % 10 else LONG_SECONDS[number // 10 % len(LONG_SECONDS)]


def _live(address: str, paths: list[Path]) -> list[dict]:
    owner = {"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}
    identity = requests.post(f"{address}/api/v1/live", json={}, headers=owner, timeout=60).json()["id"]
    chunks = f"{address}/api/v1/live/{identity}/chunks"
    return [
        requests.put(f"{chunks}/{i}?start={2 * i}", data=path.read_bytes(), headers=owner, timeout=60).json()
        for i, path in enumerate(paths)
    ]


def _command_line(*arguments: str | Path) -> dict[int, dict]:
    """Returns the predictions of the server's model by number of the clip."""
    options = ["--model", load_settings().model, "--format", "jsonl"]
    command = [sys.executable, "-m", "ser", "predict", *map(str, arguments), *options]
    return _by_number(subprocess.run(command, cwd=BACKEND, check=True, capture_output=True).stdout)


def _batch(folder: Path) -> dict[int, dict]:
    """Predicts a folder into a file, with a resume log, as for large batches."""
    with tempfile.TemporaryDirectory() as elsewhere:
        out = Path(elsewhere) / "answers.jsonl"
        _command_line(folder, "--out", out)
        return _by_number(out.read_bytes())


def _by_number(lines: bytes) -> dict[int, dict]:
    answers = map(json.loads, lines.decode().splitlines())
    return {int(Path(answer["file"]).stem): answer for answer in answers}


def _difference(one: dict, other: dict) -> float:
    if one["probabilities"].keys() != other["probabilities"].keys():
        return float("inf")
    return max((abs(one["probabilities"][k] - share) for k, share in other["probabilities"].items()), default=0.0)


MEASURES = {"R16": same_everywhere}
