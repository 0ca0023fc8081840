"""Records each finished item of a long run, one JSON line apiece, so that a killed run can be resumed.

A line that was being written when the run was killed is cut off, so that its item is done once more. The first line
says which run the log belongs to: the log of another run is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from ser.core.errors import SettingsError
from ser.core.identity import as_json, identity

SUFFIX = ".resume.jsonl"
VERSION = 1  # of the first line


class ResumeLog:
    """The resume log beside the file or folder that a run writes.

    Args:
        target: what the run writes in the end.
        run: what decides the results, such as the model; has to be the same to resume.
        resume: whether to continue the log that is there; otherwise it is overwritten.

    Raises:
        SettingsError: the log cannot be read or written, or is that of another run.
    """

    def __init__(self, target: Path, run: dict[str, Any], *, resume: bool):
        self._path = target.with_name(f"{target.name}{SUFFIX}")
        self.entries: list[dict[str, Any]] = []
        head = {"version": VERSION, "identity": identity("resumable run", VERSION, run), "run": as_json(run)}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            kept = self._read(head) if resume else 0
            self._file = self._path.open("r+b" if kept else "wb")
            self._file.truncate(kept)
            self._file.seek(kept)
        except OSError as error:
            raise self._unusable(error) from error
        if not kept:
            self._write(head)

    def __enter__(self) -> ResumeLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, entry: dict[str, Any]) -> None:
        """Records one finished item.

        Raises:
            SettingsError: the disk is full or cannot be written to.
        """
        self._write(entry)
        self.entries.append(entry)

    def finish(self) -> None:
        """Deletes the log: the run is complete and its results are written."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _read(self, head: dict[str, Any]) -> int:
        """Reads the complete lines; returns where they end, in bytes."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return 0
        complete = content[: content.rfind(b"\n") + 1]
        try:
            found, *self.entries = [json.loads(line) for line in complete.splitlines()] or [head]
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.get("identity") != head["identity"]:
            raise SettingsError(
                f"{self._path} is the resume log of another run; repeat the interrupted command with the same "
                "options, or omit --resume to start over."
            )
        return len(complete)

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(entry).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> SettingsError:
        return SettingsError(f"{self._path} cannot be written: {error.strerror or error}.")
