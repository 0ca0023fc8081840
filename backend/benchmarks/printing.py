"""Prints measurements: the machine, then one line per figure with its target."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence


def print_machine() -> None:
    """Prints the machine and its load, as a busy machine explains a slow figure."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}{load}")


def percentile(values: Sequence[float], percent: int) -> float:
    """Returns the nearest value that ``percent`` of the values do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -(-len(ranked) * percent // 100) - 1))]


def print_figure(
    what: str, seconds: Sequence[float], target: float | None = None, percents: Sequence[int] = ()
) -> None:
    """Prints the median of times in s, further percentiles, and whether the median meets its target in s."""
    median = statistics.median(seconds)
    tails = "".join(f", p{percent} {_text(percentile(seconds, percent))}" for percent in percents)
    verdict = "" if target is None else f" (target {_text(target)}: {'met' if median <= target else 'MISSED'})"
    print(f"{what}: median {_text(median)}{tails} of {len(seconds)}{verdict}")


def _text(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
