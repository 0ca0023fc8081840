"""Reads the settings from ``SER_*`` environment variables and validates them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ser.core.errors import SettingsError

PROJECT = Path(__file__).resolve().parents[3]
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings; each is the environment variable ``SER_`` + its name in capitals.

    Attributes:
        corpora: folder that holds one folder per corpus.
        pretrained: folder of pretrained tensors, downloaded if missing.
        weights: folder that holds one folder per checkpoint.
        cache: folder of the feature cache, which may be deleted.
        runs: folder for the output of training and evaluation.
        database_url: database of sessions and speaker profiles, as an SQLAlchemy URL.
        frontend: folder of the built page.
        model: checkpoint used when a request names none; commands use the most accurate one unless this is given.
        max_upload_bytes: largest request body that is accepted, in bytes.
        max_audio_seconds: longest recording that is accepted, in s.
        cors_origins: other origins that may call the API, separated by commas; empty means same origin only.
        threads: request threads; more than ``predictions`` and ``waiting`` together, so that some stay free.
        workers: server processes; always one on Windows.
        predictions: recordings that a process analyses at a time.
        waiting: requests that may wait for one of those; further ones are refused.
        rate: requests per minute and process that one client may send to analyse or change something; clients on this
            machine are not limited.
        connections: open connections per client and process; proxies and clients on this machine are not limited.
        proxies: number of trusted reverse proxies.
        log_format: ``text`` for people, ``json`` for machines.
    """

    corpora: Path = PROJECT / "data"
    pretrained: Path = PROJECT / "data" / "pretrained"
    weights: Path = PROJECT / "weights"
    cache: Path = PROJECT / "data" / "cache"
    runs: Path = PROJECT / "data" / "runs"
    database_url: str = f"sqlite:///{(PROJECT / 'data' / 'results.sqlite').as_posix()}"
    frontend: Path = PROJECT / "frontend" / "dist"
    model: str = "cnn1d"
    max_upload_bytes: int = 25 * MEBIBYTE
    max_audio_seconds: float = 1800.0
    cors_origins: tuple[str, ...] = ()
    threads: int = 24
    workers: int = 1
    predictions: int = min(8, max(2, os.cpu_count() or 1))
    waiting: int = min(8, max(2, os.cpu_count() or 1))
    rate: int = 600
    connections: int = 64
    proxies: int = 0
    log_format: str = "text"


_CHOICES = {"log_format": ("text", "json")}


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings from ``SER_*`` environment variables.

    Raises:
        SettingsError: a value has the wrong type, is not positive where it must be, or conflicts with another one.
    """
    environ = os.environ if environ is None else environ
    names = {field.name: f"SER_{field.name.upper()}" for field in fields(Settings)}
    given = {name: environ[variable] for name, variable in names.items() if environ.get(variable)}
    settings = Settings(**{name: _parse(name, names[name], text) for name, text in given.items()})
    if settings.threads <= settings.predictions + settings.waiting:
        raise SettingsError(
            f"SER_THREADS is {settings.threads}; expected more than SER_PREDICTIONS and SER_WAITING together "
            f"({settings.predictions} + {settings.waiting}), so that some threads stay free."
        )
    return settings


def _parse(name: str, variable: str, text: str) -> Any:
    kind = type(getattr(Settings, name))
    if issubclass(kind, Path):
        return Path(text).expanduser()
    if kind is tuple:
        return tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
    if kind is str:
        return _chosen(variable, text) if name in _CHOICES else text
    return _positive(kind, variable, text)


def _chosen(variable: str, text: str) -> str:
    choices = _CHOICES[variable.removeprefix("SER_").lower()]
    if text not in choices:
        raise SettingsError(f"{variable} is {text!r}; expected {' or '.join(choices)}.")
    return text


def _positive(kind: type, variable: str, text: str) -> int | float:
    try:
        value = kind(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise SettingsError(f"{variable} is {text!r}; expected a positive {kind.__name__}.")
    return value
