"""Limits how many recordings are analysed at a time and how many requests a client may send.

A few requests wait for a place, further ones are refused. Refusing is cheap: the form of a refused request is not read,
and the server refuses most of them before the application is called. All routes share the places, so that admitted
requests wait at most for the duration of one analysis, whatever clients send.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ser.api.errors import RequestError
from ser.api.server.connection import client_of, is_own

ANALYSES = frozenset({"/upload", "/predict", "/api/v1/analyse"})  # every POST to these takes a place
TOO_BUSY = "Too many recordings are being analysed. Send this one again in a second."
WAIT_SECONDS = 2.0  # a request that waited this long for a place is refused
MINUTE = 60.0  # s
CLIENTS = 10_000  # number remembered; the least recent is forgotten first


class Gate:
    """Admits a limited number of analyses at a time.

    Args:
        places: number of analyses at a time.
        waiting: number of requests that may wait for a place.
        seconds: how long they may wait.
    """

    def __init__(self, places: int, waiting: int, *, seconds: float = WAIT_SECONDS):
        self._places = places
        self._most = places + waiting
        self._seconds = seconds
        self._running = self._waiting = 0
        self._changed = threading.Condition()

    @property
    def full(self) -> bool:
        """Whether a further request would be refused."""
        with self._changed:
            return self._running + self._waiting >= self._most

    @contextmanager
    def place(self) -> Iterator[None]:
        """Takes a place, after a short wait if all are taken.

        Raises:
            RequestError: too many are waiting, or the wait was too long (``too_busy``).
        """
        self._enter()
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify()

    def _enter(self) -> None:
        with self._changed:
            if self._running + self._waiting >= self._most:
                raise _too_busy()
            self._waiting += 1
            try:
                if not self._changed.wait_for(lambda: self._running < self._places, self._seconds):
                    raise _too_busy()
            finally:
                self._waiting -= 1
            self._running += 1


class Rates:
    """Limits the requests per minute of each client with a token bucket.

    Args:
        rate: requests per minute and client, also all at once.
        clock: monotonic time in s.
    """

    def __init__(self, rate: int, *, clock: Callable[[], float] = time.monotonic):
        self._rate = rate
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> (requests left, when)
        self._changing = threading.Lock()

    def spend(self, address: str | None) -> None:
        """Counts one request of a client.

        Args:
            address: of the client; those of this machine, and None, are not counted.

        Raises:
            RequestError: the client sent too many (``rate_limited``).
        """
        if address is None or is_own(address):
            return
        address, now = client_of(address), self._clock()
        with self._changing:
            left, since = self._left.pop(address, (float(self._rate), now))
            left = min(self._rate, left + (now - since) * self._rate / MINUTE)
            allowed = left >= 1
            self._left[address] = (left - 1 if allowed else left, now)
            if len(self._left) > CLIENTS:
                self._left.popitem(last=False)
        if not allowed:
            raise RequestError(
                f"This address sent more than {self._rate} requests a minute that analyse or change something. "
                "Send fewer, or wait.",
                "rate_limited",
            )


def _too_busy() -> RequestError:
    return RequestError(TOO_BUSY, "too_busy")
