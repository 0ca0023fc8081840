"""Supervises several server processes at one address: starts, replaces and stops them. POSIX only.

They share one listening socket, so that a connection that a dead worker did not accept is accepted by another. A worker
ends by itself when its supervisor is gone, because the pipe to its stdin closes.
"""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from ser.api.telemetry import FOLDER
from ser.core.settings import Settings
from ser.core.subprocesses import python_command, python_environment

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1  # interval between checks of the workers
FRESH_SECONDS = 20.0  # a worker that fails this soon would fail again
PAUSE_SECONDS = 1.0  # between restarts of a worker, doubled after each failure ...
MOST_PAUSE_SECONDS = 60.0  # ... up to this
READY = "ready"  # a file in the metrics folder: some worker has been ready
STOP_SECONDS = 15.0  # time for workers to finish requests in flight


class Supervisor:
    """Keeps a number of workers alive until ``stop``.

    Args:
        count: number of workers.
        start: starts the worker with this number.
        served: whether any worker was ever ready; until then, a worker that cannot start ends everything.
        buried: called with the process id of each worker that died.
        ending: called before the workers are asked to stop.
    """

    def __init__(
        self,
        count: int,
        start: Callable[[int], subprocess.Popen[bytes]],
        *,
        served: Callable[[], bool] = lambda: False,
        buried: Callable[[int], None] = lambda _: None,
        ending: Callable[[], None] = lambda: None,
    ):
        self._start = start
        self._served = served
        self._buried = buried
        self._ending = ending
        self._stopping = threading.Event()
        self._count = count
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._started: dict[int, float] = {}
        self._failures: dict[int, int] = {}  # in a row

    def run(self) -> int:
        """Keeps the workers running until stopped, or until one cannot start and none ever could.

        Returns:
            0, or the exit code of the worker that could not start.
        """
        code = 0
        try:
            while not code and not self._stopping.is_set():
                code = next(filter(None, map(self._look_after, range(self._count))), 0)
                self._stopping.wait(LOOK_SECONDS)
        finally:
            self._end()
        return code

    def stop(self) -> None:
        """Asks everything to stop; returns at once."""
        self._stopping.set()

    def _look_after(self, number: int) -> int:
        """Restarts a worker if necessary; returns its exit code if another start would be futile."""
        worker, age = self._workers.get(number), time.monotonic() - self._started.get(number, -PAUSE_SECONDS)
        if worker is not None:
            if worker.poll() is None:
                return 0
            pause = min(MOST_PAUSE_SECONDS, PAUSE_SECONDS * 2 ** self._failures.get(number, 0))
            failed = worker.returncode > 0 and age < pause + FRESH_SECONDS
            if failed and not self._served():
                return worker.returncode
            if age < pause:
                return 0
            log.error("worker %d (process %d) ended with %d; starting another", number, worker.pid, worker.returncode)
            worker.stdin.close()
            self._buried(worker.pid)
            self._failures[number] = self._failures.get(number, 0) + 1 if failed else 0
        self._workers[number] = self._start(number)
        self._started[number] = time.monotonic()
        return 0

    def _end(self) -> None:
        self._ending()
        for worker in self._workers.values():
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self._workers.values():
            try:
                worker.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            worker.stdin.close()


def supervise(settings: Settings, listener: socket.socket, *, open_browser: bool) -> None:
    """Serves with ``settings.workers`` processes until SIGINT or SIGTERM.

    Raises:
        SystemExit: a worker cannot start; it has printed why.
    """
    with tempfile.TemporaryDirectory(prefix="ser-metrics-") as folder:

        def start(number: int) -> subprocess.Popen[bytes]:
            first = open_browser and number == 0 and not any(Path(folder).iterdir())
            program = ("-m", "ser.api.server.run", str(listener.fileno()), *(["--open"] if first else []))
            return subprocess.Popen(
                python_command(program),
                stdin=subprocess.PIPE,
                env=python_environment(SER_MODEL=settings.model, **{FOLDER: folder}),
                pass_fds=[listener.fileno()],
                process_group=0,  # the supervisor handles Ctrl-C
            )

        supervisor = Supervisor(
            settings.workers,
            start,
            served=Path(folder, READY).exists,
            buried=lambda pid: mark_process_dead(pid, folder),
            ending=listener.close,  # otherwise new clients would wait for an answer that never comes
        )
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: supervisor.stop())
        code = supervisor.run()
    if code:
        raise SystemExit(code)
