"""Several worker processes at one address: dead workers are replaced, and all stop together. POSIX only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from ser.api.server.supervisor import Supervisor

GOOD = "import sys; sys.stdin.buffer.read()"
BAD = "import sys; sys.exit(4)"


def starter(program: str, started: list[subprocess.Popen]) -> Callable[[int], subprocess.Popen]:
    def start(_: int) -> subprocess.Popen:
        started.append(subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE))
        return started[-1]

    return start


def wait_for(what: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_worker_is_replaced_and_all_stop_together():
    started, buried = [], []
    supervisor = Supervisor(2, starter(GOOD, started), buried=buried.append)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    wait_for(lambda: len(started) == 2)
    time.sleep(1.1)
    started[0].kill()
    began = time.monotonic()
    wait_for(lambda: len(started) == 3)
    assert time.monotonic() - began < 6
    assert buried == [started[0].pid] and started[1].poll() is None
    supervisor.stop()
    thread.join(20)
    assert not thread.is_alive() and all(one.poll() is not None for one in started)


def test_a_worker_that_cannot_start_stops_all_with_its_exit_code():
    started = []
    assert Supervisor(2, starter(BAD, started)).run() == 4
    assert all(one.poll() is not None for one in started) and len(started) == 2


def test_a_failing_replacement_is_retried_with_backoff(monkeypatch):
    monkeypatch.setattr("ser.api.server.supervisor.PAUSE_SECONDS", 0.2)
    started, times = [], []

    def start(number: int) -> subprocess.Popen:
        times.append(time.monotonic())
        return starter(GOOD if len(times) <= 2 or len(times) > 5 else BAD, started)(number)

    supervisor = Supervisor(2, start, served=lambda: True)
    ended = []
    thread = threading.Thread(target=lambda: ended.append(supervisor.run()))
    thread.start()
    wait_for(lambda: len(started) == 2)
    time.sleep(0.3)
    started[0].kill()
    wait_for(lambda: len(started) == 6)
    pauses = [after - before for before, after in zip(times[2:], times[3:], strict=False)]
    assert pauses[0] >= 0.2 and pauses[1] >= 0.4 and pauses[2] >= 0.8
    assert not ended and started[1].poll() is None and started[5].poll() is None
    supervisor.stop()
    thread.join(20)
    assert ended == [0]


TAKES_ITS_TIME = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(2), sys.exit(0)))
print(flush=True)
while True:
    time.sleep(0.1)
"""


def test_no_connection_is_accepted_while_workers_finish():
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()

    def start(_: int) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-c", TAKES_ITS_TIME], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    supervisor = Supervisor(1, start, ending=listener.close)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    wait_for(lambda: 0 in supervisor._workers)
    assert supervisor._workers[0].stdout.readline()
    socket.create_connection(address, timeout=5).close()
    supervisor.stop()
    wait_for(lambda: listener.fileno() < 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)
    assert thread.is_alive() and supervisor._workers[0].poll() is None
    thread.join(20)
    supervisor._workers[0].stdout.close()


def test_a_worker_exits_with_its_supervisor():
    with subprocess.Popen([sys.executable, "-c", GOOD], stdin=subprocess.PIPE) as worker:
        worker.stdin.close()
        assert worker.wait(15) == 0


SERVE = """
import sys
from ser.api.server.run import run
from ser.core.settings import load_settings
run(load_settings(), port=int(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_server_with_two_workers_survives_the_loss_of_one(real_settings, samples):
    """End to end: workers load a model, one is killed, requests are still answered, and shutdown is clean."""
    import psutil
    import requests

    from ser.api.server.run import bind

    with bind("127.0.0.1", 0) as probe:
        port = probe.getsockname()[1]
    environment = os.environ | {
        "SER_WORKERS": "2",
        "SER_PREDICTIONS": "1",
        "SER_WEIGHTS": str(real_settings.weights),
        "SER_MODEL": "untrained",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port)], env=environment)
    try:

        def workers() -> list[psutil.Process]:
            children = psutil.Process(process.pid).children()
            alive = [one for one in children if one.status() != psutil.STATUS_ZOMBIE]
            return [one for one in alive if "ser.api.server.run" in one.cmdline()]

        def answers() -> bool:
            try:
                return requests.get(f"{url}/health", timeout=5).status_code == 200
            except requests.RequestException:  # starting can take long on a busy machine
                return False

        wait_for(lambda: len(workers()) == 2 and answers(), 90)
        doomed = workers()[0]
        time.sleep(1.0)
        doomed.kill()
        began = time.monotonic()
        wait_for(lambda: len(workers()) == 2 and doomed.pid not in [one.pid for one in workers()])
        assert time.monotonic() - began < 6
        clip = samples["happy"].read_bytes()
        answer = requests.post(f"{url}/upload", files={"file": ("a.wav", clip)}, timeout=60)
        assert answer.status_code == 200
        assert "ser_predictions_total" in requests.get(f"{url}/metrics", timeout=10).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.terminate()
        process.wait(30)
