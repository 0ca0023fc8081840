"""Writes files atomically: a kill at any moment leaves the old content or the new, never a part of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def write_atomically(target: Path, write: Callable[[Path], object]) -> None:
    """Has ``write`` fill a file beside ``target``, flushes it to disk, then renames it to ``target``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Writes UTF-8 text atomically, with the same line endings on every system."""
    write_atomically(target, lambda part: part.write_text(text, encoding="utf-8", newline="\n"))
