"""Owns the OpenAPI document: what APIFlask cannot read off the code is added here.

``ser openapi`` prints the document; ``backend/openapi.json`` is its committed copy, from which the page's
types are made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from apiflask import APIFlask

from ser.api.auth import SCHEME
from ser.api.errors import KINDS, MEDIA_TYPE
from ser.api.request_log import HEADER as REQUEST_ID
from ser.api.schemas import Problem
from ser.core.settings import Settings
from ser.inference.export import Form
from ser.inference.windowing import HOP_SECONDS, LONG_SECONDS, MIN_HOP_SECONDS, WINDOW_LIMITS_SECONDS, WINDOW_SECONDS
from ser.models.calibration import COVERAGES

DESCRIPTION = (
    "Names the emotion in a voice, says how sure it is, and admits when it cannot tell or nobody speaks. Recordings "
    "are analysed in memory and never kept; results are where that is asked for, and belong to the owner of a token. "
    "Every error is an `application/problem+json` document."
)
TAGS = [
    {"name": "Analyse", "description": "Send a recording, get its emotion."},
    {"name": "Live", "description": "Speak and be answered while you do, in chunks of up to 3 s."},
    {"name": "Sessions", "description": "What was kept for an owner: results, never audio."},
    {"name": "Profiles", "description": "Calibrate a model to a voice; statistics are kept, never audio."},
    {"name": "About", "description": "What this server is and can do."},
]
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_IDENTITY = {"description": "identity of the request, also in the log", "schema": {"type": "string"}}
_TIMING = {"description": "how long the analysis took, such as analyse;dur=21.4 (ms)", "schema": {"type": "string"}}
_RETRY = {"description": "s to wait before trying again", "schema": {"type": "integer"}}
_UPLOADS = ("upload", "predict", "analyse")  # operations that may name a speaker, and tell how long they took
_RECORDING = {"type": "string", "format": "binary"}
_MODEL = {
    "type": "string",
    "description": "name of a model that GET /api/v1/models lists",
    "example": Settings.model,
}
_OPTIONS = {
    "model": _MODEL,
    "window_seconds": {
        "type": "number",
        "minimum": WINDOW_LIMITS_SECONDS[0],
        "maximum": WINDOW_LIMITS_SECONDS[1],
        "description": "look at the recording in windows of this length; "
        f"{WINDOW_SECONDS:g} s where it is longer than {LONG_SECONDS:g} s",
    },
    "hop_seconds": {
        "type": "number",
        "minimum": MIN_HOP_SECONDS,
        "description": f"from one window to the next, at most the window; {HOP_SECONDS:g} s by default",
    },
    "coverage": {
        "type": "integer",
        "enum": list(COVERAGES),
        "description": "also name a set of emotions that holds the right one so often, in percent",
    },
    "speaker": {
        "type": "string",
        "description": "name of a profile of the owner; the answer is then calibrated to that voice",
    },
}
_KEEPING = {
    "title": {"type": "string", "description": "of the session; the recording's name where omitted"},
    "keep": {
        "type": "boolean",
        "description": "keep everything but the audio as a session of the owner; 'false' by default",
    },
}


def problems(*statuses: int) -> dict[int, dict[str, Any]]:
    """Returns the documentation of a route's error answers, one for each status."""
    return {status: _problem_answer(status) for status in statuses}


def attachments(formats: Iterable[Form], shapes: Mapping[str, str]) -> dict[int, dict[str, Any]]:
    """Returns the documentation of a route that answers with a file in one of some formats.

    Args:
        formats: which.
        shapes: media type -> name of the schema of what is not mere text.
    """
    content = {form.media_type: {"schema": {"type": "string"}} for form in formats}
    for media_type, name in shapes.items():
        content[media_type]["schema"] = {"$ref": f"#/components/schemas/{name}"}
    return {200: {"description": "The file, as an attachment.", "content": content}}


def describe(app: APIFlask) -> None:
    """Sets up what the document of ``app`` says beyond its routes."""
    app.config.update(AUTO_SERVERS=False, DESCRIPTION=DESCRIPTION, TAGS=TAGS)
    app.config.update(AUTO_VALIDATION_ERROR_RESPONSE=False, AUTO_AUTH_ERROR_RESPONSE=False, AUTO_404_RESPONSE=False)
    app.security_schemes = {"owner": SCHEME}
    app.spec_processor(_complete)


def _problem_answer(status: int) -> dict[str, Any]:
    codes = [code for code, kind in KINDS.items() if kind.status == status]
    return {
        "description": "; ".join(f"`{code}`: {KINDS[code].title}" for code in codes),
        "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
        "headers": {"Retry-After": _RETRY} if status in (429, 503) else {},
    }


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema()
    for operations in document["paths"].values():
        for operation in operations.values():
            if operation["operationId"] in _BODIES:
                operation["requestBody"] = _BODIES[operation["operationId"]]
            if operation["operationId"] in _UPLOADS:
                operation["security"] = [{}, {"owner": []}]
                operation["responses"]["200"].setdefault("headers", {})["Server-Timing"] = _TIMING
            for answer in operation["responses"].values():
                answer.setdefault("headers", {})[REQUEST_ID] = _IDENTITY
    return _with_plain_names(document)


def _with_plain_names(document: dict[str, Any]) -> dict[str, Any]:
    """Renames nested shapes, which APIFlask calls ``Outer.Inner``, to ``Inner``."""
    text = json.dumps(document)
    for name in sorted(document["components"]["schemas"], key=len, reverse=True):
        text = text.replace(f'"{name}": ', f'"{name.rpartition(".")[2]}": ') if "." in name else text
        text = text.replace(f'schemas/{name}"', f'schemas/{name.rpartition(".")[2]}"')
    return json.loads(text)


def _recording(**more: Any) -> dict[str, Any]:
    formats = "the recording: wav, flac, mp3, ogg, opus, m4a, aac, webm, mp4, aiff"
    properties = {
        "file": _RECORDING | {"description": formats},
        "audio": _RECORDING | {"description": "another name for the field 'file'; send one of the two"},
        **_OPTIONS,
        **more,
    }
    return _multipart(properties, oneOf=[{"required": ["file"]}, {"required": ["audio"]}])


def _voice() -> dict[str, Any]:
    several = {"type": "array", "items": _RECORDING, "minItems": 1, "maxItems": 20}
    properties = {
        "name": {"type": "string", "maxLength": 40, "description": "letters, digits, spaces, dots, dashes"},
        "model": _MODEL,
        "file": several | {"description": "recordings of one person, best in varied moods"},
    }
    return _multipart(properties, required=["name", "file"])


def _multipart(properties: dict[str, Any], **rules: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, **rules}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


_BODIES = {  # by operation
    "upload": _recording(),
    "predict": _recording(),
    "analyse": _recording(**_KEEPING),
    "makeProfile": _voice(),
    "sendChunk": {"required": True, "content": {"audio/wav": {"schema": _RECORDING}}},
}
