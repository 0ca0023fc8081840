"""Whether a server that works for long stays as small as it was: ``python -m benchmarks.speed.soak 10``, in backend/.

Clients send good, damaged and no recordings, speak live, and keep and delete sessions and profiles, for so many minutes
or ``--requests`` in all; ten times on the way the memory, open files and threads of all of the server's processes are
printed. What grows from the first time to the last is a leak; before it, the server is warmed up.
"""

from __future__ import annotations

import argparse
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import requests

from benchmarks.local_server import Running, admitted, running_server
from benchmarks.printing import print_machine
from benchmarks.synthetic_speech import wav
from ser.core.settings import MEBIBYTE
from tests.tools.malformed_files import malformed

GROWTH = 0.1  # of the memory
WARM_UP = 400  # requests; by then every kind has been answered and memory is what it stays
FILES = 200
LOOKS = 10  # at the server, on the way
SECONDS = 1.0  # of a good recording
CHUNKS = 3  # of a live session


@dataclass(frozen=True)
class Look:
    """What the server's processes hold: memory in MiB, open files (handles on Windows), threads."""

    memory: float
    files: int
    threads: int


@dataclass
class Soak:
    """Clients at work until a time (s, monotonic) or a number of requests is reached.

    Attributes:
        statuses: how many answers of each status there were.
        visits: how many there were of each kind of owner, who keeps something, looks at it and deletes it.
        looks: at the server, ``LOOKS`` of them in the end.
    """

    server: Running
    seconds: float
    requests: float
    voices: str | None  # a model that can be calibrated to a voice, if one can be loaded
    statuses: Counter[int] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)
    looks: list[Look] = field(default_factory=list)

    @property
    def flat(self) -> bool:
        """Whether memory stayed, and files and threads, which come and go, were not always more in the second half."""
        first, last = self.looks[0], self.looks[-1]
        before, after = self.looks[: LOOKS // 2], self.looks[LOOKS // 2 :]
        files = min(look.files for look in after) <= max(look.files for look in before)
        threads = min(look.threads for look in after) <= max(look.threads for look in before)
        return files and threads and last.memory <= (1 + GROWTH) * first.memory

    @property
    def errors(self) -> int:
        """Answers of 5xx, but for being told to come back later."""
        return sum(number for status, number in self.statuses.items() if status >= 500 and status != 503)

    def run(self) -> Soak:
        """Lets the clients work, and looks at the server on the way; an answer that never comes is raised."""
        began = time.monotonic()

        def progress() -> float:
            return max((time.monotonic() - began) / self.seconds, self.statuses.total() / self.requests)

        with ThreadPoolExecutor(admitted()) as pool:
            working = [pool.submit(self._client, number, progress) for number in range(admitted())]
            for number in range(1, LOOKS + 1):
                while not any(one.done() for one in working) and progress() < number / LOOKS:
                    time.sleep(0.05)
                self.looks.append(look(self.server))
            for one in working:
                one.result()
        return self

    def _client(self, seed: int, progress: Callable[[], float]) -> None:
        draw = random.Random(seed)
        damaged = cycle([content for _, content in malformed(FILES, seed=seed)])
        good = wav(None, SECONDS)
        with requests.Session() as session:
            while progress() < 1:
                if draw.random() < 0.03:
                    self._visit(session, good, draw)
                    continue
                if draw.random() < 0.2:
                    address = f"{self.server.address}{draw.choice(['/', '/health', '/api/v1/models', '/none'])}"
                    answer = session.get(address, timeout=60)
                else:
                    content = good if draw.random() < 0.6 else next(damaged)
                    address = f"{self.server.address}{draw.choice(['/upload', '/predict', '/api/v1/analyse'])}"
                    answer = session.post(address, files={"file": ("a.wav", content)}, timeout=60)
                self.statuses[answer.status_code] += 1
                if answer.status_code == 503:
                    time.sleep(0.1)

    def _visit(self, session: requests.Session, good: bytes, draw: random.Random) -> None:
        """Is a new owner who keeps something, looks at it and deletes it; who is sent away leaves."""
        owner = {"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}

        def ask(method: str, path: str, **what: Any) -> Any:
            answer = session.request(method, f"{self.server.address}/api/v1/{path}", headers=owner, timeout=60, **what)
            self.statuses[answer.status_code] += 1
            answer.raise_for_status()
            return answer.json() if answer.content else None

        recording = {"files": {"file": ("a.wav", good)}}
        kind = draw.choices(["kept", "live", "profile"], [3, 3, 1 if self.voices else 0])[0]
        try:
            if kind == "profile":
                ask("POST", "profiles", data={"name": "me", "model": self.voices}, **recording)
                assert [one["name"] for one in ask("GET", "profiles")["profiles"]] == ["me"]
                ask("DELETE", "profiles/me")
            else:
                identity = self._kept(ask, recording) if kind == "kept" else self._spoken(ask, good)
                assert ask("GET", f"sessions/{identity}")["id"] == identity
                ask("PATCH", f"sessions/{identity}", json={"title": "again"})
                ask("DELETE", f"sessions/{identity}")
                assert ask("GET", "sessions")["sessions"] == []
            self.visits[kind] += 1
        except requests.HTTPError as error:
            if error.response.status_code == 503:
                time.sleep(0.1)

    @staticmethod
    def _kept(ask: Callable[..., Any], recording: dict[str, Any]) -> str:
        return ask("POST", "analyse", data={"keep": "true"}, **recording)["session"]

    @staticmethod
    def _spoken(ask: Callable[..., Any], good: bytes) -> str:
        identity = ask("POST", "live", json={})["id"]
        for number in range(CHUNKS):
            ask("PUT", f"live/{identity}/chunks/{number}?start={number * SECONDS}", data=good)
        ask("POST", f"live/{identity}/end")
        return identity


def soak(server: Running, seconds: float, count: float) -> Soak:
    """Lets clients work for so long, or so many requests, once the server is warm."""
    voices = _voices(server)
    Soak(server, float("inf"), WARM_UP, voices).run()
    return Soak(server, seconds, count, voices).run()


def _voices(server: Running) -> str | None:
    """Returns a model that a profile can be made with here; some need a download."""
    owner = {"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}
    for model in requests.get(f"{server.address}/api/v1/models", timeout=60).json()["models"]:
        if model["profiles"]:
            form = {"data": {"name": "me", "model": model["name"]}, "files": {"file": ("a.wav", wav(None))}}
            if requests.post(f"{server.address}/api/v1/profiles", headers=owner, timeout=600, **form).ok:
                return model["name"]
    return None


def look(server: Running) -> Look:
    """Returns what the server's processes hold now."""
    family = server.family
    files = sum(one.num_fds() if hasattr(one, "num_fds") else one.num_handles() for one in family)
    return Look(server.memory / MEBIBYTE, files, sum(one.num_threads() for one in family))


def main() -> None:
    """Prints what the server held on the way, and whether that stayed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, help="how long at most")
    parser.add_argument("--requests", type=float, default=float("inf"), help="how many at most")
    given = parser.parse_args()
    print_machine()
    with running_server() as server:
        found = soak(server, 60 * given.minutes, given.requests)
    for number, one in enumerate(found.looks, start=1):
        print(f"{number * 100 // LOOKS:3} %: {one.memory:.0f} MiB, {one.files} files, {one.threads} threads")
    print(f"{found.statuses.total()} requests: {dict(sorted(found.statuses.items()))}; visits: {dict(found.visits)}")
    print(f"{'flat' if found.flat else 'it GREW'}, {found.errors} errors")


if __name__ == "__main__":
    main()
