"""Defines speaker profiles: statistics of one person's voice that a model is calibrated with, never audio.

A profile belongs to the weights that made it; other weights refuse it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass

import numpy as np

from ser.core.errors import ProfileError

MAX_NAME_CHARACTERS = 40
FEW_CLIPS = 5  # fewer may reduce accuracy, see weights/README.md
VARIED = 0.5  # recordings of at least this variety cover enough emotions of a speaker
WARNINGS = ("few_recordings", "alike")  # codes of the warnings below


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """A speaker profile for one model.

    Attributes:
        name: of the person, or any other.
        model: name of the model.
        weights: fingerprint of the model's weights.
        clips: number of recordings it is made from.
        speech_seconds: amount of speech in them in s.
        variety: 0 if all recordings have one emotion, 1 if they have as many as possible.
        share: weight of the adapted answer, 0 to 1; it grows with the number of recordings and their variety.
        created: time of creation, UTC, in ISO 8601.
        offset: float32 (size,): the speaker offset in the embedding space.
    """

    name: str
    model: str
    weights: str
    clips: int
    speech_seconds: float
    variety: float
    share: float
    created: str
    offset: np.ndarray

    @property
    def summary(self) -> dict[str, str | int | float]:
        """Returns everything but the offset, as JSON."""
        return {name: value for name, value in asdict(self).items() if name != "offset"}

    @property
    def warnings(self) -> dict[str, str]:
        """Returns what would improve the profile: code -> sentence."""
        found = {}
        if self.clips < FEW_CLIPS:
            made = "1 recording is" if self.clips == 1 else f"{self.clips} recordings are"
            found["few_recordings"] = f"{made} too few for a reliable profile; {FEW_CLIPS} to 20 are better."
        if self.clips > 1 and self.variety < VARIED:
            found["alike"] = "The recordings sound alike; add some in other moods to improve the profile."
        return found


def check_name(name: str) -> str:
    """Returns the name of a profile.

    Raises:
        ProfileError: the name is empty, too long, or contains characters unsuitable for a URL or a file name.
    """
    fits = 0 < len(name) <= MAX_NAME_CHARACTERS and all(map(_fits, name))
    if not fits or name[0] in " .-" or name[-1] in " .":
        raise ProfileError(
            f"{name[:60]!r} is not a valid profile name; use up to 40 letters, digits, spaces, dots, dashes.",
            "profile_name",
        )
    return name


def _fits(letter: str) -> bool:
    """Whether a name may contain it; the vowel signs of many scripts are marks, not letters."""
    return letter.isalnum() or unicodedata.category(letter).startswith("M") or letter in " ._-"
