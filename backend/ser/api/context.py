"""Gives routes access to the settings, models, database and limits of their application."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from flask import Flask, current_app, request

from ser.api import telemetry
from ser.api.limits import Gate, Rates
from ser.api.model_registry import ModelRegistry
from ser.audio.decode_worker import Decode
from ser.audio.waveform import Waveform
from ser.core.errors import SettingsError, StoreError
from ser.core.settings import Settings
from ser.storage.database import Store, open_store

READING = ("GET", "HEAD", "OPTIONS")  # not rate-limited
_KEY = "ser"
DATABASE_RETRY_SECONDS = 5.0  # after the database failed to open, nobody tries again for so long


class Database:
    """The database of one server, opened by the first request that needs it; safe to use from several threads.

    Requests that need no database, such as an analysis, work without it, and a database that becomes available again is
    used again. While it is unavailable, only one request every few seconds tries to connect.

    Args:
        url: see ``ser.storage.database.open_store``.
        retry_seconds: after a failure, no connection is tried for this long.
    """

    def __init__(self, url: str, *, retry_seconds: float = DATABASE_RETRY_SECONDS):
        self._url = url
        self._retry_seconds = retry_seconds
        self._failure: tuple[float, str] | None = None
        self._store: Store | None = None
        self._opening = threading.Lock()

    def store(self) -> Store:
        """Returns the database, opening it if necessary.

        Raises:
            StoreError: it cannot be opened.
        """
        with self._opening:
            if self._store is None:
                self._store = self._open()
            return self._store

    def _open(self) -> Store:
        if self._failure is not None and time.monotonic() < self._failure[0]:
            raise StoreError(self._failure[1])
        try:
            return open_store(self._url)
        except (SettingsError, StoreError) as error:
            self._failure = time.monotonic() + self._retry_seconds, str(error)
            raise StoreError(str(error)) from error

    def close(self) -> None:
        """Closes the database; the next request that needs it opens it again."""
        with self._opening:
            if self._store is not None:
                self._store.close()
            self._store = None


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that one application was created with."""

    settings: Settings
    models: ModelRegistry
    database: Database
    decode: Decode
    gate: Gate
    rates: Rates


def attach(app: Flask, settings: Settings, models: ModelRegistry, database: Database, decode: Decode) -> None:
    """Attaches settings, models, database, decoder and limits to an application."""
    gate, rates = Gate(settings.predictions, settings.waiting), Rates(settings.rate)
    app.extensions[_KEY] = State(
        settings=settings, models=models, database=database, decode=decode, gate=gate, rates=rates
    )


def register(app: Flask) -> None:
    """Counts every request that analyses or changes something, before it is handled."""

    @app.before_request
    def spend() -> None:
        if request.method not in READING:
            _state().rates.spend(request.remote_addr)


def _state() -> State:
    return current_app.extensions[_KEY]


def settings() -> Settings:
    """Returns the settings of the current application."""
    return _state().settings


def registry() -> ModelRegistry:
    """Returns the models of the current application."""
    return _state().models


def store() -> Store:
    """Returns the database of the current application.

    Raises:
        StoreError: it cannot be opened.
    """
    return _state().database.store()


def gate(app: Flask = current_app) -> Gate:
    """Returns the gate that limits the analyses of an application."""
    return app.extensions[_KEY].gate


def decoded(content: bytes, max_seconds: float | None = None) -> Waveform:
    """Decodes a recording that a client sent.

    Args:
        content: the file.
        max_seconds: longest recording in s; that of the settings if None.

    Raises:
        AudioError: it cannot be used.
    """
    with telemetry.stage("decode"):
        return _state().decode(content, max_seconds or settings().max_audio_seconds)


@contextmanager
def place() -> Iterator[None]:
    """Reserves one of the places for analyses while a block runs.

    Raises:
        RequestError: too many recordings are being analysed (``too_busy``).
    """
    with ExitStack() as held:
        with telemetry.WAITING.track_inprogress(), telemetry.stage("wait"):
            held.enter_context(gate().place())
        with telemetry.RUNNING.track_inprogress():
            yield
