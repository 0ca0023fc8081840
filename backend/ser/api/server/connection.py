"""Closes slow and idle connections, including those of clients that do not read their answers.

Waitress only measures idle time, and never closes a connection whose request is being answered: a client that sends one
byte now and then, or does not read its answer, could hold a connection or a thread indefinitely.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable

from waitress.channel import HTTPChannel

REQUESTS = 8  # pipelined on one connection; browsers send one at a time
IDLE_SECONDS = 30.0  # until the next request begins
HEADER_SECONDS = 20.0  # for a whole header
STALL_SECONDS = 30.0  # within this, a body or an answer must advance by ``STALL_BYTES``
STALL_BYTES = 15_000  # 4 kbit/s: a tenth of a poor mobile connection


class Channel(HTTPChannel):
    """A connection with timeouts for idle, slow and stalled clients."""

    answered = 0  # requests handed to a thread
    _phase: tuple[str, int] = ("", 0)
    _since = 0.0  # start of the phase, or time of the last count
    _header_since: float | None = None  # start of the header that is arriving
    _counted = 0
    _sent = 0

    def received(self, data: bytes) -> bool:
        """Receives the next bytes; closes a connection with too many pipelined requests."""
        taken = super().received(data)
        if len(self.requests) > REQUESTS:
            with self.requests_lock:
                surplus, self.requests[1:] = self.requests[1:], []  # a thread is answering the first one
            for request in surplus:
                request.close()
            self.handle_close()
        return taken

    def del_channel(self, map: dict[int, object] | None = None) -> None:
        """Removes this connection from the server's maps, and no other.

        Waitress removes whichever connection has the descriptor. When a thread and the I/O thread close a connection at
        once, that may already be the next client's, which was then dropped.
        """
        descriptor, self._fileno = self._fileno, None
        for channels in (self._map if map is None else map, self.server.active_channels):
            if channels.get(descriptor) is self:
                del channels[descriptor]

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Sends as many bytes as the system accepts, and counts them."""
        sent = super().send(data, do_close)
        self._sent += sent
        return sent

    def overdue(self, now: float) -> bool:
        """Whether the connection has timed out; called about every second by the I/O thread.

        Args:
            now: monotonic time in s.
        """
        phase = self._now_doing()
        if (phase, self.answered) != self._phase:
            self._phase, self._since, self._header_since = (phase, self.answered), now, None
            self._counted = self._moved(phase)
        if phase == "asking":
            self._header_since = now if self._header_since is None and self.request is not None else self._header_since
            return (
                now - self._since > IDLE_SECONDS
                if self._header_since is None
                else now - self._header_since > HEADER_SECONDS
            )
        if phase == "answering" or now - self._since < STALL_SECONDS:
            return False
        before, self._counted, self._since = self._counted, self._moved(phase), now
        return self._counted - before < STALL_BYTES

    def check_client_disconnected(self) -> bool:
        """Whether the client has disconnected; may be called from the application's thread.

        Waitress only notices when it reads ahead, and would then not answer clients that half-close their connection.
        Those do get an answer here, but no long analysis: they cannot be told from clients that have gone.
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
        """Returns the bytes received or sent in a phase."""
        if phase == "sending":
            return self._sent
        body = self.request.body_rcv if phase == "receiving" and self.request is not None else None
        return 0 if body is None else len(body)


def is_own(address: str) -> bool:
    """Whether an address is a loopback address."""
    known = _read(address)
    return known is not None and known.is_loopback


def client_of(address: str) -> str:
    """Returns what an address counts as: itself, or for IPv6 its /64 network, which one household or office has."""
    known = _read(address)
    if known is None or known.version == 4:
        return str(known or address)
    return str(ipaddress.ip_network((int(known), 64), strict=False))


def _read(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Parses an address; an IPv4-mapped IPv6 address becomes the IPv4 one."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(known, "ipv4_mapped", None) or known


def crowds(address: str, others: Iterable[HTTPChannel], most: int) -> bool:
    """Whether a client already has the maximum number of connections; clients on this machine are not counted."""
    if is_own(address):
        return False
    client = client_of(address)
    return sum(client_of(other.addr[0]) == client for other in others) >= most


def close_overdue(channels: Iterable[HTTPChannel]) -> None:
    """Closes the connections that have timed out."""
    now = time.monotonic()
    for channel in [one for one in channels if one.overdue(now)]:
        channel.handle_close()
