"""Names things by the hash of an explicit, versioned JSON record: cached files, trainings, runs that can be resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

DIGITS = 20  # hexadecimal, 80 bits


def identity(kind: str, version: int, content: Mapping[str, Any]) -> str:
    """Returns the identity of a thing: the same for the same content on every machine and in every Python version.

    Args:
        kind: what is named, such as "training".
        version: of the record; raised whenever the meaning of its fields changes.
        content: everything that decides what the thing is, see ``as_json``.

    Raises:
        TypeError: a value has no JSON form.
        ValueError: a number is not finite.
    """
    record = {"kind": kind, "version": version, "content": as_json(content)}
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def as_json(value: Any) -> Any:
    """Returns the JSON form of settings: a dataclass is an object with its class in ``type``, an array its digest.

    Raises:
        TypeError: there is none, as of a function.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__} | {one.name: as_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(own) for own in value]
    if isinstance(value, np.ndarray):
        return {"type": value.dtype.name, "shape": list(value.shape), "sha256": digest(np.ascontiguousarray(value))}
    if isinstance(value, PurePath):
        return value.as_posix()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{value!r} has no JSON form; an identity is made of settings, paths and arrays.")


def digest(content: bytes | np.ndarray) -> str:
    """Returns the SHA-256 of bytes or of a contiguous array, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
