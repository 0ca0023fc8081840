"""Records the finished items of a long run, so that an interrupted run can resume.

One line of JSON per item. A line that was being written when the run was killed is cut off, and its item is done again.
The first line describes the run: the log of another run is never resumed.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from ser.core.errors import SettingsError

ENDING = ".journal"


class Journal:
    """The resume log beside the file or folder that a run writes.

    Args:
        target: the file or folder that the run writes.
        run: description of the run, such as its model; must be the same to resume.
        resume: whether to resume from an existing log; otherwise it is discarded.

    Raises:
        SettingsError: the log cannot be read or written, or belongs to another run.
    """

    def __init__(self, target: Path, run: dict[str, Any], *, resume: bool):
        self._path = target.with_name(f"{target.name}{ENDING}")
        self.entries: list[dict[str, Any]] = []
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            known = self._read(run) if resume else 0
            self._file = self._path.open("r+b" if known else "wb")
            self._file.truncate(known)
            self._file.seek(known)
        except OSError as error:
            raise self._unusable(error) from error
        if not known:
            self._write(run)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, entry: dict[str, Any]) -> None:
        """Records one finished item.

        Raises:
            SettingsError: the log cannot be written, for instance because the disk is full.
        """
        self._write(entry)
        self.entries.append(entry)

    def finish(self) -> None:
        """Deletes the log; the run is complete and its output written."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _read(self, run: dict[str, Any]) -> int:
        """Reads the complete lines; returns their size in bytes."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return 0
        whole = content[: content.rfind(b"\n") + 1]
        try:
            head, *self.entries = [json.loads(line) for line in whole.splitlines()] or [run]
        except ValueError:
            head = None
        if head != run:
            raise SettingsError(
                f"{self._path} is the resume log of another run; use the same options as the interrupted run, or omit "
                "--resume to start over."
            )
        return len(whole)

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(entry).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> SettingsError:
        return SettingsError(f"{self._path} cannot be written: {error.strerror or error}.")
