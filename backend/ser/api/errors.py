"""Owns what goes wrong over HTTP: every error, from whichever layer, leaves as one ``application/problem+json`` shape.

``KINDS`` is the whole list of codes; the documentation page and the OpenAPI document are made from it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apiflask import HTTPError
from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from ser.api import telemetry
from ser.api.request_log import request_id
from ser.core.errors import SerError, StoreError
from ser.core.settings import MEBIBYTE

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One sort of problem: HTTP status, a title that never changes, and what it means for a person."""

    status: int
    title: str
    meaning: str


KINDS: dict[str, Kind] = {
    "bad_request": Kind(400, "The request cannot be read", "The request does not follow HTTP; check the client."),
    "form_invalid": Kind(400, "The form cannot be read", "The multipart body is damaged or has no boundary."),
    "value_invalid": Kind(400, "A value is out of range", "The detail names the field and what is expected."),
    "file_missing": Kind(400, "No recording came", "Send the recording as the multipart field 'file' or 'audio'."),
    "file_ambiguous": Kind(400, "Too many recordings came", "Send one recording per request, or 20 for a profile."),
    "client_gone": Kind(400, "The client did not wait for the answer", "Keep the connection open until it comes."),
    "profile_name": Kind(400, "This cannot name a profile", "Use up to 40 letters, digits, spaces, dots, dashes."),
    "owner_missing": Kind(401, "The request names no owner", "Send a random token of your own in 'Authorization'."),
    "not_found": Kind(404, "There is nothing at this address", "Check the path against the list above."),
    "model_unknown": Kind(404, "There is no such model", "Choose one that GET /api/v1/models lists."),
    "profile_unknown": Kind(404, "There is no such profile", "Choose one that GET /api/v1/profiles lists."),
    "session_unknown": Kind(404, "There is no such session", "Choose one that GET /api/v1/sessions lists."),
    "method_not_allowed": Kind(405, "The address exists, but not for this method", "Use a method named in 'Allow'."),
    "chunk_conflict": Kind(409, "The number has another chunk", "Give every chunk of a session its own number."),
    "session_ended": Kind(409, "The session was ended", "It takes no new chunk; begin another session."),
    "body_too_large": Kind(413, "The request is too large", "Send a shorter or a compressed recording."),
    "audio_empty": Kind(422, "The recording is empty", "The file holds no bytes or no samples; record again."),
    "audio_unreadable": Kind(422, "The recording cannot be decoded", "The file is damaged; export it again."),
    "audio_unsupported": Kind(422, "This is no supported recording", "Convert it to WAV, FLAC, MP3, OGG or M4A."),
    "audio_too_short": Kind(422, "The recording is too short", "Record at least a few words."),
    "audio_too_long": Kind(422, "The recording is too long", "Cut it into parts; GET /api/v1/limits says how long."),
    "audio_not_finite": Kind(422, "The recording holds values that are no numbers", "Export it as 16-bit WAV."),
    "audio_sample_rate": Kind(422, "The sampling rate is not supported", "Resample it, for instance to 16 kHz."),
    "audio_undecodable": Kind(422, "The recording is too much for the decoder", "Export it again as 16-bit WAV."),
    "profile_empty": Kind(422, "Nobody speaks in the recordings", "Record speech to make a profile from."),
    "profile_model": Kind(422, "The model cannot use this profile", "Enrol again with the model, or name another."),
    "quota_reached": Kind(422, "There is no room for more", "Delete what is not needed any more, then try again."),
    "rate_limited": Kind(429, "Too many requests came from one client", "Wait for the seconds of 'Retry-After'."),
    "internal_error": Kind(500, "The server made a mistake", "Try again; if it happens again, report the request id."),
    "not_implemented": Kind(
        501, "The server cannot do this", "The request uses an HTTP feature that is not supported."
    ),
    "not_ready": Kind(503, "The model is still loading", "Try again after the seconds that 'Retry-After' names."),
    "too_busy": Kind(503, "Too much is being analysed at once", "Send it again after the seconds of 'Retry-After'."),
    "store_unavailable": Kind(503, "The database of results does not answer", "What needs no database still works."),
}

RETRY_SECONDS = {"not_ready": 2, "too_busy": 1, "rate_limited": 10, "store_unavailable": 30}

_BY_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    429: "rate_limited",
    501: "not_implemented",
    503: "not_ready",
}


class RequestError(SerError):
    """A request that cannot be answered; ``code`` is one of ``KINDS``."""

    code = "bad_request"


def problem_body(code: str, detail: str, identity: str, status: int | None = None) -> dict[str, Any]:
    """Returns the problem document; ``type`` leads to the explanation on the documentation page."""
    kind = KINDS[code]
    return {
        "type": f"/docs#{code}",
        "title": kind.title,
        "status": status or kind.status,
        "detail": detail,
        "code": code,
        "request_id": identity,
    }


def problem(code: str, detail: str, headers: Mapping[str, str] | None = None, status: int | None = None) -> Response:
    """Returns a problem as the answer to the current request."""
    telemetry.refused(code)
    body = problem_body(code, detail, request_id(), status)
    answer = Response(json.dumps(body, ensure_ascii=False), body["status"], mimetype=MEDIA_TYPE)
    answer.headers.update(headers or {})
    return answer


def register(app: Flask) -> None:
    """Makes every error of ``app`` a problem."""
    app.register_error_handler(SerError, _on_known)
    app.register_error_handler(HTTPError, _on_invalid)
    app.register_error_handler(HTTPException, _on_http)
    app.register_error_handler(Exception, _on_unknown)


def _on_known(error: SerError) -> Response:
    if error.code not in KINDS:
        return _on_unknown(error)
    headers = {"Retry-After": str(RETRY_SECONDS[error.code])} if error.code in RETRY_SECONDS else {}
    if error.code == "owner_missing":
        headers["WWW-Authenticate"] = "Bearer"
    return problem(error.code, _detail(error), headers)


def _detail(error: SerError) -> str:
    """The error's own sentence, but for those that would tell a stranger where the database is."""
    if not isinstance(error, StoreError):
        return str(error)
    log.error("request %s: %s", request_id(), error)
    return (
        "The database of results does not answer, so nothing can be kept or looked up; analysing works without. The "
        f"server's log says why, under the request id {request_id()}."
    )


def _on_invalid(error: HTTPError) -> Response:
    """What a pydantic model refused: the fields with a reason each."""
    places = {name: reasons for fields in (error.detail or {}).values() for name, reasons in fields.items()}
    found = "; ".join(f"{name}: {', '.join(reasons)}" for name, reasons in places.items())
    return problem("value_invalid", f"The request cannot be used ({found[:500]}). /docs says what is expected.")


def _on_http(error: HTTPException) -> Any:
    if error.response is not None or (error.code or 500) < 400:
        return error
    status = error.code or 500
    code = _BY_STATUS.get(status, "bad_request" if status < 500 else "internal_error")
    headers = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    return problem(code, _explain(code, error), headers, status)


def _on_unknown(error: Exception) -> Response:
    log.error("request %s failed", request_id(), exc_info=error)
    return problem(
        "internal_error",
        "Something in the server went wrong; the recording was not kept. Try again; if it happens again, "
        f"report it with the request id {request_id()}.",
    )


def _explain(code: str, error: HTTPException) -> str:
    if code == "not_found":
        return f"There is nothing at {request.path}. /docs lists every address of the API."
    if isinstance(error, MethodNotAllowed):
        methods = " or ".join(sorted(set(error.valid_methods or ()) - {"HEAD", "OPTIONS"})) or "another method"
        return f"{request.method} is not possible at {request.path}; use {methods}."
    if code == "body_too_large":
        return too_large(request.content_length, current_app.config["MAX_CONTENT_LENGTH"])
    return error.description or KINDS[code].meaning


def too_large(size: int | None, limit: int) -> str:
    """Returns the sentence for a body of ``size`` bytes where at most ``limit`` are accepted."""
    if size is not None and size <= limit:
        return "A text field of the form is too long, or there are too many fields; send one file and a model name."
    came = "larger" if size is None else f"{size / MEBIBYTE:.1f} MiB"
    return (
        f"The request is {came}; at most {limit / MEBIBYTE:g} MiB are accepted. Cut the recording, or send it "
        "compressed, such as FLAC, MP3 or Opus."
    )
