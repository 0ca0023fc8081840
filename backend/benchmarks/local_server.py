"""Runs the real server for a measurement, on a free loopback port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from ser.core.settings import load_settings

START_SECONDS = 120.0
STOP_SECONDS = 30.0
READY = b"ready: "  # logged by each of its processes once a model is loaded
BACKEND = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Running:
    """A running server.

    Attributes:
        address: its URL.
        seconds: time until it was ready, in s.
        process: the server, or the supervisor of its workers.
        log: its log so far.
    """

    address: str
    seconds: float
    process: subprocess.Popen[bytes]
    log: bytearray

    @property
    def family(self) -> list[psutil.Process]:
        """The server's processes: itself, workers, helpers."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    @property
    def memory(self) -> int:
        """Resident memory of the server's processes in bytes."""
        return sum(one.memory_info().rss for one in self.family)


def admitted() -> int:
    """Returns how many clients a server with default settings admits at once; further ones get 503."""
    settings = load_settings()
    return settings.predictions + settings.waiting


@contextmanager
def running_server(**settings: str) -> Iterator[Running]:
    """Starts ``ser serve``, with settings by the names of their environment variables.

    Raises:
        RuntimeError: it exited, or was not ready within ``START_SECONDS``.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        log = bytearray()
        database = f"sqlite:///{(Path(folder) / 'results.sqlite').as_posix()}"
        environment = os.environ | {"SER_DATABASE_URL": database, "PYTHONPATH": str(BACKEND)} | settings
        workers = int(environment.get("SER_WORKERS", "1")) if os.name == "posix" else 1
        command = [sys.executable, "-m", "ser", "serve", "--port", str(port), "--no-browser"]
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=BACKEND, stderr=subprocess.PIPE, env=environment)
        reading = threading.Thread(target=lambda: [log.extend(line) for line in process.stderr])
        reading.start()
        address = f"http://127.0.0.1:{port}"
        try:
            while not (_ready(address) and log.count(READY) >= workers):
                if process.poll() is not None or time.perf_counter() - started > START_SECONDS:
                    raise RuntimeError(f"the server did not start (exit code {process.poll()}); is there a model?")
                time.sleep(0.02)
            yield Running(address, time.perf_counter() - started, process, log)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
            reading.join()
            process.stderr.close()


def _ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/health", timeout=5).status_code == 200
    except (requests.ConnectionError, requests.Timeout):  # a supervisor listens before its workers
        return False
