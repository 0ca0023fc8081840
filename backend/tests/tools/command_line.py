"""Runs the command line in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ser.core.settings import PROJECT


def ser(*arguments: str | Path, stdin: bytes | None = None) -> subprocess.CompletedProcess:
    """Returns the finished process with its output as bytes."""
    command = [sys.executable, "-m", "ser", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=PROJECT / "backend", timeout=120)
