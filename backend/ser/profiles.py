"""Owns profiles: what a model knows about one person's voice, as statistics, never audio; kept in files and deleted.

A profile belongs to the weights that made it: other weights would read its numbers wrongly, and refuse it.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ser.errors import ProfileError
from ser.files import write_atomically

NAME = re.compile(r"[\w][\w .-]{0,39}")
SUFFIX = ".safetensors"
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
        ProfileError: it cannot be a file's name.
    """
    if not NAME.fullmatch(name) or name.endswith("."):
        raise ProfileError(
            f"{name[:60]!r} cannot name a profile; use up to 40 letters, digits, spaces, dots, dashes.", "profile_name"
        )
    return name


def save_profile(profile: Profile, folder: Path) -> Path:
    """Writes a profile, in place of one of the same name, and returns its file."""
    file = _file(profile.name, folder)
    record = {"profile": json.dumps(profile.summary)}
    write_atomically(file, lambda part: save_file({"offset": np.ascontiguousarray(profile.offset)}, part, record))
    return file


def load_profile(name: str, folder: Path) -> Profile:
    """Reads a profile.

    Raises:
        ProfileError: there is none of that name, or its file is damaged.
    """
    file = _file(name, folder)
    if not file.exists():
        names = ", ".join(one.name for one in list_profiles(folder)) or "none"
        raise ProfileError(f"There is no profile {name!r}; available: {names}.", "profile_unknown")
    return _read(file)


def list_profiles(folder: Path) -> list[Profile]:
    """Returns every profile, by name.

    Raises:
        ProfileError: a file is damaged.
    """
    return [_read(file) for file in sorted(folder.glob(f"*{SUFFIX}"))]


def delete_profile(name: str, folder: Path) -> None:
    """Deletes a profile for good.

    Raises:
        ProfileError: there is none of that name.
    """
    load_profile(name, folder)
    _file(name, folder).unlink()


def _file(name: str, folder: Path) -> Path:
    return folder / f"{check_name(name)}{SUFFIX}"


def _read(file: Path) -> Profile:
    try:
        with safe_open(file, "np") as content:
            record = json.loads((content.metadata() or {})["profile"])
            return Profile(**record, offset=content.get_tensor("offset"))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ProfileError(f"{file} is no profile ({error}); delete it and enrol again.", "profile_damaged") from error
