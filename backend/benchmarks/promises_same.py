"""Shows R16: the same audio gives the same probabilities by API, command line, in batch and live."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from benchmarks.lines import Line
from benchmarks.promises_load import clip, upload
from benchmarks.serving import BACKEND, running_server

TOLERANCE = 1e-4


def same_everywhere(full: bool) -> list[Line]:
    """R16: clips of 2 s, which are one chunk each in a live session."""
    count = 500 if full else 5
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        paths = [Path(folder) / f"{number:03d}.wav" for number in range(count)]
        for number, path in enumerate(paths):
            path.write_bytes(clip(number))
        doors = {
            "API": [upload(server, path.read_bytes(), path.name).json() for path in paths],
            "live": _live(server.address, paths),
            "batch": _command_line(["predict", folder, "--format", "jsonl"]),
            "command line": [_command_line(["predict", str(path), "--format", "jsonl"])[0] for path in paths[:20]],
        }
    pairs = [(one, doors["API"][i]) for found in doors.values() for i, one in enumerate(found)]
    worst = max(_difference(one, other) for one, other in pairs)
    heard = sum(bool(answer["probabilities"]) for answer in doors["API"])
    measured = f"largest difference {worst:.1e}, speech in {heard} of {count}"
    wanted = f"{count} clips by {', '.join(doors)} within {TOLERANCE:g}"
    complete = all(len(found) == count for name, found in doors.items() if name != "command line")
    return [Line("R16", wanted, measured, worst <= TOLERANCE and heard > 0 and complete)]


def _live(address: str, paths: list[Path]) -> list[dict]:
    owner = {"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}
    identity = requests.post(f"{address}/api/v1/live", json={}, headers=owner, timeout=60).json()["id"]
    chunks = f"{address}/api/v1/live/{identity}/chunks"
    return [
        requests.put(f"{chunks}/{i}?start={2 * i}", data=path.read_bytes(), headers=owner, timeout=60).json()
        for i, path in enumerate(paths)
    ]


def _command_line(arguments: list[str]) -> list[dict]:
    done = subprocess.run([sys.executable, "-m", "ser", *arguments], cwd=BACKEND, check=True, capture_output=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def _difference(one: dict, other: dict) -> float:
    if one["probabilities"].keys() != other["probabilities"].keys():
        return float("inf")
    return max((abs(one["probabilities"][k] - share) for k, share in other["probabilities"].items()), default=0.0)


MEASURES = {"R16": same_everywhere}
