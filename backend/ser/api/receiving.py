"""Owns how waitress takes a request in: in memory only, bounded, and with problems as answers.

Waitress would write bodies over 512 KiB to a temporary file, and would answer a body over its own limit by closing the
connection, which a browser that is still sending shows as a network error. Here a body is kept up to the limit and
merely counted beyond it; the application sees the true size and answers 413 once the client has sent everything.
"""

from __future__ import annotations

import io
import json

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask

from ser.api.access import HEADER as REQUEST_ID
from ser.api.access import new_request_id
from ser.api.problems import MEDIA_TYPE, problem_body, too_large
from ser.api.security import HEADERS

DRAIN_BYTES = 1 << 30  # a body larger than this is not read to its end
_CODES = {413: "body_too_large", 501: "not_implemented", 500: "internal_error"}


class Body:
    """The bytes of one request: those up to the limit in memory, the rest counted."""

    def __init__(self, limit: int):
        self._limit = limit
        self._size = 0
        self._kept = io.BytesIO()

    def __len__(self) -> int:
        return self._size

    def append(self, data: bytes) -> None:
        """Takes the next bytes; once there are more than the limit, none of them is needed any more."""
        self._size += len(data)
        if self._size <= self._limit:
            self._kept.write(data)
        elif self._kept.tell():
            self._kept = io.BytesIO()

    def getfile(self) -> io.BytesIO:
        """Returns the bytes from the beginning; empty where the body is over the limit."""
        self._kept.seek(0)
        return self._kept

    def close(self) -> None:
        """Frees the memory."""
        self._kept = io.BytesIO()


class Parser(HTTPRequestParser):
    """Puts a ``Body`` where waitress would put a buffer that overflows into a file."""

    limit = 0  # bytes; set by ``channel_class``

    def parse_header(self, header_plus: bytes) -> None:
        """Reads the header; the receiver that it chose for the body gets a memory buffer."""
        super().parse_header(header_plus)
        if self.body_rcv is not None:
            self.body_rcv.buf = Body(self.limit)


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
        self.set_close_on_finish()
        self.content_length = len(content)
        self.write(content)


def channel_class(limit: int) -> type[HTTPChannel]:
    """Returns the class of connections whose bodies are kept up to ``limit`` bytes."""
    parser = type("Parser", (Parser,), {"limit": limit})
    return type("Channel", (HTTPChannel,), {"parser_class": parser, "error_task_class": ProblemTask})
