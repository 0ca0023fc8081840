"""Owns the JSON shapes of what is kept for an owner: profiles, sessions, live sessions."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from ser.api.schemas import Shape


class Profile(Shape):
    """What a model knows about a voice, without the numbers."""

    name: str
    model: str = Field(description="made it; other models cannot use it")
    weights: str = Field(description="fingerprint of the model's weights")
    clips: int = Field(ge=1, description="recordings that it is made from")
    speech_seconds: float = Field(ge=0, description="speech in them in s")
    variety: float = Field(description="0: recordings of one emotion; 1: of as many as they could have")
    created: datetime = Field(description="UTC")


class Profiles(Shape):
    """The profiles of an owner."""

    profiles: list[Profile]


class NewProfile(Shape):
    """A profile that was just made."""

    profile: Profile
    warnings: list[str] = Field(description="sentences for a person: what would make it better")
