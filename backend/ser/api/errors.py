"""Turns every error into one shape, an ``application/problem+json`` document (RFC 9457).

``KINDS`` lists all codes; the documentation page and the OpenAPI document are generated from it.
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
    """One kind of problem: its HTTP status, its title, and what the client can do."""

    status: int
    title: str
    meaning: str


KINDS: dict[str, Kind] = {
    "bad_request": Kind(400, "Malformed request", "The request does not follow HTTP; check the client."),
    "form_invalid": Kind(400, "The form cannot be read", "The multipart body is damaged or has no boundary."),
    "value_invalid": Kind(400, "Invalid value", "The detail names the field and the expected values."),
    "file_missing": Kind(400, "No recording was sent", "Send the recording as the multipart field 'file' or 'audio'."),
    "file_ambiguous": Kind(
        400, "Too many recordings were sent", "Send one recording per request, or up to 20 for a profile."
    ),
    "client_gone": Kind(400, "The client closed the connection", "Keep the connection open until the answer arrives."),
    "emotions_invalid": Kind(
        400, "Invalid choice of emotions", "Choose two or more different emotions of the model, or leave the field out."
    ),
    "profile_name": Kind(400, "Invalid profile name", "Use up to 40 letters, digits, spaces, dots, dashes."),
    "owner_missing": Kind(401, "No valid owner token", "Send a random token of your own in 'Authorization'."),
    "not_found": Kind(404, "Nothing at this address", "Check the path against the list above."),
    "model_unknown": Kind(404, "Unknown model", "Choose one that GET /api/v1/models lists."),
    "profile_unknown": Kind(404, "Unknown profile", "Choose one that GET /api/v1/profiles lists."),
    "session_unknown": Kind(404, "Unknown session", "Choose one that GET /api/v1/sessions lists."),
    "method_not_allowed": Kind(405, "Method not allowed at this address", "Use a method named in 'Allow'."),
    "chunk_conflict": Kind(409, "Another chunk has this number", "Give every chunk of a session its own number."),
    "session_ended": Kind(409, "The session has ended", "It accepts no new chunks; start another session."),
    "body_too_large": Kind(413, "The request is too large", "Send a shorter or a compressed recording."),
    "audio_empty": Kind(422, "The recording is empty", "The file has no bytes or no samples; record again."),
    "audio_unreadable": Kind(422, "The recording cannot be decoded", "The file is damaged; export it again."),
    "audio_unsupported": Kind(422, "Unsupported audio format", "Convert it to WAV, FLAC, MP3, OGG or M4A."),
    "audio_too_short": Kind(422, "The recording is too short", "Record at least a few words."),
    "audio_too_long": Kind(422, "The recording is too long", "Split it; GET /api/v1/limits gives the longest length."),
    "audio_not_finite": Kind(422, "The recording has invalid sample values", "Export it as 16-bit WAV."),
    "audio_sample_rate": Kind(422, "Unsupported sampling rate", "Resample it, for instance to 16 kHz."),
    "audio_undecodable": Kind(422, "The decoder failed on the recording", "Export it again as 16-bit WAV."),
    "profile_empty": Kind(422, "No speech in the recordings", "Record speech to make a profile from."),
    "profile_model": Kind(
        422, "The model cannot use this profile", "Enroll again with the model, or choose another one."
    ),
    "quota_reached": Kind(422, "Quota reached", "Delete what you no longer need, then try again."),
    "rate_limited": Kind(429, "Too many requests from one client", "Wait for the number of seconds in 'Retry-After'."),
    "internal_error": Kind(
        500, "Something went wrong on the server", "Try again; if it happens again, report the request id."
    ),
    "not_implemented": Kind(
        501, "Not supported by this server", "The request uses an HTTP feature that is not supported."
    ),
    "not_ready": Kind(503, "The model is still loading", "Try again after the number of seconds in 'Retry-After'."),
    "too_busy": Kind(503, "The server is busy", "Send it again after the number of seconds in 'Retry-After'."),
    "store_unavailable": Kind(503, "The database is unavailable", "Requests that need no database still work."),
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
    """Returns the problem document; ``type`` links to the explanation on the documentation page."""
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
    """Returns a problem as the response to the current request."""
    telemetry.refused(code)
    body = problem_body(code, detail, request_id(), status)
    answer = Response(json.dumps(body, ensure_ascii=False), body["status"], mimetype=MEDIA_TYPE)
    answer.headers.update(headers or {})
    return answer


def register(app: Flask) -> None:
    """Turns every error of ``app`` into a problem."""
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
    """Returns the message of an error; that of the database, which names its location, only goes to the log."""
    if not isinstance(error, StoreError):
        return str(error)
    log.error("request %s: %s", request_id(), error)
    return (
        "The database of stored results is unavailable, so nothing can be stored or looked up; analysis works without "
        f"it. The server's log has the reason under the request id {request_id()}."
    )


def _on_invalid(error: HTTPError) -> Response:
    """Reports what a pydantic model refused: the fields with a reason each."""
    places = {name: reasons for fields in (error.detail or {}).values() for name, reasons in fields.items()}
    found = "; ".join(f"{name}: {', '.join(reasons)}" for name, reasons in places.items())
    return problem("value_invalid", f"The request is invalid ({found[:500]}). /docs describes what is expected.")


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
        "Something went wrong on the server; the recording was not stored. Try again; if it happens again, "
        f"report it with the request id {request_id()}.",
    )


def _explain(code: str, error: HTTPException) -> str:
    if code == "not_found":
        return f"There is nothing at {request.path}. /docs lists all addresses of the API."
    if isinstance(error, MethodNotAllowed):
        methods = " or ".join(sorted(set(error.valid_methods or ()) - {"HEAD", "OPTIONS"})) or "another method"
        return f"{request.method} is not allowed at {request.path}; use {methods}."
    if code == "body_too_large":
        return too_large(request.content_length, current_app.config["MAX_CONTENT_LENGTH"])
    return error.description or KINDS[code].meaning


def too_large(size: int | None, limit: int) -> str:
    """Returns the message for a body of ``size`` bytes if at most ``limit`` are accepted."""
    if size is not None and size <= limit:
        return "A text field of the form is too long, or there are too many fields; send one file and a model name."
    came = "too large" if size is None else f"{size / MEBIBYTE:.1f} MiB"
    return (
        f"The request is {came}; at most {limit / MEBIBYTE:g} MiB are accepted. Shorten the recording, or send it "
        "compressed, for instance as FLAC, MP3 or Opus."
    )
