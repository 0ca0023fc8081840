"""Describes request bodies other than JSON for the OpenAPI document: multipart forms and audio."""

from __future__ import annotations

from typing import Any

from ser.core.settings import Settings
from ser.inference.windowing import HOP_SECONDS, LONG_SECONDS, MIN_HOP_SECONDS, WINDOW_LIMITS_SECONDS, WINDOW_SECONDS
from ser.models.calibration import COVERAGES

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
}
_KEEPING = {
    "title": {"type": "string", "description": "title of the session; the recording's name by default"},
    "keep": {
        "type": "boolean",
        "description": "store everything but the audio as a session of the owner; 'false' by default",
    },
}


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


BODIES = {  # by operation id
    "upload": _recording(),
    "predict": _recording(),
    "analyse": _recording(**_KEEPING),
    "makeProfile": _voice(),
    "sendChunk": {"required": True, "content": {"audio/wav": {"schema": _RECORDING}}},
}
