"""Defines the JSON shapes of stored results: speaker profiles, sessions and live sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ser.api.schemas import Emotion, Findings, Shape
from ser.core.labels import EMOTIONS
from ser.core.speaker_profile import WARNINGS
from ser.storage.sessions import MAX_NOTE_CHARACTERS, MAX_TITLE_CHARACTERS

MAX_PAGE = 200
MAX_OFFSET = 1_000_000
MAX_START_SECONDS = 4 * 3600.0  # of a live session
MAX_SEQUENCE = 100_000

Seconds = Annotated[float, Field(ge=0, le=MAX_START_SECONDS, allow_inf_nan=False)]


class Profile(Shape):
    """A speaker profile, without its statistics."""

    name: str
    model: str = Field(description="the model that made it; others cannot use it")
    weights: str = Field(description="fingerprint of the model's weights")
    clips: int = Field(ge=1, description="number of recordings it is made from")
    speech_seconds: float = Field(ge=0, description="amount of speech in them in s")
    variety: float = Field(description="0: all recordings have one emotion; 1: they have as many as possible")
    share: float = Field(ge=0, le=1, description="weight of the adapted answer; the rest is that of the plain one")
    created: datetime = Field(description="UTC")


class Profiles(Shape):
    """The speaker profiles of an owner."""

    profiles: list[Profile]


class NewProfile(Shape):
    """A new speaker profile."""

    profile: Profile
    warnings: list[str] = Field(description="sentences for a person: what would improve it")
    warning_codes: list[Literal[WARNINGS]] = Field(description="stable codes of the warnings, in the same order")


class SessionSummary(Shape):
    """A session as it is listed."""

    id: str
    kind: Literal["recording", "live"]
    title: str
    model: str
    speaker: str | None = Field(description="speaker profile that it is calibrated with")
    created: datetime = Field(description="UTC")
    state: Literal["live", "ended"] = Field(description="'live' until it ends")
    duration_seconds: float = Field(ge=0, description="length in s")
    dominant: Emotion | None = Field(
        description="the emotion of most of the speech; null without speech and while live"
    )
    confidence: float | None = Field(description="overall, in percent; null without speech and while live")
    emotions: list[Emotion] = Field(description="emotions that answers are chosen from; empty if all of the model")


class SessionPage(Shape):
    """Sessions of an owner, newest first."""

    total: int = Field(ge=0, description="number of matching sessions, on all pages")
    sessions: list[SessionSummary]


class Mark(Shape):
    """A moment that a person marked."""

    at: float = Field(ge=0, description="s from the beginning")
    note: str


class Statistics(Shape):
    """A session in a few numbers."""

    seconds: dict[str, float] = Field(description="emotion -> s of speech with it, most first")
    unsure_seconds: float = Field(ge=0, description="how much of that is unsure, in s")
    transitions: int = Field(ge=0, description="number of changes from one emotion to another")
    confidence: float | None = Field(description="mean over the speech in percent; null without speech")
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
    start: float = Field(ge=0, description="s from the beginning of the session")
    end: float = Field(ge=0, description="s from the beginning of the session")
    state: Literal["emotion", "unsure", "no_speech"]
    emotion: Emotion | None
    confidence: float | None = Field(description="in percent; null without speech")
    probabilities: dict[str, float] = Field(description="emotion -> probability; empty without speech")
    candidates: list[Emotion] = Field(description="the likely emotions, likeliest first; empty unless unsure")
    adapted_seconds: float = Field(ge=0, description="s of the session's speech that the answer is adapted to; 0: none")
    speech: str = Field(pattern="^[01]*$", description="one character per 32 ms from the start, 1 for speech")


class LiveState(Shape):
    """The chunks of a live session that the server has."""

    received: list[tuple[int, int]] = Field(description="numbers of the chunks, as ranges (first, last)")
    state: Literal["live", "ended"]


class SessionQuery(BaseModel):
    """Which sessions to list."""

    search: str = Field("", max_length=MAX_TITLE_CHARACTERS, description="text in the title, case-insensitive")
    kind: Literal["recording", "live"] | None = Field(None, description="both by default")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="number of sessions to skip")
    limit: int = Field(50, ge=1, le=MAX_PAGE, description="largest number to list")


class Renaming(BaseModel):
    """A new title."""

    title: str = Field(description=f"one line, truncated to {MAX_TITLE_CHARACTERS} characters")


class NewLive(BaseModel):
    """The options of a new live session."""

    model: str | None = Field(None, description="name of a model that GET /api/v1/models lists")
    title: str = Field("", description=f"one line, truncated to {MAX_TITLE_CHARACTERS} characters")
    speaker: str | None = Field(None, description="name of one of the owner's speaker profiles")
    emotions: list[Annotated[str, Field(max_length=40)]] = Field(
        [],
        max_length=len(EMOTIONS),
        description="emotions to choose the answers from, two or more of the model; all if empty",
    )


class NewMark(BaseModel):
    """A moment to mark."""

    at: Seconds = Field(description="s from the beginning")
    note: str = Field("", description=f"one line, truncated to {MAX_NOTE_CHARACTERS} characters")


class ChunkQuery(BaseModel):
    """The position of a chunk."""

    start: Seconds = Field(description="s from the beginning of the session")


class ExportQuery(BaseModel):
    """The format of an export."""

    format: Literal["json", "csv", "audacity", "textgrid", "webvtt", "srt", "rttm"] = Field("json")
