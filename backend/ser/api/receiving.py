"""Owns how waitress takes a request in: in memory only, bounded, and with problems as answers.

Waitress would write bodies over 512 KiB to a temporary file, and would answer a body over its own limit by closing the
connection, which a browser that is still sending shows as a network error. Here a body is kept up to the limit and
merely counted beyond it; the application sees the true size and answers 413 once the client has sent everything. What
all bodies hold together is bounded, too: the ones for which there is no room are counted, and answered with 503.
"""

from __future__ import annotations

import io
import json
import weakref

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask
from waitress.utilities import Error

from ser.api.access import HEADER as REQUEST_ID
from ser.api.access import new_request_id
from ser.api.problems import MEDIA_TYPE, RETRY_SECONDS, problem_body, too_large
from ser.api.security import HEADERS

DRAIN_BYTES = 1 << 30  # a body larger than this is not read to its end
MOST_BODIES = 32  # of the largest size, in memory at a time
_CODES = {413: "body_too_large", 501: "not_implemented", 500: "internal_error", 503: "too_busy"}


class Memory:
    """What the bodies of a server hold together; a body that nobody needs any more counts no longer.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._bodies: weakref.WeakSet[Body] = weakref.WeakSet()

    def add(self, body: Body) -> None:
        """Counts a body from now on."""
        self._bodies.add(body)

    def has_room(self, size: int) -> bool:
        """Whether so many more bytes may be held."""
        return sum(body.held for body in self._bodies) + size <= self._limit


class NoRoom(Error):
    """The answer to a request whose body could not be held."""

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
        self._memory.add(self)
        self._size = 0
        self._kept = io.BytesIO()

    def __len__(self) -> int:
        return self._size

    def append(self, data: bytes) -> None:
        """Takes the next bytes; once there are more than the limit, none of them is needed any more."""
        self._size += len(data)
        self.refused = self.refused or not self._memory.has_room(len(data))
        if self._size <= self._limit and not self.refused:
            self._kept.write(data)
            self.held += len(data)
        elif self.held:
            self.close()

    def getfile(self) -> io.BytesIO:
        """Returns the bytes from the beginning; empty where the body is over the limit."""
        self._kept.seek(0)
        return self._kept

    def close(self) -> None:
        """Frees the memory."""
        self._kept = io.BytesIO()
        self.held = 0


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
                self.error = NoRoom("too many large requests are arriving at once; send this one again in a second")
        return taken


class ProblemTask(ErrorTask):
    """Answers what waitress itself refuses, such as a broken header, in the shape of all other problems."""

    def execute(self) -> None:
        """Writes the answer and closes the connection."""
        error = self.request.error
        code = _CODES.get(error.code, "bad_request")
        identity = new_request_id(None)
        detail = too_large(None, self.request.limit) if code == "body_too_large" else f"{error.reason}: {error.body}."
        content = json.dumps(problem_body(code, detail, identity, error.code)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([*HEADERS.items(), ("Content-Type", MEDIA_TYPE), (REQUEST_ID, identity)])
        if code in RETRY_SECONDS:
            self.response_headers.append(("Retry-After", str(RETRY_SECONDS[code])))
        self.set_close_on_finish()
        self.content_length = len(content)
        self.write(content)


def channel_class(limit: int) -> type[HTTPChannel]:
    """Returns the class of a server's connections, whose bodies are kept up to ``limit`` bytes."""
    parser = type("Parser", (Parser,), {"limit": limit, "memory": Memory(MOST_BODIES * limit)})
    return type("Channel", (HTTPChannel,), {"parser_class": parser, "error_task_class": ProblemTask})
