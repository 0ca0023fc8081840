"""Measures the start-up time of the command line: ``python -m benchmarks.speed.startup``, in backend/.

Whole processes are timed, from start to exit.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.printing import print_figure, print_machine
from benchmarks.synthetic_speech import wav

HELP_SECONDS = 0.5
FIRST_PREDICTION_SECONDS = 3.0
BACKEND = Path(__file__).resolve().parents[2]


def time_command(arguments: list[str], times: int) -> list[float]:
    """Runs ``ser`` with ``arguments`` ``times`` times, in a fresh process each; returns the times in s.

    Raises:
        subprocess.CalledProcessError: the command failed.
    """
    found = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ser", *arguments], cwd=BACKEND, check=True, stdout=subprocess.DEVNULL)
        found.append(time.perf_counter() - started)
    return found


def main() -> None:
    """Measures ``--help`` and a first prediction."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, help="recording to predict; a synthetic one of 3 s by default")
    parser.add_argument("--times", type=int, default=10, choices=range(1, 51), metavar="1..50")
    given = parser.parse_args()
    print_machine()
    print_figure("ser --help", time_command(["--help"], given.times), HELP_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.wav"
        clip.write_bytes(wav(given.clip))
        times = time_command(["predict", str(clip), "--format", "json"], given.times)
    print_figure("first prediction in a fresh process", times, FIRST_PREDICTION_SECONDS)


if __name__ == "__main__":
    main()
