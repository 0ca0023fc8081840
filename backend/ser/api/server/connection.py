"""Owns when a connection has had its time: who dribbles, or does not read what it asked for, holds up nobody.

Waitress measures silence alone, and never closes a connection with a request that is being answered: one byte now and
then, or an answer that nobody reads, would hold a connection or a thread for as long as the client likes.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable

from waitress.channel import HTTPChannel

REQUESTS = 8  # asked for at once on one connection; browsers ask for one
IDLE_SECONDS = 30.0  # until the next request begins
HEADER_SECONDS = 20.0  # for a whole header
STALL_SECONDS = 30.0  # a body, or an answer, moves on by ``STALL_BYTES`` in each such time
STALL_BYTES = 15_000  # 4 kbit/s: a tenth of what a telephone has on the edge of a network


class Channel(HTTPChannel):
    """A connection that knows when it has had its time."""

    answered = 0  # requests handed to a thread
    _phase: tuple[str, int] = ("", 0)
    _since = 0.0  # when that began, or when bytes were last counted
    _heard: float | None = None  # when the header that is arriving began
    _counted = 0
    _sent = 0

    def received(self, data: bytes) -> bool:
        """Takes the next bytes; who asks for too much at once is closed, answers and all."""
        taken = super().received(data)
        if len(self.requests) > REQUESTS:
            with self.requests_lock:
                surplus, self.requests[1:] = self.requests[1:], []  # a thread has the first one
            for request in surplus:
                request.close()
            self.handle_close()
        return taken

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Sends what the system takes, and counts it."""
        sent = super().send(data, do_close)
        self._sent += sent
        return sent

    def overdue(self, now: float) -> bool:
        """Whether it has had its time; asked every second or so by the thread that reads and sends.

        Args:
            now: time in s, of a clock that only goes forward.
        """
        phase = self._now_doing()
        if (phase, self.answered) != self._phase:
            self._phase, self._since, self._heard = (phase, self.answered), now, None
            self._counted = self._moved(phase)
        if phase == "asking":
            self._heard = now if self._heard is None and self.request is not None else self._heard
            return now - self._since > IDLE_SECONDS if self._heard is None else now - self._heard > HEADER_SECONDS
        if phase == "answering" or now - self._since < STALL_SECONDS:
            return False
        before, self._counted, self._since = self._counted, self._moved(phase), now
        return self._counted - before < STALL_BYTES

    def check_client_disconnected(self) -> bool:
        """Whether nobody waits for the answer any more; the application may ask, from its thread.

        Waitress would know only where it reads ahead, and would then give those nothing who say that they have sent
        everything. These get their answer, but no long work is done for them: they look like those who have gone.
        """
        try:
            return not self.connected or self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _now_doing(self) -> str:
        if self.total_outbufs_len:
            return "sending"
        if self.requests:
            return "answering"
        return "receiving" if self.request is not None and self.request.headers_finished else "asking"

    def _moved(self, phase: str) -> int:
        """Bytes that came or went, as far as they count."""
        if phase == "sending":
            return self._sent
        body = self.request.body_rcv if phase == "receiving" and self.request is not None else None
        return 0 if body is None else len(body)


def is_own(address: str) -> bool:
    """Whether an address is this machine's."""
    known = _read(address)
    return known is not None and known.is_loopback


def client_of(address: str) -> str:
    """What an address counts as: itself, or the network that one household or office has of IPv6."""
    known = _read(address)
    if known is None or known.version == 4:
        return str(known or address)
    return str(ipaddress.ip_network((int(known), 64), strict=False))


def _read(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Reads an address; one of IPv4 that came over IPv6 is what it was."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(known, "ipv4_mapped", None) or known


def crowds(address: str, others: Iterable[HTTPChannel], most: int) -> bool:
    """Whether a client has all the connections already that it may have; this machine's own are not counted."""
    if is_own(address):
        return False
    client = client_of(address)
    return sum(client_of(other.addr[0]) == client for other in others) >= most


def close_overdue(channels: Iterable[HTTPChannel]) -> None:
    """Closes the connections that have had their time: also those whose system takes no more bytes to send."""
    now = time.monotonic()
    for channel in [one for one in channels if one.overdue(now)]:
        channel.handle_close()
