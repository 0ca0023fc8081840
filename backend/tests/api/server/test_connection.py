"""Limits of one connection: how long it can occupy a thread or a connection slot, and how many a client can open."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import requests

from ser.api.server import connection as connections
from ser.api.server.connection import REQUESTS, STALL_SECONDS, Channel, client_of, crowds, is_own

LARGE = 40 << 20  # more than the system's and waitress's buffers hold


def connect(server, sent: bytes = b"") -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(sent)
    return connection


def wait_for(what, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(connection: socket.socket) -> bool:
    """Whether the server closes a connection within 10 s."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def test_too_many_pipelined_requests_close_the_connection(server):
    asked = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(server, asked * 40) as first, connect(server, asked * 40) as second:
        assert requests.get(f"{server.url}/health", timeout=3).status_code == 200
        assert ended(first) and ended(second)
    wait_for(lambda: not server._channels())


def test_a_few_pipelined_requests_are_all_answered(server):
    asked = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(server, asked * (REQUESTS - 1) + asked.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as one:
        answer = b"".join(iter(lambda: one.recv(1 << 16), b""))
    assert answer.count(b"HTTP/1.1 200 OK") == REQUESTS


def test_a_client_that_does_not_read_frees_its_thread(serve, monkeypatch):
    """Two connections block both threads for quick requests; then the server closes them."""
    monkeypatch.setattr(connections, "STALL_SECONDS", 1.0)
    ends = threading.Semaphore(0)

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", str(LARGE if environ["PATH_INFO"] == "/large" else 2))])
        if environ["PATH_INFO"] != "/large":
            return [b"ok"]
        return pieces()

    def pieces():
        try:
            for _ in range(LARGE >> 20):
                yield bytes(1 << 20)
        finally:
            ends.release()

    server = serve(application)
    with connect(server, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"), connect(server, b"GET /large HTTP/1.1\r\n\r\n"):
        assert ends.acquire(timeout=10) and ends.acquire(timeout=10)
        monkeypatch.setattr(connections, "STALL_SECONDS", 30.0)  # for the next one, which may be late on a busy machine
        assert requests.get(server.url, timeout=3).text == "ok"
        wait_for(lambda: not server._channels())


def test_a_slow_reader_is_kept_until_it_stops_reading():
    channel = Channel.__new__(Channel)
    channel.requests, channel.request, channel.total_outbufs_len = [object()], None, 1
    for second in range(200):
        channel._sent += 600
        assert not channel.overdue(float(second))
    late = [second for second in range(200, 300) if channel.overdue(float(second))]
    assert late[0] - 199 <= 2 * STALL_SECONDS


@pytest.mark.parametrize(
    ("what", "sent"),
    [
        ("HEADER_SECONDS", b"GET / HTTP/1.1\r\nHost: x\r\nX: "),
        ("STALL_SECONDS", b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n"),
        ("STALL_SECONDS", b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;"),
        ("IDLE_SECONDS", b""),
        ("HEADER_SECONDS", b"\r\n\r\n"),
    ],
)
def test_a_slow_upload_is_closed(server, monkeypatch, what, sent):
    monkeypatch.setattr(connections, what, 1.0)
    byte = b"\n" if sent == b"\r\n\r\n" else b"x"
    with connect(server, sent) as dribbling:
        wait_for(lambda: server._channels())
        began = time.monotonic()
        while server._channels():
            assert time.monotonic() - began < 8
            time.sleep(0.1)
            if sent:
                try:
                    dribbling.sendall(byte)
                except ConnectionError:
                    break
        assert ended(dribbling)
        assert time.monotonic() - began > 0.5


def test_a_slow_but_steady_upload_is_answered(serve, monkeypatch):
    monkeypatch.setattr(connections, "STALL_SECONDS", 1.0)

    def application(environ, start_response):
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n"
    with connect(serve(application), head) as slow:
        for _ in range(25):
            slow.sendall(b"x" * 4000)
            time.sleep(0.13)
        assert b"".join(iter(lambda: slow.recv(1 << 16), b"")).endswith(b"x" * 100_000)


def test_an_old_connection_in_use_is_not_idle(server, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_SECONDS", 1.5)
    with requests.Session() as session:
        for _ in range(25):
            assert session.get(f"{server.url}/health", timeout=5).status_code == 200
            time.sleep(0.15)
        pool = next(iter(session.get_adapter(server.url).poolmanager.pools._container.values()))
        assert pool.num_connections == 1


@pytest.mark.parametrize("disconnect", [socket.socket.close, lambda one: one.shutdown(socket.SHUT_WR)])
def test_the_application_can_detect_a_disconnected_client(serve, disconnect):
    seen, asked = [], threading.Event()

    def application(environ, start_response):
        gone = environ["waitress.client_disconnected"]
        seen.append(gone())
        asked.set()
        wait_for(gone)
        seen.append(True)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]

    connection = connect(serve(application), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert asked.wait(5)
    disconnect(connection)
    wait_for(lambda: seen == [False, True])
    if connection.fileno() >= 0:  # a client that shuts down only its sending side still gets a response
        received = b""
        while not received.endswith(b"done"):  # header and body may arrive separately
            part = connection.recv(1 << 16)
            assert part
            received += part
        connection.close()


def test_connections_per_client_are_limited(app, serve, settings, monkeypatch):
    server = serve(app, settings=replace(settings, connections=3))
    monkeypatch.setattr(connections, "is_own", lambda _: False)
    held = [connect(server) for _ in range(3)]
    wait_for(lambda: len(server._channels()) == 3)
    with connect(server) as further:
        assert ended(further)
    held[0].close()
    wait_for(lambda: len(server._channels()) == 2)
    assert requests.get(f"{server.url}/health", timeout=5).status_code == 200
    for connection in held:
        connection.close()


@pytest.mark.parametrize("proxies", [0, 1])
def test_localhost_and_proxies_have_no_connection_limit(app, serve, settings, monkeypatch, proxies):
    server = serve(app, settings=replace(settings, connections=1, proxies=proxies))
    if proxies:
        monkeypatch.setattr(connections, "is_own", lambda _: False)
    held = [connect(server) for _ in range(5)]
    wait_for(lambda: len(server._channels()) == 5)
    for connection in held:
        connection.close()


def test_clients_are_identified_by_address_or_ipv6_network():
    channels = [SimpleNamespace(addr=(address, 1)) for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "::1")]
    assert crowds("192.0.2.1", channels, 1) and not crowds("192.0.2.1", channels, 2)
    assert not crowds("192.0.2.3", channels, 1)
    assert crowds("2001:db8::ffff", channels, 1) and not crowds("2001:db8:0:1::1", channels, 1)
    assert not crowds("::1", channels, 1) and not crowds("::ffff:127.0.0.1", channels, 1)
    assert client_of("::ffff:192.0.2.1") == client_of("192.0.2.1") == "192.0.2.1"
    assert client_of("nobody") == "nobody" and not is_own("nobody")
