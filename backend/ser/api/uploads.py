"""Reads recordings and options from multipart requests, in memory only.

Werkzeug writes files over 500 kB to a temporary file; audio must never touch the disk, so ``MemoryRequest`` keeps them
in memory. ``MAX_CONTENT_LENGTH`` bounds the size beforehand.
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
    """Raises an error for a damaged form, where werkzeug would return a form without fields."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.silent = False


class MemoryRequest(Request):
    """A request that keeps uploaded files in memory and whose JSON cannot exhaust the stack."""

    form_data_parser_class = StrictFormParser

    def __init__(self, environ: dict[str, Any], *arguments: Any, **options: Any):
        if environ.get("CONTENT_LENGTH"):
            # With a known length, werkzeug compares that with the limit; otherwise it would refuse a body as soon as it
            # reaches the limit, one byte too early.
            environ.pop("wsgi.input_terminated", None)
        super().__init__(environ, *arguments, **options)

    def get_json(self, *arguments: Any, **options: Any) -> Any:
        """Reads a JSON body; answers 400 if it is nested too deeply."""
        try:
            return super().get_json(*arguments, **options)
        except RecursionError as error:
            raise BadRequest("The JSON is nested too deeply; send a flat object.") from error

    def _get_file_stream(self, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO()


@dataclass(frozen=True)
class Upload:
    """One recording as sent, with the requested options.

    Attributes:
        name: file name given by the client.
        content: bytes of the file.
        model: name of a model; None for the default.
        window_seconds: length of the windows; None for the default.
        hop_seconds: from one window to the next; None for the default.
        coverage: of the requested prediction set, in percent; None without one.
        speaker: name of the speaker profile to calibrate with; None without one.
        emotions: that the answer is chosen from, separated by commas; None for all.
        adapt: whether to adapt to the speaker of a recording of several windows.
    """

    name: str
    content: bytes
    model: str | None
    window_seconds: float | None
    hop_seconds: float | None
    coverage: int | None
    speaker: str | None
    emotions: str | None
    adapt: bool


def read_upload() -> Upload:
    """Reads the recording of the current request.

    Raises:
        RequestError: the form is damaged (``form_invalid``), an option is not a number (``value_invalid``), or there is
            no file (``file_missing``) or more than one (``file_ambiguous``).
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
        emotions=text_field("emotions"),
        adapt=flag_field("adapt", default=True),
    )


def read_files(fields: Sequence[str], most: int) -> list[tuple[str, bytes]]:
    """Returns the names and bytes of the recordings in the given fields of the current request.

    Args:
        fields: names of the fields.
        most: largest number of recordings.

    Raises:
        RequestError: the form is damaged (``form_invalid``), or contains no recording (``file_missing``) or too many
            (``file_ambiguous``).
    """
    try:
        every = [file for field in fields for file in request.files.getlist(field)]
    except ValueError as error:
        raise RequestError(
            f"The multipart form cannot be read ({error}). Let the HTTP client build the form and set its own "
            "Content-Type, which must name the boundary that the body uses.",
            "form_invalid",
        ) from error
    files = [file for file in every if file.filename or _size(file.stream)]  # browsers also send unused inputs
    if len(files) > most:
        wanted = "one. Send one request per recording" if most == 1 else f"at most {most}. Leave some out"
        raise RequestError(f"{len(files)} recordings were sent; expected {wanted}.", "file_ambiguous")
    if not files:
        raise RequestError(_explain_missing(), "file_missing")
    return [(_plain_name(file.filename), file.stream.getvalue()) for file in files]


def text_field(field: str) -> str | None:
    """Returns a text field of the current request's form; None if it is missing or empty."""
    return request.form.get(field) or None


def flag_field(field: str, *, default: bool = False) -> bool:
    """Returns a boolean field of the current request's form; ``default`` if it is missing or empty.

    Raises:
        RequestError: it is neither true nor false (``value_invalid``).
    """
    text = (text_field(field) or str(default)).lower()
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
    """Removes folders, which some clients include."""
    return PureWindowsPath(name or "recording").name[:MAX_NAME_CHARACTERS] or "recording"


def _explain_missing() -> str:
    wanted = "send the recording as a file in the multipart field 'file' (or 'audio')"
    example = "for instance curl -F file=@clip.wav"
    if request.mimetype != "multipart/form-data":
        came = f"of type {request.mimetype}" if request.mimetype else "without a Content-Type"
        return f"The body was sent {came}; {wanted}, {example}."
    if any(field in request.form for field in FIELDS):
        return f"The field was sent as text, not as a file; {wanted}, {example} (note the @)."
    other = sorted({*request.files, *request.form})
    if other and not any(field in request.files for field in FIELDS):
        return f"The form has {', '.join(repr(name[:40]) for name in other[:5])}, but no file; {wanted}, {example}."
    return f"The form contains no file; {wanted}, {example}."
