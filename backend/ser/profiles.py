"""Owns profiles: what a model knows about one person's voice, as statistics, never audio; kept as rows of an owner.

A profile belongs to the weights that made it: other weights would read its numbers wrongly, and refuse it. It also
belongs to its owner, such as one browser, or ``ser.store.LOCAL`` for the command line: nobody else can name it.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row, delete, insert, select

from ser.errors import ProfileError
from ser.store import PROFILES, Store

NAME = re.compile(r"[\w][\w .-]{0,39}")
NUMBERS = np.dtype("<f4")  # how an offset is kept, on every kind of machine
FEW_CLIPS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """A voice as one model hears it.

    Attributes:
        name: of the person, or whatever the person likes.
        model: name of the model.
        weights: fingerprint of the model's weights.
        clips: how many recordings it is made from.
        speech_seconds: how much speech they hold, in s.
        variety: 0 for recordings of one emotion, 1 for as many emotions as they could have.
        created: when, UTC, in ISO 8601.
        offset: float32 (size,): where the middle of the voice lies.
    """

    name: str
    model: str
    weights: str
    clips: int
    speech_seconds: float
    variety: float
    created: str
    offset: np.ndarray

    @property
    def summary(self) -> dict[str, str | int | float]:
        """Everything but the numbers themselves, as JSON."""
        return {name: value for name, value in asdict(self).items() if name != "offset"}

    def warnings(self, varied: float) -> list[str]:
        """Sentences for a person about what would make the profile better; ``varied`` is variety enough."""
        found = []
        if self.clips < FEW_CLIPS:
            found.append(f"{self.clips} recording says little about a voice; {FEW_CLIPS} to 20 are better.")
        if self.clips > 1 and self.variety < varied:
            found.append("The recordings sound alike; a few in other moods make the profile much better.")
        return found


def check_name(name: str) -> str:
    """Returns the name of a profile.

    Raises:
        ProfileError: it holds what a name on a screen, in an address or in a file would stumble over.
    """
    if not NAME.fullmatch(name) or name.endswith("."):
        raise ProfileError(
            f"{name[:60]!r} cannot name a profile; use up to 40 letters, digits, spaces, dots, dashes.", "profile_name"
        )
    return name


def save_profile(profile: Profile, store: Store, owner: str) -> None:
    """Keeps a profile, in place of one of the same name."""
    offset = np.ascontiguousarray(profile.offset, NUMBERS).tobytes()
    row = profile.summary | {"owner": owner, "name": check_name(profile.name), "offset": offset}
    with store.erase() as connection:
        connection.execute(delete(PROFILES).where(*_named(profile.name, owner)))
        connection.execute(insert(PROFILES).values(row))


def load_profile(name: str, store: Store, owner: str) -> Profile:
    """Reads a profile.

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
    """Deletes a profile for good.

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
