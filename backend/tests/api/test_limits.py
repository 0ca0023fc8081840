"""Admission limits: concurrent analyses, the waiting queue, and the rate per client."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests

from ser.api.app import create_app, openapi_document
from ser.api.context import gate
from ser.api.errors import RequestError
from ser.api.limits import ANALYSES, Gate, Rates


def test_a_gate_never_admits_more_than_its_limit():
    gate, running, most, counting = Gate(3, 50), 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with gate.place():
            with counting:
                running += 1
                most = max(most, running)
            time.sleep(0.005)
            with counting:
                running -= 1

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(60)))
    assert most == 3 and not gate.full


def test_a_full_queue_refuses_immediately():
    gate = Gate(1, 1, seconds=5)
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with gate.place():
            inside.set()
            assert go_on.wait(10)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hold)
        assert inside.wait(5)
        second = pool.submit(hold)
        while not gate.full:
            time.sleep(0.005)
        began = time.monotonic()
        with pytest.raises(RequestError) as caught, gate.place():
            pytest.fail("a place was granted")
        assert caught.value.code == "too_busy" and time.monotonic() - began < 1
        go_on.set()
        first.result(), second.result()
    with gate.place():
        assert not gate.full


def test_waiting_too_long_is_refused_and_frees_the_queue():
    gate = Gate(1, 1, seconds=0.05)
    with gate.place(), pytest.raises(RequestError), gate.place():
        pytest.fail("a place was granted")
    with gate.place():
        assert not gate.full


def test_a_failure_releases_the_place():
    gate = Gate(1, 1)
    for _ in range(3):
        with pytest.raises(KeyError), gate.place():
            raise KeyError
    with gate.place():
        assert not gate.full


def test_the_rate_of_a_client_refills_over_time():
    now = 0.0
    rates = Rates(6, clock=lambda: now)
    for _ in range(6):
        rates.spend("192.0.2.1")
    with pytest.raises(RequestError) as caught:
        rates.spend("192.0.2.1")
    assert caught.value.code == "rate_limited"
    rates.spend("192.0.2.2")
    now = 10.0
    rates.spend("192.0.2.1")
    with pytest.raises(RequestError):
        rates.spend("192.0.2.1")
    now = 1e6
    for _ in range(6):
        rates.spend("192.0.2.1")
    with pytest.raises(RequestError):
        rates.spend("192.0.2.1")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", None])
def test_localhost_is_not_rate_limited(address):
    rates = Rates(1)
    for _ in range(100):
        rates.spend(address)


def test_the_number_of_tracked_clients_is_bounded(monkeypatch):
    monkeypatch.setattr("ser.api.limits.CLIENTS", 5)
    rates = Rates(1)
    for number in range(50):
        rates.spend(f"192.0.2.{number}")
    assert len(rates._left) == 5


def test_exceeding_the_rate_gives_a_retry_after(settings, registry, database, form, wav, problem_of):
    client = create_app(replace(settings, rate=2), registry, database).test_client()
    stranger, other = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.2"}
    for _ in range(2):
        assert client.post("/upload", **form(wav), environ_base=stranger).status_code == 200
    refused = client.post("/upload", **form(wav), environ_base=stranger)
    problem_of(refused, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get("/health", environ_base=stranger).status_code == 200
    assert client.post("/upload", **form(wav), environ_base=other).status_code == 200


def writing_routes() -> list[tuple[str, str]]:
    paths = openapi_document()["paths"]
    return [(path, method) for path, found in paths.items() for method in found if method != "get"]


@pytest.mark.parametrize(("path", "method"), writing_routes())
def test_every_writing_route_is_rate_limited(settings, registry, database, problem_of, path, method):
    client = create_app(replace(settings, rate=1), registry, database).test_client()
    address = path.replace("{id}", "a" * 32).replace("{sequence}", "0").replace("{name}", "a")
    stranger = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.open(address, method=method, environ_base=stranger).status_code != 429
    problem_of(client.open(address, method=method, environ_base=stranger), "rate_limited")
    assert client.get("/api/v1/models", environ_base=stranger).status_code == 200
    assert "429" in openapi_document()["paths"][path][method]["responses"]


@pytest.mark.parametrize(("proxies", "status"), [(0, 200), (1, 429)])
def test_forwarded_addresses_count_behind_trusted_proxies_only(
    settings, registry, database, form, wav, proxies, status
):
    app = create_app(replace(settings, rate=1, proxies=proxies), registry, database)
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    answers = [app.test_client().post("/upload", **form(wav), headers=forwarded).status_code for _ in range(2)]
    assert answers == [200, status]


@pytest.fixture
def full(app, monkeypatch) -> None:
    """An application whose places are all taken."""
    monkeypatch.setattr(gate(app), "_most", 0)


@pytest.mark.parametrize("address", sorted(ANALYSES))
def test_application_and_server_refusals_look_the_same(app, serve, full, address, problem_of, monkeypatch):
    here = problem_of(app.test_client().post(address), "too_busy")
    monkeypatch.setattr(app, "wsgi_app", lambda *_: pytest.fail("the application was called"))
    there = requests.post(f"{serve(app, full=lambda: gate(app).full).url}{address}", data=b"x" * 100_000, timeout=10)
    assert problem_of(there, "too_busy") | {"request_id": ""} == here | {"request_id": ""}
    assert int(there.headers["Retry-After"]) > 0


def test_a_refusal_keeps_the_connection_open_and_is_counted_and_logged(server, app, full, multipart, wav, caplog):
    body, kind = multipart(wav)

    def counted() -> str:
        text = requests.get(f"{server.url}/metrics", timeout=10).text
        return next(iter(re.findall(r'ser_requests_total{method="POST",route="/upload",status="503"} (.*)', text)), "0")

    before = float(counted())
    with caplog.at_level(logging.INFO, "ser.api"), requests.Session() as session:
        for _ in range(3):
            header = {"Content-Type": kind, "X-Request-ID": "mine"}
            answer = session.post(f"{server.url}/upload", data=body, headers=header, timeout=10)
            assert (answer.status_code, answer.headers["X-Request-ID"]) == (503, "mine")
        pool = next(iter(session.get_adapter(server.url).poolmanager.pools._container.values()))
        assert pool.num_connections == 1
    assert float(counted()) == before + 3
    lines = [record.getMessage() for record in caplog.records if "POST" in record.getMessage()]
    assert len(lines) == 3 and all(re.match(rf"POST /upload 503 in={len(body)} out=\d+ ", line) for line in lines)


@pytest.mark.parametrize("size", [0, 99_999_999_999])
def test_a_configured_origin_can_read_why_it_was_refused(settings, registry, database, serve, monkeypatch, size):
    """Covers refusals that never reach the application: no free place, and a body that is not read at all."""
    foreign = replace(settings, cors_origins=("https://example.org",))
    app = create_app(foreign, registry, database)
    monkeypatch.setattr(gate(app), "_most", 0)
    monkeypatch.setattr(app, "wsgi_app", lambda *_: pytest.fail("the application was called"))
    server = serve(app, full=lambda: gate(app).full, settings=foreign)

    def refused(origin: str) -> str:
        head = f"POST /upload HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nContent-Length: {size}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(head.encode())
            return connection.recv(1 << 16).decode()

    response = refused("https://example.org")
    assert response.startswith("HTTP/1.1 413" if size else "HTTP/1.1 503")
    assert "\r\nAccess-Control-Allow-Origin: https://example.org\r\n" in response and "\r\nVary: Origin\r\n" in response
    assert "Retry-After" in re.search("Access-Control-Expose-Headers: (.*)", response)[1]
    assert "Access-Control-Allow" not in refused("https://example.com")


def test_quick_requests_are_answered_while_all_analysis_threads_are_busy(
    settings, registry, database, serve, form, wav, monkeypatch
):
    go_on, analyse = threading.Event(), registry.get().analyse

    def slow(*given, **options):
        assert go_on.wait(20)
        return analyse(*given, **options)

    monkeypatch.setattr(registry.get(), "analyse", slow)
    server = serve(create_app(settings, registry, database))

    def upload(_: int) -> requests.Response:
        return requests.post(f"{server.url}/upload", files={"file": ("a.wav", wav)}, timeout=30)

    with ThreadPoolExecutor(12) as pool:
        uploads = [pool.submit(upload, number) for number in range(12)]
        while requests.get(f"{server.url}/ready", timeout=5).status_code == 200:
            time.sleep(0.01)
        for path in ("/health", "/", "/metrics"):
            began = time.perf_counter()
            assert requests.get(f"{server.url}{path}", timeout=5).status_code == 200
            assert time.perf_counter() - began < 1
        go_on.set()
        answers = [one.result() for one in uploads]
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 4 + [503] * 8
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
