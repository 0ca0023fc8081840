"""Completes the OpenAPI document with what APIFlask cannot infer from the code.

``ser openapi`` prints the document; ``backend/openapi.json`` is its committed copy, from which the page's types are
generated.
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
from ser.core.law import EU_LAW
from ser.core.settings import Settings
from ser.inference.export import Form
from ser.inference.windowing import HOP_SECONDS, LONG_SECONDS, MIN_HOP_SECONDS, WINDOW_LIMITS_SECONDS, WINDOW_SECONDS
from ser.models.calibration import COVERAGES

DESCRIPTION = (
    "Recognises the emotion in a voice, with a calibrated confidence. Recordings are analysed in memory and never "
    "stored; results are stored only on request and belong to the owner of a token. Every error is an "
    f"`application/problem+json` document.\n\n{EU_LAW}"
)
TAGS = [
    {"name": "Analyse", "description": "Send a recording and get its emotion."},
    {"name": "Live", "description": "Get answers while someone speaks, in chunks of up to 3 s."},
    {"name": "Sessions", "description": "Stored results of an owner, never audio."},
    {
        "name": "Profiles",
        "description": "Speaker profiles calibrate a model to a voice; statistics are stored, never audio.",
    },
    {"name": "About", "description": "Status, models, limits and version of this server."},
]
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_IDENTITY = {"description": "id of the request, also in the log", "schema": {"type": "string"}}
_TIMING = {"description": "duration of the analysis, such as analyse;dur=21.4 (ms)", "schema": {"type": "string"}}
_RETRY = {"description": "seconds to wait before trying again", "schema": {"type": "integer"}}
_UPLOADS = ("upload", "predict", "analyse")  # operations that accept a speaker and return Server-Timing
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
        "description": f"length of the analysis windows; {WINDOW_SECONDS:g} s for recordings over {LONG_SECONDS:g} s",
    },
    "hop_seconds": {
        "type": "number",
        "minimum": MIN_HOP_SECONDS,
        "description": f"from one window to the next, at most the window length; {HOP_SECONDS:g} s by default",
    },
    "coverage": {
        "type": "integer",
        "enum": list(COVERAGES),
        "description": "also return a set of emotions that contains the right one this often, in percent",
    },
    "speaker": {
        "type": "string",
        "description": "name of one of the owner's speaker profiles to calibrate with",
    },
    "emotions": {
        "type": "string",
        "description": "emotions to choose the answer from, two or more of the model, separated by commas; all by "
        "default",
        "example": "angry,happy,neutral",
    },
    "adapt": {
        "type": "boolean",
        "description": "adapt to the speaker of a recording of several windows, if the model can; 'true' by default",
    },
}
_KEEPING = {
    "title": {"type": "string", "description": "title of the session; the recording's name by default"},
    "keep": {
        "type": "boolean",
        "description": "store everything but the audio as a session of the owner; 'false' by default",
    },
}


def problems(*statuses: int) -> dict[int, dict[str, Any]]:
    """Returns the documentation of a route's error responses, one per status."""
    return {status: _problem_answer(status) for status in statuses}


def attachments(formats: Iterable[Form], shapes: Mapping[str, str]) -> dict[int, dict[str, Any]]:
    """Returns the documentation of a route that answers with a file in one of several formats.

    Args:
        formats: the formats.
        shapes: media type -> name of its schema, for formats other than text.
    """
    content = {form.media_type: {"schema": {"type": "string"}} for form in formats}
    for media_type, name in shapes.items():
        content[media_type]["schema"] = {"$ref": f"#/components/schemas/{name}"}
    return {200: {"description": "The file, as an attachment.", "content": content}}


def describe(app: APIFlask) -> None:
    """Sets up the parts of the document that do not come from routes."""
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
    """Renames nested schemas, which APIFlask calls ``Outer.Inner``, to ``Inner``."""
    text = json.dumps(document)
    for name in sorted(document["components"]["schemas"], key=len, reverse=True):
        text = text.replace(f'"{name}": ', f'"{name.rpartition(".")[2]}": ') if "." in name else text
        text = text.replace(f'schemas/{name}"', f'schemas/{name.rpartition(".")[2]}"')
    return json.loads(text)


def _recording(**more: Any) -> dict[str, Any]:
    formats = "the recording: wav, flac, mp3, ogg, opus, m4a, aac, webm, mp4, aiff"
    properties = {
        "file": _RECORDING | {"description": formats},
        "audio": _RECORDING | {"description": "alternative to the field 'file'; send one of the two"},
        **_OPTIONS,
        **more,
    }
    return _multipart(properties, oneOf=[{"required": ["file"]}, {"required": ["audio"]}])


def _voice() -> dict[str, Any]:
    several = {"type": "array", "items": _RECORDING, "minItems": 1, "maxItems": 20}
    properties = {
        "name": {"type": "string", "maxLength": 40, "description": "letters, digits, spaces, dots, dashes"},
        "model": _MODEL,
        "file": several | {"description": "recordings of one person; varied moods are best"},
    }
    return _multipart(properties, required=["name", "file"])


def _multipart(properties: dict[str, Any], **rules: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, **rules}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


_BODIES = {  # by operation id
    "upload": _recording(),
    "predict": _recording(),
    "analyse": _recording(**_KEEPING),
    "makeProfile": _voice(),
    "sendChunk": {"required": True, "content": {"audio/wav": {"schema": _RECORDING}}},
}
