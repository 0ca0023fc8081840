"""Receives request bodies in memory, within bounds, and refuses requests with problem documents.

Waitress would write bodies over 512 KiB to a temporary file, and would close the connection of a body over its limit,
which a browser that is still sending reports as a network error. Here a body is kept up to the limit and only counted
beyond it; the application sees the true size and answers 413 once the client has sent everything. The memory of all
bodies together is bounded, too: those that do not fit are counted and answered with 503.

Requests refused here never reach the application, but are counted and logged like all others.
"""

from __future__ import annotations

import io
import json
import threading
import time

from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask
from waitress.utilities import Error

from ser.api import telemetry
from ser.api.errors import MEDIA_TYPE, RETRY_SECONDS, problem_body, too_large
from ser.api.headers import HEADERS, foreign_headers
from ser.api.limits import ANALYSES
from ser.api.request_log import HEADER as REQUEST_ID
from ser.api.request_log import new_request_id, tell
from ser.api.server.connection import Channel

DRAIN_BYTES = 1 << 30  # a body larger than this is not read to its end
MOST_BODIES = 32  # of the largest size, in memory at a time
_CODES = {413: "body_too_large", 501: "not_implemented", 500: "internal_error", 503: "too_busy"}


class Memory:
    """Bounds the memory of all request bodies of a server.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._held = 0
        self._changing = threading.Lock()

    def take(self, size: int) -> bool:
        """Reserves bytes; returns whether there was room for them."""
        with self._changing:
            room = self._held + size <= self._limit
            self._held += size if room else 0
        return room

    def give_back(self, size: int) -> None:
        """Releases bytes."""
        with self._changing:
            self._held -= size


class TooBusy(Error):
    """A complete request that is refused because the server is busy; ``body`` is the message."""

    code = 503
    reason = "Service Unavailable"


class Body:
    """The body of one request, in memory up to the limit and only counted beyond it.

    Attributes:
        held: bytes in memory.
        refused: whether there was no memory left for it.
    """

    def __init__(self, limit: int, memory: Memory | None = None):
        self.held = 0
        self.refused = False
        self._limit = limit
        self._memory = memory or Memory(limit)
        self._size = 0
        self._kept = io.BytesIO()

    def __len__(self) -> int:
        return self._size

    def append(self, data: bytes) -> None:
        """Adds the next bytes; beyond the limit, the body is dropped and only counted."""
        self._size += len(data)
        wanted = self._size <= self._limit and not self.refused
        if wanted and self._memory.take(len(data)):
            self._kept.write(data)
            self.held += len(data)
        else:
            self.refused = self.refused or wanted
            self.close()

    def getfile(self) -> io.BytesIO:
        """Returns the body as a file; empty if it is over the limit."""
        self._kept.seek(0)
        return self._kept

    def close(self) -> None:
        """Frees the memory."""
        if self.held:
            self._kept = io.BytesIO()
            self._memory.give_back(self.held)
            self.held = 0

    def __del__(self):
        self.close()  # if the client disconnected


class Parser(HTTPRequestParser):
    """Replaces waitress's buffer, which overflows into a file, by a ``Body``."""

    limit = 0  # bytes; like ``memory``, set by ``channel_class``
    memory: Memory

    def parse_header(self, header_plus: bytes) -> None:
        """Parses the header; the receiver of the body gets a memory buffer."""
        super().parse_header(header_plus)
        if self.body_rcv is not None:
            self.body_rcv.buf = Body(self.limit, self.memory)

    def received(self, data: bytes) -> int:
        """Receives the next bytes; a request whose body does not fit is refused once it is complete."""
        taken = super().received(data)
        if self.completed and self.error is None and self.body_rcv is not None:
            body = self.body_rcv.getbuf()
            if body.refused and len(body) <= self.limit:
                self.error = TooBusy("Too many large requests are arriving at once. Send this one again in a second.")
        return taken


class ProblemTask(ErrorTask):
    """Answers requests that waitress refuses, such as a broken header, with a problem document."""

    origins: tuple[str, ...] = ()  # other origins whose pages may read it; set by ``channel_class``

    def execute(self) -> None:
        """Writes the answer, and closes the connection if the request was not read completely."""
        error, began = self.request.error, time.perf_counter()
        code = _CODES.get(error.code, "bad_request")
        identity = new_request_id(self.request.headers.get("X_REQUEST_ID"))
        detail = f"{error.reason}: {error.body}."
        if isinstance(error, TooBusy):
            detail = error.body
        elif code == "body_too_large":
            detail = too_large(None, self.request.limit)
        content = json.dumps(problem_body(code, detail, identity, error.code)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([*HEADERS.items(), ("Content-Type", MEDIA_TYPE), (REQUEST_ID, identity)])
        self.response_headers.extend(foreign_headers(self.origins, self.request.headers.get("ORIGIN")).items())
        if code in RETRY_SECONDS:
            self.response_headers.append(("Retry-After", str(RETRY_SECONDS[code])))
        if not isinstance(error, TooBusy):
            self.set_close_on_finish()
        self.content_length = len(content)
        self.write(content)
        self._tell(code, identity, began)

    def _tell(self, code: str, identity: str, began: float) -> None:
        """Counts and logs the answer; addresses other than ``ANALYSES`` may be private and are not logged."""
        request, seconds = self.request, time.perf_counter() - began
        method, path = getattr(request, "command", ""), getattr(request, "path", "")  # missing with a broken header
        method, route = method if method in telemetry.METHODS else "other", path if path in ANALYSES else "none"
        taken = len(request.body_rcv) if request.body_rcv is not None else 0
        telemetry.refused(code)
        telemetry.answered(method, route, request.error.code, seconds)
        tell(method, route, request.error.code, taken, self.content_length, seconds, identity)


def channel_class(limit: int, origins: tuple[str, ...] = ()) -> type[Channel]:
    """Returns the connection class of a server.

    Args:
        limit: bytes of a body that are kept in memory.
        origins: other origins whose pages may read these answers.
    """
    parser = type("Parser", (Parser,), {"limit": limit, "memory": Memory(MOST_BODIES * limit)})
    problem = type("ProblemTask", (ProblemTask,), {"origins": origins})
    return type("Channel", (Channel,), {"parser_class": parser, "error_task_class": problem})
