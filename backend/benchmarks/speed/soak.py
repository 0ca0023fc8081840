"""Measures whether a server leaks memory, files or threads: ``python -m benchmarks.speed.soak 10``, in backend/.

After a warm-up, clients send valid and damaged recordings and other requests, run live sessions, and store and delete
sessions and profiles, for so many minutes or ``--requests`` in all; memory, open files and threads of all of the
server's processes are printed ten times. Growth from the first time to the last is a leak.
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
WARM_UP = 400  # requests, after which memory is stable
FILES = 200
LOOKS = 10  # samples of the server's resources
SECONDS = 1.0  # of a good recording
CHUNKS = 3  # of a live session


@dataclass(frozen=True)
class Look:
    """Resources of the server's processes: memory in MiB, open files (handles on Windows), threads."""

    memory: float
    files: int
    threads: int


@dataclass
class Soak:
    """Clients that send requests for a time in s or up to a number of requests.

    Attributes:
        statuses: number of responses by status.
        visits: number of visits by type; in each, a new owner stores something, reads it and deletes it.
        looks: ``LOOKS`` samples of the server's resources.
    """

    server: Running
    seconds: float
    requests: float
    profile_model: str | None  # a model that supports speaker profiles, if one can be loaded
    statuses: Counter[int] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)
    looks: list[Look] = field(default_factory=list)

    @property
    def flat(self) -> bool:
        """Whether memory is stable, and files and threads, which vary, are not always more in the second half."""
        first, last = self.looks[0], self.looks[-1]
        before, after = self.looks[: LOOKS // 2], self.looks[LOOKS // 2 :]
        files = min(look.files for look in after) <= max(look.files for look in before)
        threads = min(look.threads for look in after) <= max(look.threads for look in before)
        return files and threads and last.memory <= (1 + GROWTH) * first.memory

    @property
    def errors(self) -> int:
        """Number of 5xx responses other than 503."""
        return sum(number for status, number in self.statuses.items() if status >= 500 and status != 503)

    def run(self) -> Soak:
        """Runs the clients and samples the server's resources; a request that times out raises."""
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
        """A new owner stores something, reads it and deletes it; ends early at a 503."""
        owner = {"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}

        def ask(method: str, path: str, **what: Any) -> Any:
            answer = session.request(method, f"{self.server.address}/api/v1/{path}", headers=owner, timeout=60, **what)
            self.statuses[answer.status_code] += 1
            answer.raise_for_status()
            return answer.json() if answer.content else None

        recording = {"files": {"file": ("a.wav", good)}}
        kind = draw.choices(["stored", "live", "profile"], [3, 3, 1 if self.profile_model else 0])[0]
        try:
            if kind == "profile":
                ask("POST", "profiles", data={"name": "me", "model": self.profile_model}, **recording)
                assert [one["name"] for one in ask("GET", "profiles")["profiles"]] == ["me"]
                ask("DELETE", "profiles/me")
            else:
                identity = self._stored(ask, recording) if kind == "stored" else self._spoken(ask, good)
                assert ask("GET", f"sessions/{identity}")["id"] == identity
                ask("PATCH", f"sessions/{identity}", json={"title": "again"})
                ask("DELETE", f"sessions/{identity}")
                assert ask("GET", "sessions")["sessions"] == []
            self.visits[kind] += 1
        except requests.HTTPError as error:
            if error.response.status_code == 503:
                time.sleep(0.1)

    @staticmethod
    def _stored(ask: Callable[..., Any], recording: dict[str, Any]) -> str:
        return ask("POST", "analyse", data={"keep": "true"}, **recording)["session"]

    @staticmethod
    def _spoken(ask: Callable[..., Any], good: bytes) -> str:
        identity = ask("POST", "live", json={})["id"]
        for number in range(CHUNKS):
            ask("PUT", f"live/{identity}/chunks/{number}?start={number * SECONDS}", data=good)
        ask("POST", f"live/{identity}/end")
        return identity


def soak(server: Running, seconds: float, count: float) -> Soak:
    """Runs the clients for a time in s or a number of requests, after a warm-up."""
    profile_model = _profile_model(server)
    Soak(server, float("inf"), WARM_UP, profile_model).run()
    return Soak(server, seconds, count, profile_model).run()


def _profile_model(server: Running) -> str | None:
    """Returns a model that supports speaker profiles and can be loaded here; some need a download."""
    owner = {"Authorization": f"Bearer {secrets.token_urlsafe(32)}"}
    for model in requests.get(f"{server.address}/api/v1/models", timeout=60).json()["models"]:
        if model["profiles"]:
            form = {"data": {"name": "me", "model": model["name"]}, "files": {"file": ("a.wav", wav(None))}}
            if requests.post(f"{server.address}/api/v1/profiles", headers=owner, timeout=600, **form).ok:
                return model["name"]
    return None


def look(server: Running) -> Look:
    """Returns the current resources of the server's processes."""
    family = server.family
    files = sum(one.num_fds() if hasattr(one, "num_fds") else one.num_handles() for one in family)
    return Look(server.memory / MEBIBYTE, files, sum(one.num_threads() for one in family))


def main() -> None:
    """Prints the server's resources over time, and whether they grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, help="maximum duration")
    parser.add_argument("--requests", type=float, default=float("inf"), help="maximum number of requests")
    given = parser.parse_args()
    print_machine()
    with running_server() as server:
        found = soak(server, 60 * given.minutes, given.requests)
    for number, one in enumerate(found.looks, start=1):
        print(f"{number * 100 // LOOKS:3} %: {one.memory:.0f} MiB, {one.files} files, {one.threads} threads")
    print(f"{found.statuses.total()} requests: {dict(sorted(found.statuses.items()))}; visits: {dict(found.visits)}")
    print(f"{'stable' if found.flat else 'it GREW'}, {found.errors} errors")


if __name__ == "__main__":
    main()
