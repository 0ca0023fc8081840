"""Builds the command and environment that start this package in another process, with the same Python.

No fork and no import of the caller's main module, so that it works everywhere and from any program.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def python_command(program: Sequence[str]) -> list[str]:
    """Returns the command by which this Python runs a program, such as ``("-m", "ser.audio.decode_worker")``.

    ``-P`` keeps the working directory off the import path: a user's file may be called torch.py.
    """
    return [sys.executable, "-P", *program]


def python_environment(**more: str) -> dict[str, str]:
    """Returns this process's environment with this package importable and with ``more``."""
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path} | more
