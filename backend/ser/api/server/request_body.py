"""Owns how waitress takes a request in: in memory only, bounded, and with problems as answers.

Waitress would write bodies over 512 KiB to a temporary file, and would answer a body over its own limit by closing the
connection, which a browser that is still sending shows as a network error. Here a body is kept up to the limit and
merely counted beyond it; the application sees the true size and answers 413 once the client has sent everything. What
all bodies hold together is bounded, too: the ones for which there is no room are counted, and answered with 503.

What is refused here never reaches the application, but is counted and logged like all the rest.
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
    """What the bodies of a server hold together.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._held = 0
        self._changing = threading.Lock()

    def take(self, size: int) -> bool:
        """Counts so many more bytes as held; returns whether there was room for them."""
        with self._changing:
            room = self._held + size <= self._limit
            self._held += size if room else 0
        return room

    def give_back(self, size: int) -> None:
        """Counts so many bytes no longer."""
        with self._changing:
            self._held -= size


class TooBusy(Error):
    """A request that was read, and is refused because there is too much to do; its sentence is ``body``."""

    code = 503
    reason = "Service Unavailable"


class Body:
    """The bytes of one request: those up to the limit in memory, the rest counted.

    Attributes:
        held: bytes in memory.
        refused: whether there was no room for it.
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
        """Takes the next bytes; once there are more than the limit, none of them is needed any more."""
        self._size += len(data)
        wanted = self._size <= self._limit and not self.refused
        if wanted and self._memory.take(len(data)):
            self._kept.write(data)
            self.held += len(data)
        else:
            self.refused = self.refused or wanted
            self.close()

    def getfile(self) -> io.BytesIO:
        """Returns the bytes from the beginning; empty where the body is over the limit."""
        self._kept.seek(0)
        return self._kept

    def close(self) -> None:
        """Frees the memory."""
        if self.held:
            self._kept = io.BytesIO()
            self._memory.give_back(self.held)
            self.held = 0

    def __del__(self):
        self.close()  # of a client that went away


class Parser(HTTPRequestParser):
    """Puts a ``Body`` where waitress would put a buffer that overflows into a file."""

    limit = 0  # bytes; like ``memory``, set by ``channel_class``
    memory: Memory

    def parse_header(self, header_plus: bytes) -> None:
        """Reads the header; the receiver that it chose for the body gets a memory buffer."""
        super().parse_header(header_plus)
        if self.body_rcv is not None:
            self.body_rcv.buf = Body(self.limit, self.memory)

    def received(self, data: bytes) -> int:
        """Takes the next bytes; a request without room for its body becomes a problem once it has come as a whole."""
        taken = super().received(data)
        if self.completed and self.error is None and self.body_rcv is not None:
            body = self.body_rcv.getbuf()
            if body.refused and len(body) <= self.limit:
                self.error = TooBusy("Too many large requests are arriving at once. Send this one again in a second.")
        return taken


class ProblemTask(ErrorTask):
    """Answers what waitress itself refuses, such as a broken header, in the shape of all other problems."""

    origins: tuple[str, ...] = ()  # foreign ones whose pages may read it; set by ``channel_class``

    def execute(self) -> None:
        """Writes the answer, and closes the connection of a request that was not read to its end."""
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
        """Counts and logs the answer; where the request was sent is only told of what is nobody's own."""
        request, seconds = self.request, time.perf_counter() - began
        method, path = getattr(request, "command", ""), getattr(request, "path", "")  # not in a broken header
        method, route = method if method in telemetry.METHODS else "other", path if path in ANALYSES else "none"
        taken = len(request.body_rcv) if request.body_rcv is not None else 0
        telemetry.refused(code)
        telemetry.answered(method, route, request.error.code, seconds)
        tell(method, route, request.error.code, taken, self.content_length, seconds, identity)


def channel_class(limit: int, origins: tuple[str, ...] = ()) -> type[Channel]:
    """Returns the class of a server's connections.

    Args:
        limit: bytes of a body that are kept.
        origins: foreign ones whose pages may read what is refused here.
    """
    parser = type("Parser", (Parser,), {"limit": limit, "memory": Memory(MOST_BODIES * limit)})
    problem = type("ProblemTask", (ProblemTask,), {"origins": origins})
    return type("Channel", (Channel,), {"parser_class": parser, "error_task_class": problem})
