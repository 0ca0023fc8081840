"""Atomic writes: a failed write leaves the old file intact."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser.core.atomic_write import write_atomically, write_text


def test_a_failed_write_leaves_the_old_file(tmp_path):
    file = tmp_path / "folder" / "file.txt"
    write_text(file, "old")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(file, fail)
    assert file.read_text() == "old"
    assert list(file.parent.iterdir()) == [file]
