"""Request bodies over real HTTP: exact limits, a readable 413, and no file on disk."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Iterator

import pytest
import requests

from ser.api.errors import MEDIA_TYPE
from ser.api.server.request_body import Body, Memory
from ser.core.settings import MEBIBYTE

LIMIT = 25 * MEBIBYTE


def post(server, body, kind, **options):
    return requests.post(f"{server.url}/upload", data=body, headers={"Content-Type": kind}, timeout=60, **options)


def chunks(body: bytes, size: int = 1 << 16) -> Iterator[bytes]:
    """Yields a body in pieces; requests then sends it with chunked transfer encoding."""
    return (body[start : start + size] for start in range(0, len(body), size))


def raw(server, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Sends all bytes unchanged before reading; returns status, headers (names in lower case) and body."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(status.split()[1]), headers, body


@pytest.mark.parametrize(("extra", "status"), [(-1, 200), (0, 200), (1, 413)])
def test_limit_is_exact_in_the_application(client, wav, multipart, extra, status):
    body, kind = multipart(wav, LIMIT + extra)
    assert len(body) == LIMIT + extra
    assert client.post("/upload", data=body, content_type=kind).status_code == status


@pytest.mark.parametrize(("extra", "status"), [(-1, 200), (0, 200), (1, 413)])
@pytest.mark.parametrize("chunked", [False, True])
def test_limit_is_exact_over_http(server, wav, multipart, problem_of, extra, status, chunked):
    body, kind = multipart(wav, LIMIT + extra)
    answer = post(server, chunks(body) if chunked else body, kind)
    assert answer.status_code == status
    if status == 413:
        assert "at most 25 MiB" in problem_of(answer, "body_too_large")["detail"]


@pytest.mark.parametrize("size", [30_000_000, 100 * MEBIBYTE])
def test_client_that_sends_the_whole_body_first_can_read_the_413(server, size):
    head = (
        f"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=c\r\nContent-Length: {size}"
    )
    status, headers, body = raw(server, f"{head}\r\nConnection: close\r\n\r\n".encode() + bytes(size))
    assert status == 413
    assert headers["content-type"] == MEDIA_TYPE
    assert f"{size / MEBIBYTE:.1f} MiB" in json.loads(body)["detail"]


def test_body_refused_before_it_is_read_is_a_problem(server):
    head = "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    status, headers, body = raw(server, head.encode())
    assert status == 413
    assert json.loads(body)["code"] == "body_too_large"
    assert headers["x-request-id"] == json.loads(body)["request_id"]


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nbroken header\r\n\r\n", 400, "bad_request"),
        (b"POST /upload HTTP/1.1\r\nContent-Length: ten\r\n\r\n", 400, "bad_request"),
        (b"POST /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", 400, "bad_request"),
        (b"POST /upload HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "not_implemented"),
        ((b"GET / HTTP/1.1\r\nX: " + b"x" * 262_144)[:262_144], 431, "bad_request"),
    ],
)
def test_errors_of_the_server_itself_have_the_same_shape(server, request_bytes, status, code):
    answered, headers, body = raw(server, request_bytes)
    problem = json.loads(body)
    assert (answered, problem["status"], problem["code"]) == (status, status, code)
    assert headers["content-type"] == MEDIA_TYPE
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "waitress" not in body.decode()


def test_server_does_not_reveal_its_software(server):
    assert "waitress" not in str(requests.get(f"{server.url}/health", timeout=10).headers).lower()


@pytest.mark.parametrize("chunked", [False, True])
def test_audio_never_reaches_the_disk(server, wav, multipart, tmp_path, monkeypatch, chunked):
    opened: list[str] = []
    genuine = os.open

    def watch(path, flags, *rest, **options):
        if flags & (os.O_WRONLY | os.O_RDWR | getattr(os, "O_TMPFILE", 0)):
            opened.append(str(path))
        return genuine(path, flags, *rest, **options)

    def refuse(*_, **__):
        opened.append("a temporary file")
        raise OSError("no temporary files here")

    monkeypatch.setattr(os, "open", watch)
    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp", "mkdtemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for size in (100_000, 400_000, 600_000, 1_200_000, 6_000_000, 24_000_000):
        body, kind = multipart(wav, size)
        assert post(server, chunks(body) if chunked else body, kind).status_code == 200
    assert opened == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_body_is_kept_up_to_the_limit_and_only_counted_beyond():
    body = Body(10)
    body.append(b"12345")
    body.append(b"67890")
    assert (len(body), body.getfile().read()) == (10, b"1234567890")
    body.append(b"x")
    assert (len(body), body.getfile().read()) == (11, b"")
    body.append(b"x" * 100)
    assert len(body) == 111 and body._kept.getbuffer().nbytes == 0


def test_bodies_share_the_memory_budget_and_release_it():
    memory = Memory(25)
    first, second = Body(10, memory), Body(10, memory)
    for body in (first, second):
        body.append(b"1234567890")
    third = Body(10, memory)
    third.append(b"12345")
    assert not third.refused and third.held == 5
    third.append(b"6")
    assert (third.refused, third.held, len(third), third.getfile().read()) == (True, 0, 6, b"")
    third.append(b"7")
    assert third.held == 0, "a body with a gap is discarded"
    first.close()
    fourth = Body(10, memory)
    fourth.append(b"1234567890")
    assert not fourth.refused
    del fourth, second, body  # the last body of the loop above is still open
    assert memory.take(25) and not memory.take(1)


def test_body_beyond_the_memory_budget_gets_a_retry_after(app, serve, wav, multipart, problem_of, monkeypatch):
    monkeypatch.setattr("ser.api.server.request_body.MOST_BODIES", 1)
    server = serve(app)
    body, kind = multipart(wav, LIMIT)
    head = f"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {LIMIT}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
        slow.sendall(head + bytes(LIMIT // 2))
        refused = post(server, body, kind)
        problem_of(refused, "too_busy")
        assert int(refused.headers["Retry-After"]) > 0
        small, kind_of_small = multipart(wav)
        assert post(server, small, kind_of_small).status_code == 200
    assert post(server, body, kind).status_code == 200


def test_connection_is_kept_between_requests(server, wav, multipart):
    body, kind = multipart(wav)
    with requests.Session() as session:
        for _ in range(5):
            answer = session.post(f"{server.url}/upload", data=body, headers={"Content-Type": kind}, timeout=10)
            assert answer.status_code == 200
        pool = next(iter(session.get_adapter(server.url).poolmanager.pools._container.values()))
        assert pool.num_connections == 1
