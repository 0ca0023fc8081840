"""Gives routes access to the settings, models, database and limits of their application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from flask import Flask, current_app, request

from ser.api import telemetry
from ser.api.database import Database
from ser.api.limits import Gate, Rates
from ser.api.model_registry import ModelRegistry
from ser.audio.decode_worker import Decode
from ser.audio.waveform import Waveform
from ser.core.settings import Settings
from ser.storage.database import Store

READING = ("GET", "HEAD", "OPTIONS")  # not rate-limited
_KEY = "ser"


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
