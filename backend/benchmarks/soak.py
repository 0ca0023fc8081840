"""Whether a server that works for long stays as small as it was: ``python -m benchmarks.soak 10``, in backend/.

Clients send good, damaged and no recordings for so many minutes; each minute the memory, open files and threads of all
of the server's processes are printed. What grows from the second minute to the last is a leak.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections import Counter
from itertools import cycle

import requests

from benchmarks.clips import wav
from benchmarks.report import print_machine
from benchmarks.serving import Running, running_server
from ser.settings import MEBIBYTE
from tests.malformed import malformed

CLIENTS = 8
GROWTH = 0.1  # of the memory after the first minute
FILES = 200


def client(server: Running, seed: int, end: float, statuses: Counter[int]) -> None:
    """Sends one request after the other until ``end``; adds up their statuses."""
    draw = random.Random(seed)
    damaged = cycle([content for _, content in malformed(FILES, seed=seed)])
    good = wav(None)
    with requests.Session() as session:
        while time.monotonic() < end:
            if draw.random() < 0.2:
                answer = session.get(f"{server.address}{draw.choice(['/', '/health', '/api/v1/models', '/none'])}")
            else:
                content = good if draw.random() < 0.6 else next(damaged)
                path = draw.choice(["/upload", "/predict", "/api/v1/analyse"])
                answer = session.post(f"{server.address}{path}", files={"file": ("a.wav", content)}, timeout=60)
            statuses[answer.status_code] += 1
            if answer.status_code == 503:
                time.sleep(0.1)


def sizes(server: Running) -> tuple[float, int, int]:
    """Returns memory in MiB, open files and threads of the server's processes."""
    family = server.family
    files = sum(one.num_fds() if hasattr(one, "num_fds") else one.num_handles() for one in family)
    return server.memory / MEBIBYTE, files, sum(one.num_threads() for one in family)


def main() -> None:
    """Prints the sizes each minute, and whether they stayed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=int, choices=range(2, 1441), metavar="2..1440")
    minutes = parser.parse_args().minutes
    print_machine()
    statuses: Counter[int] = Counter()
    with running_server() as server:
        end = time.monotonic() + 60 * minutes
        threads = [threading.Thread(target=client, args=(server, n, end, statuses)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        found = []
        for minute in range(1, minutes + 1):
            time.sleep(max(0.0, end - 60 * (minutes - minute) - time.monotonic()))
            found.append(sizes(server))
            print("minute {}: {:.0f} MiB, {} files, {} threads".format(minute, *found[-1]), flush=True)
        for thread in threads:
            thread.join()
    print(f"{statuses.total()} requests: {dict(sorted(statuses.items()))}")
    (first, _, threads_first), (last, _, threads_last) = found[0], found[-1]
    flat = last <= (1 + GROWTH) * first and threads_last <= threads_first
    errors = sum(number for status, number in statuses.items() if status >= 500 and status != 503)
    print(f"{'flat' if flat else 'it GREW'}, {errors} errors")


if __name__ == "__main__":
    main()
