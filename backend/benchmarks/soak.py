"""Whether a server that works for long stays as small as it was: ``python -m benchmarks.soak 10``, in backend/.

Clients send good, damaged and no recordings for so many minutes, or ``--requests`` in all; ten times on the way the
memory, open files and threads of all of the server's processes are printed. What grows from the first time to the last
is a leak; before it, the server is warmed up.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle

import requests

from benchmarks.clips import wav
from benchmarks.report import print_machine
from benchmarks.serving import Running, admitted, running_server
from ser.settings import MEBIBYTE
from tests.malformed import malformed

GROWTH = 0.1  # of the memory
WARM_UP = 400  # requests; by then every kind has been answered and memory is what it stays
FILES = 200
LOOKS = 10  # at the server, on the way
SECONDS = 1.0  # of a good recording


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
        looks: at the server, ``LOOKS`` of them in the end.
    """

    server: Running
    seconds: float
    requests: float
    statuses: Counter[int] = field(default_factory=Counter)
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


def soak(server: Running, seconds: float, count: float) -> Soak:
    """Lets clients work for so long, or so many requests, once the server is warm."""
    Soak(server, float("inf"), WARM_UP).run()
    return Soak(server, seconds, count).run()


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
    print(f"{found.statuses.total()} requests: {dict(sorted(found.statuses.items()))}")
    print(f"{'flat' if found.flat else 'it GREW'}, {found.errors} errors")


if __name__ == "__main__":
    main()
