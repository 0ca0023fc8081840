"""What is promised, what was measured, and whether it was kept: ``python -m benchmarks.scorecard``, in backend/.

``--full`` measures with the promised sizes and writes ``SCORECARD.md``; without, with small ones, in minutes. The tests
run the small ones, too.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.lines import Line

CARD = Path(__file__).with_name("SCORECARD.md")
GROUPS = ("decoding", "load", "kept", "same", "ease")  # modules promises_<group>, each with MEASURES


def measures() -> dict[str, Callable[[bool], list[Line]]]:
    """Returns what is measured: name of the promises -> a function of whether in full."""
    found: dict[str, Callable[[bool], list[Line]]] = {}
    for group in GROUPS:
        found |= importlib.import_module(f"benchmarks.promises_{group}").MEASURES
    return found


def run(full: bool, only: list[str]) -> Iterator[Line]:
    """Yields the lines of the card; a measurement that fails is a line, too."""
    for name, measure in measures().items():
        if only and not set(only) & set(name.split()):
            continue
        began = time.monotonic()
        try:
            yield from measure(full)
        except Exception as error:
            yield Line(name, "measured", f"{type(error).__name__}: {error}"[:200], False)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def table(lines: list[Line]) -> str:
    """Returns the card as Markdown."""
    rows = [f"| {line.promise} | {line.wanted} | {line.measured} | {line.verdict} |" for line in lines]
    return "\n".join(["| # | Promise | Measured | |", "|---|---|---|---|", *rows]) + "\n"


def head(full: bool) -> str:
    """Returns when, on what and how much was measured."""
    load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    sizes = "the promised sizes" if full else "small sizes"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}{load}, {sizes}."


def main() -> None:
    """Prints the card; the exit code is 1 where a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the promised sizes; takes an hour or more")
    parser.add_argument("only", nargs="*", help="promises to measure, such as R1; all of them where omitted")
    given = parser.parse_args()
    lines = list(run(given.full, given.only))
    text = f"{head(given.full)}\n\n{table(lines)}"
    print(text)
    if given.full and not given.only:
        CARD.write_text(
            f"# Scorecard\n\nMade by `python3 -m backend test --full`. {text}", encoding="utf-8", newline="\n"
        )
    sys.exit(0 if all(line.passed for line in lines) else 1)


if __name__ == "__main__":
    main()
