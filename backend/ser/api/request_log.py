"""Gives each request an identity and writes its line to the log, as text or as one JSON object a line.

The line never contains names, form fields or audio; method, address, status, size and time are enough to find a fault.
For an address with a name or an id in it, the route's pattern is logged.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import uuid
from datetime import UTC, datetime
from urllib.parse import quote

from flask import Flask, Response, g, has_request_context, request

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
FIELDS = "ser_fields"  # attribute of a record with its values by name

log = logging.getLogger(__name__)


def new_request_id(given: str | None) -> str:
    """Returns the id sent by the client if it is short and plain, else a new one."""
    return given if given and SANE.fullmatch(given) else uuid.uuid4().hex


def request_id() -> str:
    """Returns the id of the current request."""
    if not has_request_context():
        return new_request_id(None)
    if "request_id" not in g:
        g.request_id = new_request_id(request.headers.get(HEADER))
    return g.request_id


def register(app: Flask) -> None:
    """Adds the request id to every answer of ``app`` and logs it."""
    app.before_request(_start)
    app.after_request(_finish)


def _address() -> str:
    """Returns the path, or the pattern of the route if it has placeholders for private names or ids."""
    rule = request.url_rule.rule if request.url_rule is not None else ""
    return rule if rule.startswith("/api/") and "<" in rule else quote(request.path)


def _start() -> None:
    g.started = time.perf_counter()
    request_id()


def _finish(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    tell(
        request.method,
        _address(),
        response.status_code,
        request.content_length or 0,
        response.content_length or 0,
        time.perf_counter() - g.get("started", time.perf_counter()),
        request_id(),
    )
    return response


def tell(method: str, address: str, status: int, taken: int, given: int, seconds: float, identity: str) -> None:
    """Logs one request.

    Args:
        method: HTTP method.
        address: path or pattern, without private names or ids.
        status: HTTP status.
        taken: bytes of the request body.
        given: bytes of the response body.
        seconds: response time.
        identity: request id.
    """
    fields = {
        "method": method,
        "address": address,
        "status": status,
        "bytes_in": taken,
        "bytes_out": given,
        "milliseconds": round(1000 * seconds, 1),
        "request_id": identity,
    }
    log.info("%s %s %d in=%d out=%d %.1f ms id=%s", *fields.values(), extra={FIELDS: fields})


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object: time, level, logger, message and the fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line of a record."""
        shape = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            shape["error"] = self.formatException(record.exc_info)
        return json.dumps(shape, ensure_ascii=False)


def set_up_logging(form: str) -> None:
    """Sends the log of this process to stderr.

    Args:
        form: ``text`` or ``json``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("ser").setLevel(logging.INFO)  # others stay at WARNING: torch logs a lot
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
