"""Owns who may have a recording analysed, and when: so many at a time, a few wait, the rest are told to come again.

What is refused costs next to nothing: the form of a refused request is not even read, and the server refuses most of
them before the application is called. All routes share the places, so that whatever clients send, those who are let in
wait at most for as long as one analysis takes.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ser.api.errors import RequestError
from ser.api.server.connection import client_of, is_own

ANALYSES = frozenset({"/upload", "/predict", "/api/v1/analyse"})  # a POST to them takes a place, whatever it holds
TOO_BUSY = "Too many recordings are being analysed at once. Send this one again in a second."
WAIT_SECONDS = 2.0  # who waited so long for a place is sent away
MINUTE = 60.0  # s
CLIENTS = 10_000  # so many are remembered; who came longest ago is forgotten first


class Gate:
    """The places for what is analysed at a time.

    Args:
        places: how many there are.
        waiting: how many may wait for one.
        seconds: how long.
    """

    def __init__(self, places: int, waiting: int, *, seconds: float = WAIT_SECONDS):
        self._places = places
        self._most = places + waiting
        self._seconds = seconds
        self._running = self._waiting = 0
        self._changed = threading.Condition()

    @property
    def full(self) -> bool:
        """Whether one that came now would be refused."""
        with self._changed:
            return self._running + self._waiting >= self._most

    @contextmanager
    def place(self) -> Iterator[None]:
        """Takes a place, after a short wait where all are taken.

        Raises:
            RequestError: too many wait already, or it took too long (``too_busy``).
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
    """How much of what each client may ask for in a minute it has left: it fills up again as time goes by.

    Args:
        rate: requests that a client may send in a minute, also all at once.
        clock: time in s.
    """

    def __init__(self, rate: int, *, clock: Callable[[], float] = time.monotonic):
        self._rate = rate
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> (requests left, when)
        self._changing = threading.Lock()

    def spend(self, address: str | None) -> None:
        """Counts one request of a client.

        Args:
            address: of the client; this machine's own, and None, are not counted.

        Raises:
            RequestError: it sent too many (``rate_limited``).
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
                f"More than {self._rate} requests a minute that analyse or change something came from this address. "
                "Send fewer, or wait.",
                "rate_limited",
            )


def _too_busy() -> RequestError:
    return RequestError(TOO_BUSY, "too_busy")
