"""Writes predictions to stdout or to files, one by one or all together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ser.cli.options import Export
from ser.core.atomic_write import write_text
from ser.core.errors import SettingsError
from ser.core.prediction import Prediction
from ser.inference.export import FORMATS, to_csv

if TYPE_CHECKING:
    from ser.core.resume_log import ResumeLog

LINES = (Export.text, Export.jsonl)  # printed one by one, so that a long run shows its results


class Printer:
    """Writes predictions in one format.

    Args:
        form: the format.
        out: file or folder to write into; None writes to stdout.
        several: whether several recordings were asked for.
        log: resume log, takes the predictions for a file that holds all of them, and has those of an interrupted run.

    Raises:
        SettingsError: the format needs one file per recording, and ``out`` is not a folder.
    """

    def __init__(self, form: Export, out: Path | None, *, several: bool, log: ResumeLog | None = None):
        self._form, self._out, self._several = form, out, several
        self._log = log
        self._found = [Prediction.from_dict(entry) for entry in log.entries] if log else []
        self._written: set[Path] = set()
        self._single = form in FORMATS and form is not Export.csv  # one file per recording
        if self._single and several and (out is None or out.is_file()):
            raise SettingsError(f"The format {form.value} needs one file per recording; name a folder with --out.")

    def add(self, prediction: Prediction) -> None:
        """Adds a prediction; writes it now if the format allows."""
        if self._single:
            self._write(FORMATS[self._form].write(prediction), self._file(prediction))
            return
        self._found.append(prediction)
        if self._log:
            self._log.add(prediction.to_dict())
        if self._form in LINES and self._out is None:
            typer.echo(self._line(prediction))

    def close(self) -> None:
        """Writes the formats that need all predictions."""
        if self._single or (self._form in LINES and self._out is None):
            return
        if self._form in LINES:
            self._write("".join(f"{self._line(one)}\n" for one in self._found), self._out)
        elif self._form is Export.csv:
            self._write(to_csv(self._found), self._out)
        elif self._several or self._found:
            self._write(self._json() + "\n", self._out)
        if self._log:
            self._log.finish()

    def _line(self, prediction: Prediction) -> str:
        return prediction.to_json() if self._form is Export.jsonl else prediction.to_text()

    def _json(self) -> str:
        import json

        shapes = [one.to_dict() for one in self._found]
        return json.dumps(shapes if self._several else shapes[0], indent=2, ensure_ascii=False)

    def _file(self, prediction: Prediction) -> Path | None:
        if self._out is None or not (self._several or self._out.is_dir()):
            return self._out
        name = Path(prediction.file).stem if prediction.file not in ("", "-") else "stdin"
        suffix = FORMATS[self._form].suffix
        file, number = self._out / f"{name}{suffix}", 1
        while file in self._written:  # recordings of the same name in several folders
            number += 1
            file = self._out / f"{name}-{number}{suffix}"
        self._written.add(file)
        return file

    def _write(self, text: str, file: Path | None) -> None:
        if file is None:
            typer.echo(text, nl=False)
            return
        try:
            write_text(file, text)
        except OSError as error:
            raise SettingsError(f"{file} cannot be written: {error.strerror or error}.") from error
