"""Measures the latency of uploads: ``python -m benchmarks.speed.upload``, in backend/.

Starts the real server on a free loopback port and sends the same recording repeatedly, over one connection per client.
"""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

import requests

from benchmarks.local_server import admitted, running_server
from benchmarks.printing import print_figure, print_machine
from benchmarks.synthetic_speech import wav

UPLOAD_SECONDS = 0.050
WARM_UP = 5  # requests that are not counted


def time_uploads(address: str, content: bytes, times: int) -> list[float]:
    """Uploads ``content`` ``times`` times over one connection; returns the times in s without those of the warm-up.

    Raises:
        requests.HTTPError: an upload was refused.
    """
    found = []
    with requests.Session() as session:
        for _ in range(times + WARM_UP):
            started = time.perf_counter()
            answer = session.post(f"{address}/upload", files={"file": ("clip.wav", content)}, timeout=30)
            found.append(time.perf_counter() - started)
            answer.raise_for_status()
    return found[WARM_UP:]


def time_clients(address: str, content: bytes, times: int, clients: int) -> list[float]:
    """Uploads ``times`` in all from ``clients`` at once; returns the times in s."""
    found: list[float] = []
    share = max(1, times // clients)
    threads = [
        threading.Thread(target=lambda: found.extend(time_uploads(address, content, share))) for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def main() -> None:
    """Measures uploads from one client and from several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, help="recording to send; a synthetic one of 3 s by default")
    parser.add_argument("--times", type=int, default=200, choices=range(1, 2001), metavar="1..2000")
    parser.add_argument("--clients", type=int, default=admitted(), choices=range(1, 33), metavar="1..32")
    given = parser.parse_args()
    content = wav(given.clip)
    print_machine()
    with running_server() as server:
        address, seconds = server.address, server.seconds
        prediction = requests.post(f"{address}/upload", files={"file": ("clip.wav", content)}, timeout=30).json()
        print(f"{len(content) / 1000:.0f} kB, {prediction['duration_seconds']} s, {prediction['state']}")
        print_figure("server ready after", [seconds])
        print_figure("/upload, 1 client", time_uploads(address, content, given.times), UPLOAD_SECONDS, (95, 99))
        several = time_clients(address, content, given.times, given.clients)
        print_figure(f"/upload, {given.clients} clients", several, None, (95, 99))


if __name__ == "__main__":
    main()
