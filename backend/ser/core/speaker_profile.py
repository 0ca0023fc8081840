"""Owns profiles: what a model knows about one person's voice, as statistics, never audio.

A profile belongs to the weights that made it: other weights would read its numbers wrongly, and refuse it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass

import numpy as np

from ser.core.errors import ProfileError

MAX_NAME_CHARACTERS = 40
FEW_CLIPS = 5  # fewer can cost accuracy, see weights/README.md
WARNINGS = ("few_recordings", "alike")  # codes of what would make a profile better


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

    def warnings(self, varied: float) -> dict[str, str]:
        """What would make the profile better: code -> sentence for a person; ``varied`` is variety enough."""
        found = {}
        if self.clips < FEW_CLIPS:
            said = "1 recording says" if self.clips == 1 else f"{self.clips} recordings say"
            found["few_recordings"] = f"{said} little about a voice; {FEW_CLIPS} to 20 are better."
        if self.clips > 1 and self.variety < varied:
            found["alike"] = "The recordings sound alike; a few in other moods make the profile much better."
        return found


def check_name(name: str) -> str:
    """Returns the name of a profile.

    Raises:
        ProfileError: it holds what a name on a screen, in an address or in a file would stumble over.
    """
    fits = 0 < len(name) <= MAX_NAME_CHARACTERS and all(map(_fits, name))
    if not fits or name[0] in " .-" or name[-1] in " .":
        raise ProfileError(
            f"{name[:60]!r} cannot name a profile; use up to 40 letters, digits, spaces, dots, dashes.", "profile_name"
        )
    return name


def _fits(letter: str) -> bool:
    """Whether a name may hold it; the vowel signs of many scripts are marks, not letters."""
    return letter.isalnum() or unicodedata.category(letter).startswith("M") or letter in " ._-"
