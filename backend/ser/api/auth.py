"""Identifies the owner of a request by the random token that the client created.

``Authorization: Bearer <token>``, 32 to 128 URL-safe characters. Whoever has the token is the owner; the server stores
only its digest and issues no tokens.
"""

from __future__ import annotations

import re

from flask import request

from ser.api import context
from ser.api.errors import RequestError
from ser.core.speaker_profile import Profile
from ser.storage.database import owner_of
from ser.storage.profiles import load_profile
from ser.storage.sessions import Sessions

TOKEN = re.compile(r"[A-Za-z0-9_-]{32,128}")
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A random token of 32 to 128 letters, digits, - and _ that the client creates and keeps. Stored "
    "results belong to it; the server stores only its SHA-256.",
}


def owner() -> str:
    """Returns the owner of the current request.

    Raises:
        RequestError: the token is missing or invalid (``owner_missing``).
    """
    given = request.authorization
    if given is None or given.type != "bearer" or not TOKEN.fullmatch(given.token or ""):
        raise RequestError(
            "Stored results belong to the owner of a token, and the request has no valid one; send 'Authorization: "
            "Bearer TOKEN' with a random token of 32 to 128 letters, digits, - or _, and keep it.",
            "owner_missing",
        )
    return owner_of(given.token)


def sessions() -> Sessions:
    """Returns the sessions of the current request's owner.

    Raises:
        RequestError: as ``owner``.
        StoreError: the database cannot be opened.
    """
    whose = owner()
    return Sessions(context.store(), whose)


def profile(name: str | None) -> Profile | None:
    """Returns a profile of the current request's owner by name; None without a name.

    Raises:
        RequestError: as ``owner``.
        ProfileError: the owner has no profile of that name.
        StoreError: the database cannot be opened.
    """
    if name is None:
        return None
    whose = owner()
    return load_profile(name, context.store(), whose)
