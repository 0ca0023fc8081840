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
from ser.api.forms import BODIES
from ser.api.request_log import HEADER as REQUEST_ID
from ser.api.schemas import Problem
from ser.inference.export import Form

DESCRIPTION = (
    "Recognises the emotion in a voice, with a calibrated confidence. Recordings are analysed in memory and never "
    "stored; results are stored only on request and belong to the owner of a token. Every error is an "
    "`application/problem+json` document."
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
            if operation["operationId"] in BODIES:
                operation["requestBody"] = BODIES[operation["operationId"]]
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
