"""Measures the promises and prints the scorecard: ``python -m benchmarks.promises.scorecard``, in backend/.

``--full`` measures in the promised sizes and writes ``SCORECARD.md``, where lines that are not measured now stay as
they were; without it, small sizes take minutes. The tests run the small sizes, too.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.promises.lines import Line
from ser.core.atomic_write import write_text

CARD = Path(__file__).with_name("SCORECARD.md")
GROUPS = ("hostile_files", "load", "shown_by_tests", "same_answers", "ease", "long_run")  # modules, each with MEASURES


def measures() -> dict[str, Callable[[bool], list[Line]]]:
    """Returns the measurements: names of the promises -> a function of ``full``."""
    found: dict[str, Callable[[bool], list[Line]]] = {}
    for group in GROUPS:
        found |= importlib.import_module(f"benchmarks.promises.{group}").MEASURES
    return found


def run(full: bool, only: list[str]) -> Iterator[Line]:
    """Yields the lines of the card; a measurement that raises is a failed line."""
    for name, measure in measures().items():
        if only and not set(only) & set(name.split()):
            continue
        began = time.monotonic()
        try:
            yield from measure(full)
        except Exception as error:
            yield Line(name, "measured", f"{type(error).__name__}: {error}"[:200], False)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def table(rows: list[str]) -> str:
    """Returns the card as Markdown."""
    return "\n".join(["| # | Promise | Measured | | When |", "|---|---|---|---|---|", *rows]) + "\n"


def row(line: Line) -> str:
    """Returns a line as a row of the table, with the time, the machine's cores and its load."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores{load}"
    return f"| {line.promise} | {line.wanted} | {line.measured} | {line.verdict} | {when} |"


def merged(old: str, new: list[str]) -> list[str]:
    """Returns the rows of a card with the new rows in place of those of the same promises, in order."""
    kept = [one for one in old.splitlines() if re.match(r"\| [A-Z]+\d* ", one)]
    again = {_promise(one) for one in new}
    order = {name: number for number, names in enumerate(measures()) for name in names.split()}
    return sorted([*(one for one in kept if _promise(one) not in again), *new], key=lambda one: order[_promise(one)])


def _promise(row: str) -> str:
    return row.split("|")[1].strip()


def card(rows: list[str]) -> str:
    """Returns the whole card of measurements in the promised sizes; missing promises are listed."""
    found = set(map(_promise, rows))
    missing = ", ".join(name for names in measures() for name in names.split() if name not in found)
    left = f"\nNot measured yet: {missing}.\n" if missing else ""
    return f"# Scorecard\n\nMade by `python3 -m backend test --full`, in the promised sizes.\n\n{table(rows)}{left}"


def main() -> None:
    """Prints the card; the exit code is 1 if a promise was not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the promised sizes; takes an hour or more")
    parser.add_argument("only", nargs="*", help="promises to measure, such as R1; all by default")
    given = parser.parse_args()
    only = [name.upper() for name in given.only]
    known = [name for names in measures() for name in names.split()]
    if unknown := set(only) - set(known):
        parser.error(f"unknown promises: {', '.join(sorted(unknown))}; available: {', '.join(known)}")
    before = CARD.read_text(encoding="utf-8") if CARD.is_file() else ""
    lines, rows = [], []
    for line in run(given.full, only):
        lines.append(line)
        rows.append(row(line))
        if given.full:  # at once, so that an interruption loses nothing
            write_text(CARD, card(merged(before, rows)))
    print(f"In {'the promised sizes' if given.full else 'small sizes'}.\n\n{table(rows)}")
    sys.exit(0 if all(line.passed for line in lines) else 1)


if __name__ == "__main__":
    main()
