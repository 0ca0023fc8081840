"""The production server: ports, concurrent requests, and a graceful shutdown that loses no request."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from ser.api.app import create_app
from ser.api.server.run import DEFAULT_PORT, _share_cores, bind, run
from ser.core.errors import ModelError, SettingsError

BACKEND = Path(__file__).resolve().parents[3]


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_port_zero_picks_any_free_port():
    with bind("127.0.0.1", 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert listener.getsockname()[1] > 0


def test_an_explicit_port_in_use_is_an_error(taken):
    with pytest.raises(SettingsError, match=f"Port {taken} is in use .* --port"):
        bind("127.0.0.1", taken)


def test_default_port_falls_back_to_the_next(taken, monkeypatch):
    monkeypatch.setattr("ser.api.server.run.DEFAULT_PORT", taken)
    with bind("127.0.0.1", None) as listener:
        assert taken < listener.getsockname()[1] < taken + 100


def test_all_default_ports_in_use(taken, monkeypatch):
    monkeypatch.setattr("ser.api.server.run.DEFAULT_PORT", taken)
    monkeypatch.setattr("ser.api.server.run.PORTS_TO_TRY", 1)
    with pytest.raises(SettingsError, match="all in use"):
        bind("127.0.0.1", None)


def test_port_used_on_all_addresses_counts_as_taken():
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        with pytest.raises(SettingsError, match="in use"):
            bind("127.0.0.1", other.getsockname()[1])


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("127.0.0.1", -1), ("no-such-host.invalid", 0)])
def test_invalid_addresses_are_refused(host, port):
    with pytest.raises(SettingsError):
        bind(host, port)


def test_default_port_is_the_documented_one():
    assert DEFAULT_PORT == 5000


def test_requests_are_answered_in_parallel(serve):
    meeting = threading.Barrier(4)

    def application(_, start_response):
        meeting.wait(5)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    server = serve(application)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: requests.post(server.url, timeout=10).status_code, range(4)))
    assert answers == [200] * 4


def test_slow_uploads_do_not_delay_others(server):
    head = b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(20)]
    for connection in slow:
        connection.sendall(head + b"x")
    started = time.perf_counter()
    assert requests.get(f"{server.url}/health", timeout=5).status_code == 200
    assert time.perf_counter() - started < 2
    for connection in slow:
        connection.close()


def read_all(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(4096), b""))


def slow_application(seconds: float, begun: threading.Semaphore):
    def application(environ, start_response):
        body = environ["wsgi.input"].read()
        begun.release()
        time.sleep(seconds)
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    return application


def test_stop_loses_no_request_in_flight(serve):
    """Twelve requests on four threads, so most are still queued when the server stops."""
    begun = threading.Semaphore(0)
    server = serve(slow_application(0.2, begun))
    connections = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(12)]
    for number, connection in enumerate(connections):
        head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 8\r\n\r\n"
        connection.sendall(f"{head}clip {number:3d}".encode())
    begun.acquire()
    server.stop()
    for number, connection in enumerate(connections):
        answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(f"clip {number:3d}".encode())
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=2)


def test_stop_waits_for_a_body_that_is_still_arriving(serve):
    server = serve(slow_application(0.0, threading.Semaphore(0)))
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\nConnection: close\r\n\r\nhalf")
        time.sleep(0.2)
        server.stop()
        time.sleep(0.2)
        connection.sendall(b"done")
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"halfdone")


def test_stop_is_bounded(serve, monkeypatch):
    monkeypatch.setattr("ser.api.server.run.STOP_SECONDS", 0.3)
    begun = threading.Semaphore(0)
    server = serve(slow_application(2.0, begun))
    pool = ThreadPoolExecutor(1)
    waiting = pool.submit(requests.get, server.url, timeout=10)
    begun.acquire()
    started = time.monotonic()
    server.stop()
    with pytest.raises(requests.ConnectionError):
        waiting.result()
    assert time.monotonic() - started < 1.8
    pool.shutdown()


def test_stop_does_not_wait_for_idle_connections(settings, registry, serve):
    server = serve(create_app(settings, registry))
    with requests.Session() as session:
        assert session.get(f"{server.url}/health", timeout=5).status_code == 200
        started = time.monotonic()
        server.stop()
        while time.monotonic() - started < 5 and _answers(server.port):
            time.sleep(0.02)
        assert time.monotonic() - started < 2


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


PROGRAM = """
import sys, threading, time
from ser.api.app import create_app
from ser.api.server.run import Server, _stop_on_signals, bind
from ser.core.settings import Settings

def application(environ, start_response):
    print("begun", flush=True)
    time.sleep(0.5)
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]

server = Server(application, bind("127.0.0.1", 0), Settings())
_stop_on_signals(server)
print(server.port, flush=True)
server.run()
print("stopped", flush=True)
"""


# Windows can signal only a process group, and only with this signal.
WINDOWS = os.name == "nt"
SIGNALS = [signal.CTRL_BREAK_EVENT] if WINDOWS else [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_lets_requests_finish_and_exits_with_zero(number):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=BACKEND,
        stdout=subprocess.PIPE,
        text=True,
        creationflags=subprocess.CREATE_NEW_PROCESS_GROUP if WINDOWS else 0,
    )
    with process, ThreadPoolExecutor(1) as pool:
        port = int(process.stdout.readline())
        waiting = pool.submit(requests.get, f"http://127.0.0.1:{port}", timeout=10)
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert waiting.result().text == "done"
        assert process.stdout.read() == "stopped\n"
        assert process.wait(10) == 0


@pytest.fixture
def started(monkeypatch):
    """Keeps ``run`` from changing this process; contains the server once it runs."""
    servers = []
    monkeypatch.setattr("ser.api.server.run._stop_on_signals", servers.append)
    monkeypatch.setattr("ser.api.server.run._share_cores", lambda _: None)
    return servers


def test_missing_model_stops_the_server_with_its_error(settings, started):
    with pytest.raises(ModelError, match="unknown model 'first'"):
        run(settings, port=0)


@pytest.mark.parametrize("wanted", [True, False])
def test_page_opens_once_the_model_is_loaded(settings, cold_registry, started, monkeypatch, wanted):
    opened = []
    monkeypatch.setattr("ser.api.server.run.ModelRegistry", lambda _: cold_registry)
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append((url, cold_registry.ready)))

    def stop_soon_after() -> None:
        while not (started and cold_registry.ready and (opened or not wanted)):
            time.sleep(0.01)
        time.sleep(0.3)
        started[0].stop()

    threading.Thread(target=stop_soon_after, daemon=True).start()
    run(settings, port=0, open_browser=wanted)
    assert cold_registry.ready
    assert opened == ([(started[0].url, True)] if wanted else [])


def test_cores_are_shared_between_workers_by_default(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    _share_cores(4)
    assert os.environ["OMP_NUM_THREADS"] == "3"
    monkeypatch.delenv("OMP_NUM_THREADS")
    _share_cores(4)
    assert os.environ["OMP_NUM_THREADS"] == "2"
