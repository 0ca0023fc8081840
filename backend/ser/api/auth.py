"""Owns whose results a request is about: the random token that a browser made and keeps.

``Authorization: Bearer <token>``, 32 to 128 URL-safe characters. Whoever has the token is the owner; the server keeps
only its digest, and makes none itself.
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
    "description": "A random token of 32 to 128 letters, digits, - and _ that the client makes and keeps. Results "
    "belong to it; the server keeps only its SHA-256.",
}


def owner() -> str:
    """Returns the owner of the current request.

    Raises:
        RequestError: the request names none, or no possible one (``owner_missing``).
    """
    given = request.authorization
    if given is None or given.type != "bearer" or not TOKEN.fullmatch(given.token or ""):
        raise RequestError(
            "Results belong to an owner, and the request names none; send 'Authorization: Bearer TOKEN' with a random "
            "token of 32 to 128 letters, digits, - or _ that you keep.",
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
    """Returns the profile of that name of the current request's owner; None where none is named.

    Raises:
        RequestError: as ``owner``.
        ProfileError: the owner has none of that name.
        StoreError: the database cannot be opened.
    """
    if name is None:
        return None
    whose = owner()
    return load_profile(name, context.store(), whose)
