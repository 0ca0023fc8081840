"""Measures R6 to R9: no data on disk, no mixed responses, no leaks, overload, graceful shutdown."""

from __future__ import annotations

import io
import json
import select
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from multiprocessing import get_context
from urllib.parse import urlsplit

import numpy as np
import requests
import soundfile

from benchmarks.local_server import Running, admitted, running_server
from benchmarks.printing import percentile
from benchmarks.promises.lines import Line, by_tests
from benchmarks.speed.soak import Soak, soak
from benchmarks.synthetic_speech import SAMPLE_RATE, speech_like, wav

HEALTH_SECONDS = 0.1
TRIES = 3  # in small sizes
ENDED_AT_ONCE = 8  # requests in flight when a server is stopped


def clip(seed: int, seconds: float = 2.0) -> bytes:
    """Returns a recording that is unique to the seed."""
    buffer = io.BytesIO()
    soundfile.write(buffer, speech_like(seconds, seed), SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def upload(server: Running, content: bytes, name: str = "clip.wav") -> requests.Response:
    """Sends a recording over a connection of its own."""
    return requests.post(f"{server.address}/upload", files={"file": (name, content)}, timeout=120)


def nothing_on_disk(full: bool) -> list[Line]:
    """R6: bytes that the server's processes write to disk while recordings of many sizes are uploaded."""
    count, sizes = (200 if full else 12), (0.1, 24.0)  # MB
    content = wav(None)
    with running_server() as server:
        upload(server, content)
        before = _written(server)
        for size in np.geomspace(*sizes, count):
            upload(server, content + bytes(max(0, int(size * 1e6) - len(content))), "secret-name.wav")
        left, told = _written(server) - before, b"secret-name" in server.log
    measured = f"{left} bytes to disk, name {'in' if told else 'not in'} the log"
    return [Line("R6", f"{count} uploads of 0.1 to 24 MB leave 0 bytes", measured, left == 0 and not told)]


def _written(server: Running) -> int:
    """Bytes that the processes wrote to storage; counted by Linux and Windows."""
    return sum(one.io_counters().write_bytes for one in server.family)


def no_cross_talk(full: bool) -> list[Line]:
    """R7: every response belongs to its clip."""
    clients, clips = (64, 1000) if full else (8, 24)
    contents = {f"{seed}.wav": clip(seed) for seed in range(clips)}
    with running_server() as server:
        expected = {name: upload(server, content, name).json() for name, content in contents.items()}

        def ask(name: str) -> float:
            while (answer := upload(server, contents[name], name)).status_code == 503:
                time.sleep(float(answer.headers["Retry-After"]) * np.random.default_rng().uniform(0.1, 1))
            found, own = answer.json(), expected[name]
            same = found["file"] == name and found["probabilities"].keys() == own["probabilities"].keys()
            differences = [abs(found["probabilities"][k] - own["probabilities"][k]) for k in own["probabilities"]]
            return max(differences, default=0.0) if same else float("inf")

        with ThreadPoolExecutor(clients) as pool:
            worst = max(pool.map(ask, contents))
    measured = f"largest difference {worst:.1e}"
    return [
        Line(
            "R7", f"{clients} clients, {clips} clips: each gets its own prediction within 1e-6", measured, worst < 1e-6
        )
    ]


def no_leak(full: bool) -> list[Line]:
    """R7: after many requests a server uses no more resources than after warm-up."""
    count = 100_000 if full else 200
    with running_server() as server:
        found = soak(server, seconds=float("inf"), count=count)
    wanted = f"{count} requests: memory, files and threads do not grow"
    return [Line("R7", wanted, held(found), found.flat and not found.errors)]


def held(found: Soak) -> str:
    """Returns the resources of a server after warm-up and at the end, as text."""
    warm, last = found.looks[0], found.looks[-1]
    return (
        f"{warm.memory:.0f} to {last.memory:.0f} MiB, {warm.files} to {last.files} files, "
        f"{warm.threads} to {last.threads} threads, {found.errors} errors"
    )


def too_much(full: bool) -> list[Line]:
    """R8: ten times as many clients as are admitted; each sends again at once, or 0.1 s after a refusal.

    In small sizes, beside other tests, the times of the admitted are not checked, and /health may take twice as long,
    in one of a few tries.
    """
    seconds, limit, content = (60.0 if full else 2.0), HEALTH_SECONDS * (1 if full else 2), wav(None)
    with running_server() as server, ProcessPoolExecutor(1, get_context("spawn")) as watch:
        for _ in range(5):
            upload(server, content)
        usual, _, _ = _press(server, content, admitted(), seconds / 2, watch)
        busy, statuses, health = _press(server, content, 10 * admitted(), seconds, watch)
        for _ in range(0 if full else TRIES - 1):  # another program may have delayed a response
            if max(health) > limit:
                _, more, health = _press(server, content, 10 * admitted(), seconds, watch)
                statuses += more
    before, now = percentile(usual, 99), percentile(busy, 99)
    answered = ", ".join(f"{status}: {number}" for status, number in sorted(statuses.items()))
    clear = set(statuses) <= {200, 429, 503} and statuses[200] > 0 and statuses.total() > statuses[200]
    times = f"{now / before:.2f} times ({1000 * before:.0f} to {1000 * now:.0f} ms)"
    lines = [
        Line("R8", "tenfold overload: some admitted, the rest 429 or 503 with Retry-After", answered, clear),
        Line(
            "R8",
            f"/health within {1000 * limit:.0f} ms",
            f"slowest of {len(health)}: {1000 * max(health):.0f} ms, p99 {1000 * percentile(health, 99):.0f} ms",
            max(health) <= limit,
        ),
    ]
    return [*lines, *([Line("R8", "admitted at most 2 times their usual p99", times, now <= 2 * before)] * full)]


def look_after_health(address: str, seconds: float) -> list[float]:
    """Polls /health; returns the times in s. Runs in a process of its own, as the clients keep theirs busy."""
    end, times, place = time.monotonic() + seconds, [], urlsplit(address)
    with closing(HTTPConnection(place.hostname, place.port, timeout=30)) as connection:
        while time.monotonic() < end:
            began = time.perf_counter()
            connection.request("GET", "/health")
            answer = connection.getresponse()
            answer.read()
            times.append(time.perf_counter() - began)
            assert answer.status == 200
            time.sleep(0.05)
    return times


def _press(
    server: Running, content: bytes, clients: int, seconds: float, watch: ProcessPoolExecutor
) -> tuple[list[float], Counter[int], list[float]]:
    """Sends from many clients at once; returns times of the admitted in s, statuses, and times of /health in s."""
    watch.submit(look_after_health, server.address, 0.1).result()  # starts its process, which is slow
    end = time.monotonic() + seconds
    times, statuses, adding = [], Counter(), threading.Lock()
    asked = requests.Request("POST", f"{server.address}/upload", files={"file": ("a.wav", content)}).prepare()
    place = urlsplit(server.address)

    def client(_: int) -> None:
        with closing(HTTPConnection(place.hostname, place.port, timeout=60)) as connection:  # the cheapest client
            while time.monotonic() < end:
                began = time.perf_counter()
                connection.request("POST", asked.path_url, asked.body, asked.headers)
                answer = connection.getresponse()
                answer.read()
                took = time.perf_counter() - began
                with adding:
                    statuses[answer.status] += 1
                    times.extend([took] if answer.status == 200 else [])
                if answer.status != 200:
                    assert int(answer.headers["Retry-After"]) > 0
                    time.sleep(0.1)

    with ThreadPoolExecutor(clients) as pool:
        looking = watch.submit(look_after_health, server.address, seconds)
        for one in [pool.submit(client, number) for number in range(clients)]:
            one.result()
    return times, statuses, looking.result()


def graceful_end(full: bool) -> list[Line]:
    """R9: SIGTERM while requests are in flight, with one process and with two; a killed worker."""
    rounds = 10 if full else 1
    tests = ["tests/api/server/test_supervisor.py"]
    return [
        *(ended(rounds, workers) for workers in (1, 2)),
        by_tests("R9", "a killed worker is replaced within 6 s", tests, full),
    ]


def ended(rounds: int, workers: int) -> Line:
    """Stops servers under load; every accepted request must get a result."""
    statuses, flying, content = Counter(), 0, wav(None)
    places = {"SER_WORKERS": str(workers), "SER_PREDICTIONS": str(ENDED_AT_ONCE)}  # so that no request is refused
    for _ in range(rounds):
        with running_server(**places) as server, ThreadPoolExecutor(ENDED_AT_ONCE) as pool:
            _answer(_asked(server, content))
            asked = [_asked(server, content) for _ in range(ENDED_AT_ONCE)]
            requests.get(f"{server.address}/health", timeout=30)  # its response shows that those before it are accepted
            server.process.send_signal(signal.SIGTERM)
            flying += ENDED_AT_ONCE - len(select.select([one.sock for one in asked], [], [], 0)[0])
            statuses.update(pool.map(_answer, asked))
    taken = rounds * ENDED_AT_ONCE
    answered = ", ".join(f"{status}: {number}" for status, number in statuses.items())
    wanted = f"SIGTERM loses none of {taken} requests, {workers} {'processes' if workers > 1 else 'process'}"
    passed = statuses == {200: taken} and flying > 0
    return Line("R9", wanted, f"{answered}; {flying} were in flight", passed)


def _asked(server: Running, content: bytes) -> HTTPConnection:
    """Sends a whole recording without reading the response."""
    place = urlsplit(server.address)
    connection = HTTPConnection(place.hostname, place.port, timeout=60)
    asked = requests.Request("POST", f"{server.address}/upload", files={"file": ("a.wav", content)}).prepare()
    connection.request("POST", asked.path_url, asked.body, asked.headers)
    return connection


def _answer(connection: HTTPConnection) -> int | str:
    """Returns the status of a complete response, or "lost"."""
    with closing(connection):
        try:
            answer = connection.getresponse()
            return answer.status if json.loads(answer.read()) else "empty"
        except (OSError, HTTPException, ValueError):
            return "lost"


MEASURES = {
    "R6": nothing_on_disk,
    "R7": lambda full: no_cross_talk(full) + no_leak(full),
    "R8": too_much,
    "R9": graceful_end,
}
