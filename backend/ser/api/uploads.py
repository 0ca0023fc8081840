"""Owns the way from a multipart request to the bytes of one recording, in memory from end to end.

Werkzeug moves files over 500 kB to a temporary file; audio must never touch the disk, so ``MemoryRequest`` keeps it.
The size is bounded before: by ``MAX_CONTENT_LENGTH``.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any

from flask import Request, request
from werkzeug.exceptions import BadRequest
from werkzeug.formparser import FormDataParser

from ser.api.errors import RequestError

FIELDS = ("file", "audio")
MAX_NAME_CHARACTERS = 255
_FLAGS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}


class StrictFormParser(FormDataParser):
    """Says that a form is damaged, where werkzeug's answer would be a form without fields."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.silent = False


class MemoryRequest(Request):
    """A request that keeps uploaded files in memory, and whose JSON cannot exhaust the stack."""

    form_data_parser_class = StrictFormParser

    def __init__(self, environ: dict[str, Any], *arguments: Any, **options: Any):
        if environ.get("CONTENT_LENGTH"):
            # With the length known, werkzeug compares it with the limit; a body whose end only the server knows would
            # be refused as soon as it reaches the limit, one byte too early.
            environ.pop("wsgi.input_terminated", None)
        super().__init__(environ, *arguments, **options)

    def get_json(self, *arguments: Any, **options: Any) -> Any:
        """Reads a body of JSON; one that is nested too deeply to be read is the client's mistake, too."""
        try:
            return super().get_json(*arguments, **options)
        except RecursionError as error:
            raise BadRequest("The JSON is nested too deeply; send a plain object.") from error

    def _get_file_stream(self, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO()


@dataclass(frozen=True)
class Upload:
    """One recording as it came, and what was asked for.

    Attributes:
        name: the client's name for it.
        content: its bytes.
        model: name of a model; None where none was named.
        window_seconds: length of the windows; None where none was named.
        hop_seconds: from one window to the next; None where none was named.
        coverage: of the set that is asked for, in percent; None where none is.
        speaker: name of the profile to calibrate with; None where none was named.
    """

    name: str
    content: bytes
    model: str | None
    window_seconds: float | None
    hop_seconds: float | None
    coverage: int | None
    speaker: str | None


def read_upload() -> Upload:
    """Reads the recording of the current request.

    Raises:
        RequestError: the form is damaged (``form_invalid``) or names windows that there cannot be
            (``value_invalid``), or holds no (``file_missing``) or several files (``file_ambiguous``).
    """
    ((name, content),) = read_files(FIELDS, 1)
    return Upload(
        name=name,
        content=content,
        model=text_field("model"),
        window_seconds=_number("window_seconds", float),
        hop_seconds=_number("hop_seconds", float),
        coverage=_number("coverage", int),
        speaker=text_field("speaker"),
    )


def read_files(fields: Sequence[str], most: int) -> list[tuple[str, bytes]]:
    """Reads the names and the bytes of the recordings in some fields of the current request.

    Args:
        fields: names of the fields.
        most: how many recordings there may be.

    Raises:
        RequestError: the form is damaged (``form_invalid``), or holds no recording (``file_missing``) or too many
            (``file_ambiguous``).
    """
    try:
        every = [file for field in fields for file in request.files.getlist(field)]
    except ValueError as error:
        raise RequestError(
            f"The multipart form cannot be read ({error}). Let the HTTP client build the form and set its own "
            "Content-Type: it must name the boundary that the body uses.",
            "form_invalid",
        ) from error
    files = [file for file in every if file.filename or _size(file.stream)]  # a form sends unused inputs, too
    if len(files) > most:
        wanted = "one. Send one request for each of them" if most == 1 else f"at most {most}. Leave some out"
        raise RequestError(f"{len(files)} recordings came; expected {wanted}.", "file_ambiguous")
    if not files:
        raise RequestError(_explain_missing(), "file_missing")
    return [(_plain_name(file.filename), file.stream.getvalue()) for file in files]


def text_field(field: str) -> str | None:
    """Returns a text field of the current request's form; None where it is missing or empty."""
    return request.form.get(field) or None


def flag_field(field: str) -> bool:
    """Returns a field of the current request's form that is yes or no; no where it is missing or empty.

    Raises:
        RequestError: it is neither (``value_invalid``).
    """
    text = (text_field(field) or "false").lower()
    if text not in _FLAGS:
        raise RequestError(f"{field} is {text[:40]!r}; expected 'true' or 'false'.", "value_invalid")
    return _FLAGS[text]


def _number(field: str, kind: type) -> Any:
    text = text_field(field)
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError as error:
        raise RequestError(f"{field} is {text[:40]!r}; expected a number.", "value_invalid") from error


def _size(stream: io.BytesIO) -> int:
    return stream.getbuffer().nbytes


def _plain_name(name: str | None) -> str:
    """Cuts off folders, which some clients send along."""
    return PureWindowsPath(name or "recording").name[:MAX_NAME_CHARACTERS] or "recording"


def _explain_missing() -> str:
    wanted = "send the recording as a file in the multipart field 'file' (or 'audio')"
    example = "for instance curl -F file=@clip.wav"
    if request.mimetype != "multipart/form-data":
        came = f"of type {request.mimetype}" if request.mimetype else "without a Content-Type"
        return f"The body came {came}; {wanted}, {example}."
    if any(field in request.form for field in FIELDS):
        return f"The field came as text, not as a file; {wanted}, {example} (mind the @)."
    other = sorted({*request.files, *request.form})
    if other and not any(field in request.files for field in FIELDS):
        return f"The form has {', '.join(repr(name[:40]) for name in other[:5])}, but no file; {wanted}, {example}."
    return f"The form holds no file; {wanted}, {example}."
