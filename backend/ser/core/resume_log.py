"""Owns what a long run leaves behind when it is killed: one line for each thing done, from which the next run goes on.

A line that was being written at that moment is cut off again, so that what it was about is done once more. The name of
the run stands in the first line: a journal of another run is never gone on with.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from ser.core.errors import SettingsError

ENDING = ".journal"


class Journal:
    """The journal beside the file or folder that a run writes.

    Args:
        target: what the run writes in the end.
        run: what the run is, such as its model; has to be the same to go on.
        resume: whether to go on with what is there; otherwise it is thrown away.

    Raises:
        SettingsError: it cannot be read or written, or is that of another run.
    """

    def __init__(self, target: Path, run: dict[str, Any], *, resume: bool):
        self._path = target.with_name(f"{target.name}{ENDING}")
        self.entries: list[dict[str, Any]] = []
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            kept = self._read(run) if resume else 0
            self._file = self._path.open("r+b" if kept else "wb")
            self._file.truncate(kept)
            self._file.seek(kept)
        except OSError as error:
            raise self._unusable(error) from error
        if not kept:
            self._write(run)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, entry: dict[str, Any]) -> None:
        """Notes one thing that was done.

        Raises:
            SettingsError: the disk is full or not to be written to.
        """
        self._write(entry)
        self.entries.append(entry)

    def finish(self) -> None:
        """Throws the journal away: the run is over, and what it made is where it belongs."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _read(self, run: dict[str, Any]) -> int:
        """Reads the whole lines; returns where they end, in bytes."""
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
                f"{self._path} is not the journal of this run but of another one; run what was interrupted with the "
                "same options, or leave --resume out to begin anew."
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
