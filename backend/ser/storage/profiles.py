"""Stores, lists and deletes the speaker profiles of one owner.

An owner is, for example, one browser, or ``ser.storage.database.LOCAL`` for the command line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import Row, delete, func, insert, select

from ser.core.errors import ProfileError
from ser.core.speaker_profile import Profile, check_name
from ser.storage.database import NUMBERS, PROFILES, Store

MOST_PROFILES = 100  # of one owner


def save_profile(profile: Profile, store: Store, owner: str) -> None:
    """Stores a profile, replacing one of the same name.

    Raises:
        ProfileError: the owner already has ``MOST_PROFILES`` (``quota_reached``).
    """
    offset = np.ascontiguousarray(profile.offset, NUMBERS).tobytes()
    row = profile.summary | {"owner": owner, "name": check_name(profile.name), "offset": offset}
    with store.erase() as connection:
        connection.execute(delete(PROFILES).where(*_named(profile.name, owner)))
        others = select(func.count()).select_from(PROFILES).where(PROFILES.c.owner == owner)
        if connection.scalar(others) >= MOST_PROFILES:
            raise ProfileError(
                f"You have {MOST_PROFILES} profiles, which is the maximum. Delete some that you no longer need.",
                "quota_reached",
            )
        connection.execute(insert(PROFILES).values(row))


def load_profile(name: str, store: Store, owner: str) -> Profile:
    """Loads a profile.

    Raises:
        ProfileError: this owner has none of that name.
    """
    with store.read() as connection:
        row = connection.execute(select(PROFILES).where(*_named(check_name(name), owner))).first()
    if row is None:
        raise _unknown(name, store, owner)
    return _read(row)


def list_profiles(store: Store, owner: str) -> list[Profile]:
    """Returns every profile of an owner, by name."""
    with store.read() as connection:
        rows = connection.execute(select(PROFILES).where(PROFILES.c.owner == owner))
        return sorted(map(_read, rows), key=lambda profile: profile.name)


def delete_profile(name: str, store: Store, owner: str) -> None:
    """Permanently deletes a profile.

    Raises:
        ProfileError: this owner has none of that name.
    """
    with store.erase() as connection:
        found = connection.execute(delete(PROFILES).where(*_named(check_name(name), owner)))
    if not found.rowcount:
        raise _unknown(name, store, owner)


def _named(name: str, owner: str) -> tuple[Any, Any]:
    return PROFILES.c.owner == owner, PROFILES.c.name == name


def _unknown(name: str, store: Store, owner: str) -> ProfileError:
    names = ", ".join(one.name for one in list_profiles(store, owner)) or "none"
    return ProfileError(f"There is no profile {name!r}; available: {names}.", "profile_unknown")


def _read(row: Row) -> Profile:
    values = {name: value for name, value in row._mapping.items() if name != "owner"}
    return Profile(**values | {"offset": np.frombuffer(row.offset, NUMBERS).astype(np.float32)})
