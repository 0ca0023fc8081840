"""Owns the JSON shapes of what is kept for an owner: profiles, sessions, live sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ser.api.schemas import Emotion, Findings, Shape
from ser.core.speaker_profile import WARNINGS
from ser.storage.sessions import MAX_NOTE_CHARACTERS, MAX_TITLE_CHARACTERS

MAX_PAGE = 200
MAX_OFFSET = 1_000_000
MAX_START_SECONDS = 4 * 3600.0  # of a live session
MAX_SEQUENCE = 100_000

Seconds = Annotated[float, Field(ge=0, le=MAX_START_SECONDS, allow_inf_nan=False)]


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
    warning_codes: list[Literal[WARNINGS]] = Field(description="stable words for them, in the same order")


class SessionSummary(Shape):
    """What a list says about a session."""

    id: str
    kind: Literal["recording", "live"]
    title: str
    model: str
    speaker: str | None = Field(description="profile that it is calibrated with")
    created: datetime = Field(description="UTC")
    state: Literal["live", "ended"] = Field(description="'live' until it is ended")
    duration_seconds: float = Field(ge=0, description="length in s")
    dominant: Emotion | None = Field(description="what the most speech carries; null without speech and while live")
    confidence: float | None = Field(description="of the whole in percent; null without speech and while live")


class SessionPage(Shape):
    """Sessions of an owner, newest first."""

    total: int = Field(ge=0, description="how many fit, on all pages")
    sessions: list[SessionSummary]


class Mark(Shape):
    """A moment that a person marked."""

    at: float = Field(ge=0, description="s from the beginning")
    note: str


class Statistics(Shape):
    """A session in a few numbers."""

    seconds: dict[str, float] = Field(description="emotion -> s of speech that carry it, the most first")
    unsure_seconds: float = Field(ge=0, description="how much of that is unsure, in s")
    transitions: int = Field(ge=0, description="how often one emotion follows another")
    confidence: float | None = Field(description="mean over the speech in percent; null without")
    speech_share: float = Field(ge=0, description="share of the session that is speech, in percent")


class Session(SessionSummary, Findings):
    """A session with everything but the audio."""

    marks: list[Mark]
    statistics: Statistics


class Deleted(Shape):
    """How many sessions were deleted."""

    deleted: int = Field(ge=0)


class LiveChunk(Shape):
    """The answer to one chunk of a live session."""

    sequence: int = Field(ge=0)
    start: float = Field(ge=0, description="s from the session's beginning")
    end: float = Field(ge=0, description="s from the session's beginning")
    state: Literal["emotion", "unsure", "no_speech"]
    emotion: Emotion | None
    confidence: float | None = Field(description="in percent; null without speech")
    probabilities: dict[str, float] = Field(description="emotion -> probability; empty without speech")
    candidates: list[Emotion] = Field(description="likeliest first; only filled when unsure")
    speech: str = Field(pattern="^[01]*$", description="a letter for every 32 ms from the start, 1 where it is speech")


class LiveState(Shape):
    """What the server has of a live session."""

    received: list[tuple[int, int]] = Field(description="numbers of the chunks, as ranges of first and last")
    state: Literal["live", "ended"]


class SessionQuery(BaseModel):
    """Which sessions to list."""

    search: str = Field("", max_length=MAX_TITLE_CHARACTERS, description="what the title holds, in any case")
    kind: Literal["recording", "live"] | None = Field(None, description="both where omitted")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="how many to pass over")
    limit: int = Field(50, ge=1, le=MAX_PAGE, description="most that are listed")


class Renaming(BaseModel):
    """Another title."""

    title: str = Field(description=f"kept on one line, cut to {MAX_TITLE_CHARACTERS} characters")


class NewLive(BaseModel):
    """What a live session begins with."""

    model: str | None = Field(None, description="name of a model that GET /api/v1/models lists")
    title: str = Field("", description=f"kept on one line, cut to {MAX_TITLE_CHARACTERS} characters")
    speaker: str | None = Field(None, description="name of a profile of the owner")


class NewMark(BaseModel):
    """A moment to mark."""

    at: Seconds = Field(description="s from the beginning")
    note: str = Field("", description=f"kept on one line, cut to {MAX_NOTE_CHARACTERS} characters")


class ChunkQuery(BaseModel):
    """Where a chunk lies."""

    start: Seconds = Field(description="s from the session's beginning")


class ExportQuery(BaseModel):
    """How to write a session."""

    format: Literal["json", "csv", "audacity", "textgrid", "webvtt", "srt", "rttm"] = Field("json")
