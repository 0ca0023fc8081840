"""Runs the production server: port, threads, and a graceful stop that loses no request.

Quick requests (the page, ``/health``, ``/metrics``) have threads of their own and never wait behind recordings. While
all places for analyses are taken, those threads also refuse recordings: calling the application to refuse each one
would slow the running analyses (20 clients on 2 cores: p99 411 instead of 244 ms).

Waitress 3.0 and not gunicorn 27.0 (gthread), by measurement on 2 busy cores, 4 threads, without a model: a raw client
that sends 30 MB before it reads always gets the 413 from waitress, never from gunicorn (broken pipe); beside 8 stalled
uploads /health takes 10 ms and over 5 s. Latency does not decide it: 100 kB uploads take 7 to 9 and 7 to 10 ms for 1
client, 25 to 38 and 21 to 60 ms for 8. Waitress also works on Windows.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from waitress import wasyncore
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ThreadedTaskDispatcher

from ser.api import telemetry
from ser.api.app import create_app
from ser.api.context import Database, gate
from ser.api.limits import ANALYSES, TOO_BUSY
from ser.api.model_registry import ModelRegistry
from ser.api.request_log import set_up_logging
from ser.api.server.connection import Channel, close_overdue, crowds
from ser.api.server.request_body import DRAIN_BYTES, TooBusy, channel_class
from ser.api.server.supervisor import READY, supervise
from ser.audio.decode_worker import Decoders
from ser.core.errors import SerError, SettingsError
from ser.core.settings import Settings, load_settings

log = logging.getLogger("ser.api.server.run")  # by name: __name__ is "__main__" in a worker

DEFAULT_PORT = 5000
PORTS_TO_TRY = 100
STOP_SECONDS = 10.0  # time for requests in flight to finish
FRESH_SECONDS = 0.5  # a connection this young may have a request in transit
QUICK_THREADS = 2
LOOK_SECONDS = 1  # interval between checks of the connections
CONNECTIONS = 512
SWITCH_SECONDS = 0.001  # thread switch interval; Python's 5 ms add up in requests of many steps
MEMORY_BYTES = 1 << 30  # waitress buffers answers in memory below this; none is near it


class Server:
    """Waitress around one application; ``run`` blocks until ``stop`` is called from another thread or a signal.

    Args:
        app: the WSGI application.
        listener: a bound socket.
        settings: body limit, number of threads, allowed origins.
        full: whether a new recording has to be refused.
    """

    def __init__(
        self,
        app: Callable[..., Any],
        listener: socket.socket,
        settings: Settings,
        full: Callable[[], bool] = lambda: False,
    ):
        self._stopping = False
        self._full = full
        self._server = create_server(
            app,
            sockets=[listener],
            threads=settings.threads,
            ident="",
            recv_bytes=1 << 16,
            max_request_body_size=max(DRAIN_BYTES, 2 * settings.max_upload_bytes),
            inbuf_overflow=MEMORY_BYTES,
            outbuf_overflow=MEMORY_BYTES,
            cleanup_interval=LOOK_SECONDS,
            connection_limit=CONNECTIONS,
            clear_untrusted_proxy_headers=not settings.proxies,
            asyncore_use_poll=True,
        )
        self._work, self._quick = self._server.task_dispatcher, ThreadedTaskDispatcher()
        self._quick.set_thread_count(QUICK_THREADS)
        self._server.add_task = self._assign
        self._server.maintenance = lambda _: close_overdue(self._channels())
        self._server.channel_class = self._connect
        self._channel_class = channel_class(settings.max_upload_bytes, settings.cors_origins)
        self._most = (
            CONNECTIONS if settings.proxies else settings.connections
        )  # a proxy's connections are those of all its clients
        host, self.port = listener.getsockname()[:2]
        self.url = f"http://{_display(host)}:{self.port}"

    def run(self) -> None:
        """Serves until stopped, then lets requests in flight finish within ``STOP_SECONDS``."""
        while not self._stopping:
            self._turn(1.0)
        self._accept_waiting()
        wasyncore.dispatcher.close(self._server)
        deadline = time.monotonic() + STOP_SECONDS
        while any(map(_busy, self._channels())) and time.monotonic() < deadline:
            self._turn(0.05)
        for dispatcher in (self._work, self._quick):
            dispatcher.shutdown(timeout=0.5)
        wasyncore.close_all(self._server._map)

    def stop(self) -> None:
        """Asks the server to stop; returns at once. Calling it again has no effect."""
        if not self._stopping:
            self._stopping = True
            self._server.pull_trigger()

    def _connect(self, server: Any, connection: socket.socket, address: Any, *rest: Any, **options: Any) -> None:
        """Accepts a connection unless the client has too many."""
        if crowds(address[0], self._channels(), self._most):
            connection.close()
        else:
            self._channel_class(server, connection, address, *rest, **options)

    def _assign(self, channel: Channel) -> None:
        """Assigns a request to the threads for its kind."""
        channel.answered += 1
        request = channel.requests[0]
        if request.error is None and self._is_refused(request):
            request.error = TooBusy(TOO_BUSY)
        quick = request.error is not None or _is_page(request)
        (self._quick if quick else self._work).add_task(channel)

    def _is_refused(self, request: HTTPRequestParser) -> bool:
        """Whether a request needs a place for analysis and none is free."""
        return request.command == "POST" and request.path in ANALYSES and self._full()

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout=timeout, use_poll=True, map=self._server._map, count=1)

    def _accept_waiting(self) -> None:
        """Accepts the connections in the backlog, whose requests would otherwise be lost."""
        before = -1
        while before != len(self._channels()):
            before = len(self._channels())
            self._server.handle_accept()

    def _channels(self) -> list[Channel]:
        return list(self._server.active_channels.values())


def _is_page(request: HTTPRequestParser) -> bool:
    return request.command in ("GET", "HEAD") and not request.path.startswith("/api/")


def _busy(channel: Channel) -> bool:
    """Whether a connection has a request that is arriving, being answered, or in transit."""
    if channel.requests or channel.request is not None or channel.total_outbufs_len:
        return True
    unused = channel.last_activity == channel.creation_time
    return unused and time.time() - channel.creation_time < FRESH_SECONDS


def bind(host: str, port: int | None) -> socket.socket:
    """Returns a bound socket; without a port, the first free one from ``DEFAULT_PORT`` on.

    Raises:
        SettingsError: the given port, or every port tried, is in use or not allowed; the host is unknown.
    """
    if port is not None:
        return _bind(host, port)
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TO_TRY):
        try:
            return _bind(host, candidate)
        except _PortTaken:
            log.info("port %d is in use, trying the next one", candidate)
    last = DEFAULT_PORT + PORTS_TO_TRY - 1
    raise SettingsError(f"The ports {DEFAULT_PORT} to {last} are all in use. Choose a free one with --port.")


class _PortTaken(SettingsError):
    pass


def _bind(host: str, port: int) -> socket.socket:
    taken = _PortTaken(f"Port {port} is in use by another program. Stop it, or choose another port with --port.")
    if not 0 <= port <= 65535:
        raise SettingsError(f"The port is {port}; expected 0 to 65535.")
    if port and _answers(host, port):
        raise taken
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"The host {host!r} is unknown ({error.strerror}). Use 127.0.0.1 or 0.0.0.0.") from error
    try:
        if os.name == "posix":  # on Windows this option lets two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", None)):
            raise taken from error
        raise SettingsError(f"Port {port} of {host} cannot be used: {error.strerror}. Try another one.") from error
    return listener


def _answers(host: str, port: int) -> bool:
    """Whether a program already answers; bind can succeed beside one that listens on all addresses."""
    try:
        with socket.create_connection((_display(host), port), timeout=0.3):
            return True
    except OSError:
        return False


def _display(host: str) -> str:
    """Returns the name of a listening address for URLs on this machine."""
    return "localhost" if host in ("0.0.0.0", "::", "127.0.0.1", "::1", "") else host


def run(settings: Settings, *, host: str = "127.0.0.1", port: int | None = None, open_browser: bool = False) -> None:
    """Serves the page and the API until SIGINT or SIGTERM, with as many processes as the settings say.

    Args:
        settings: everything but the address; several processes read all but ``model`` from the environment.
        host: address to listen on.
        port: port; if None, the first free one from ``DEFAULT_PORT`` on.
        open_browser: whether to open the page once the model is loaded.

    Raises:
        SettingsError: the address cannot be used.
        ModelError: the default model does not exist or is damaged.
    """
    listener = bind(host, port)
    if settings.workers > 1 and os.name == "posix":
        set_up_logging(settings.log_format)
        listener.listen()
        supervise(settings, listener, open_browser=open_browser)
    else:
        serve(settings, listener, open_browser=open_browser)


def serve(
    settings: Settings,
    listener: socket.socket,
    *,
    open_browser: bool = False,
    until: int | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serves with this process, as ``run`` does.

    Args:
        settings: everything but the address.
        listener: a bound socket.
        open_browser: whether to open the page once the model is loaded.
        until: descriptor of a pipe; serving also ends when the pipe is closed.
        ready: called once the model is loaded.
    """
    _share_cores(settings.workers * settings.predictions)
    set_up_logging(settings.log_format)
    sys.setswitchinterval(SWITCH_SECONDS)
    with Decoders(settings.predictions) as decoders:
        registry = ModelRegistry(settings)
        database = Database(settings.database_url)
        app = create_app(settings, registry, database, decode=decoders.decode)
        server = Server(app, listener, settings, full=lambda: gate(app).full)
        failures: list[Exception] = []

        def load() -> None:
            try:
                registry.load_default()
            except Exception as error:  # raised again below, in the serving thread
                failures.append(error)
                server.stop()
                return
            log.info("ready: %s", server.url)
            ready()
            if open_browser:
                webbrowser.open(server.url)

        _stop_on_signals(server)
        threading.Thread(target=load, name="load", daemon=True).start()
        if until is not None:
            threading.Thread(target=lambda: (os.read(until, 1), server.stop()), name="until", daemon=True).start()
        server.run()
        database.close()
    if failures:
        raise failures[0]


def _share_cores(at_once: int) -> None:
    """Gives each simultaneous prediction its share of the cores; torch reads this when it is imported.

    More threads would be slower: on a busy machine, contention turned 45 ms of analysis into 650 ms.
    """
    cores = os.cpu_count() or 1
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // at_once)))


def _stop_on_signals(server: Server) -> None:
    """Stops gracefully on the first signal; a second one ends the process at once."""

    def on_signal(number: int, _: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        server.stop()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), on_signal)


def main() -> None:
    """Runs one worker on an inherited socket until SIGTERM, or until its supervisor is gone."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    try:
        serve(
            load_settings(),
            listener,
            open_browser="--open" in sys.argv,
            until=sys.stdin.fileno(),
            ready=Path(os.environ[telemetry.FOLDER], READY).touch,
        )
    except SerError as error:
        print(f"ser: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
