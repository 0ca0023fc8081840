"""Measures R1 to R5: hostile recordings cost one refusal each, never the server."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

from benchmarks.local_server import Running, running_server
from benchmarks.promises.lines import Line, by_tests
from benchmarks.synthetic_speech import wav
from ser.api.errors import KINDS
from ser.audio.decode_worker import Decoders
from ser.audio.waveform import Waveform
from ser.core.errors import AudioError
from ser.core.settings import MEBIBYTE
from tests.tools.hostile_decoder import EVIL, WAYS
from tests.tools.malformed_files import bombs, disguised, malformed

LIMIT = 25 * MEBIBYTE
GROWTH = 200 * MEBIBYTE


def send(server: Running, content: bytes, name: str = "clip.wav") -> tuple[requests.Response, float]:
    """Uploads a recording; returns the response and its time in s."""
    began = time.perf_counter()
    answer = requests.post(f"{server.address}/upload", files={"file": (name, content)}, timeout=60)
    return answer, time.perf_counter() - began


def malformed_files(full: bool) -> list[Line]:
    """R1: damaged files through the real server."""
    count, codes, slowest = (2000 if full else 200), Counter(), 0.0
    with running_server() as server:
        before = {one.pid for one in server.family}
        for _, content in malformed(count, seed=1):
            answer, seconds = send(server, content)
            slowest = max(slowest, seconds)
            codes[answer.json().get("code", "answered")] += 1
        lost = len(before - {one.pid for one in server.family})
    unknown = [code for code in codes if code != "answered" and KINDS[code].status >= 500]
    found = ", ".join(f"{code} {number}" for code, number in codes.most_common())
    passed = not unknown and slowest < 10 and lost == 0 and codes.total() == count
    measured = f"{found}; slowest {slowest:.2f} s, {lost} processes lost"
    return [Line("R1", f"{count} damaged files: no 5xx, none over 10 s, no process lost", measured, passed)]


def dying_decoders(full: bool) -> list[Line]:
    """R2: decoders that crash, hang or exhaust memory."""
    count, costs = (100 if full else 6), Counter()
    with Decoders(1, program=("-c", EVIL), seconds=lambda _: 1.0) as decoders:
        for number in range(count):
            try:
                decoders.decode(WAYS[number % len(WAYS)], 60.0)
            except AudioError as error:
                costs[error.code] += 1
            answer = decoders.decode(b"fine xyz", 60.0)
            costs["fine afterwards"] += isinstance(answer, Waveform) and len(answer.samples) == 3
    passed = costs["audio_undecodable"] == costs["fine afterwards"] == count
    measured = ", ".join(f"{what} {number}" for what, number in costs.items())
    return [Line("R2", f"{count} crashes, hangs and memory exhaustions: one 422 each", measured, passed)]


def bomb_files(full: bool) -> list[Line]:
    """R3: decompression bombs, and headers that claim 4 GiB, through the real server."""
    files = bombs(36_000.0 if full else 2400.0)
    with running_server() as server:
        send(server, wav(None))
        costs = [_weighed(server, content) for content in files.values()]
    refused = sum(one.status in (413, 422) for one in costs)
    slowest, growth = max(one.seconds for one in costs), max(one.growth for one in costs)
    passed = refused == len(files) and slowest < 2 and growth < GROWTH
    measured = f"{refused} of {len(files)} refused, slowest {slowest:.2f} s, at most {growth / MEBIBYTE:.0f} MiB more"
    return [Line("R3", "decompression bombs refused in 2 s with at most 200 MiB", measured, passed)]


@dataclass(frozen=True)
class Cost:
    """Cost of a recording: status of the response, time in s, growth of the server in bytes."""

    status: int
    seconds: float
    growth: int


def _weighed(server: Running, content: bytes) -> Cost:
    """Uploads a recording and monitors the server's memory meanwhile."""
    before, growth = server.memory, 0
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send, server, content)
        while not sending.done():
            growth = max(growth, server.memory - before)
            time.sleep(0.01)
    answer, took = sending.result()
    return Cost(answer.status_code, took, growth)


def exact_limits(full: bool) -> list[Line]:
    """R4: bodies at the limit."""
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + wav(None)
    tail = b"\r\n--cut--\r\n"
    statuses = []
    with running_server() as server:
        for extra in (-1, 0, 1):
            body = head + bytes(LIMIT + extra - len(head) - len(tail)) + tail
            kind = {"Content-Type": "multipart/form-data; boundary=cut"}
            statuses.append(requests.post(f"{server.address}/upload", data=body, headers=kind, timeout=60).status_code)
    return [Line("R4", "limit -1/0/+1: 200/200/413", "/".join(map(str, statuses)), statuses == [200, 200, 413])]


def disguises(full: bool) -> list[Line]:
    """R5: files that are not recordings, or refer to other files."""
    names = ("clip.wav", "clip.m4a")
    with running_server() as server:
        answers = [send(server, content, name)[0] for content in disguised().values() for name in names]
    refused = sum(answer.status_code == 422 for answer in answers)
    tests = ["tests/audio/test_decode_worker.py", "-k", "open_nothing or another_file"]
    return [
        Line(
            "R5", "playlists, archives, HTML, programs refused", f"{refused} of {len(answers)}", refused == len(answers)
        ),
        by_tests("R5", "no file and no socket is opened for a recording", tests, full),
    ]


MEASURES = {"R1": malformed_files, "R2": dying_decoders, "R3": bomb_files, "R4": exact_limits, "R5": disguises}
