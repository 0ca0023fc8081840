"""Stores the sessions of one owner, recorded and live: results only, never audio.

``Sessions`` sees only its owner's rows: the session of another owner is reported as if it did not exist.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, select, update

from ser.core.errors import SessionError
from ser.core.prediction import Prediction
from ser.storage.database import CHUNKS, MARKS, NUMBERS, SESSIONS, Store

MAX_TITLE_CHARACTERS = 200
MAX_NOTE_CHARACTERS = 500
MOST_SESSIONS = 5000  # of one owner
MOST_MARKS = 1000  # in one session


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session as it is listed.

    Attributes:
        id: of the session.
        kind: ``recording`` or ``live``.
        title: may be empty.
        model: name of the model.
        speaker: name of the speaker profile, None without one.
        created: time of creation, UTC, in ISO 8601.
        state: ``live`` until it is ended.
        duration_seconds: length in s.
        dominant: the emotion of most of the speech, None without speech and while live.
        confidence: overall, in percent; None without speech and while live.
        emotions: that the answers are chosen from, in canonical order; empty for all emotions of the model.
    """

    id: str
    kind: str
    title: str
    model: str
    speaker: str | None
    created: str
    state: str
    duration_seconds: float
    dominant: str | None
    confidence: float | None
    emotions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A part of a live session with its answer.

    Attributes:
        sequence: its number.
        digest: SHA-256 of the chunk as sent.
        start: in s from the beginning of the session.
        end: in s.
        speech: one character for every frame of ``ser.audio.vad``, "1" for speech.
        answer: state, emotion, confidence, probabilities, candidates, intensity, adapted_seconds and warning_codes as
            in a ``Prediction``.
        voice: the model's embedding, which later chunks adapt to; None without speech and once the session has ended.
    """

    sequence: int
    digest: str
    start: float
    end: float
    speech: str
    answer: Mapping[str, Any]
    voice: np.ndarray | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A moment that a person marked, ``at`` s from the beginning."""

    at: float
    note: str


_ID = re.compile("[0-9a-f]{32}")
_SUMMARY = [SESSIONS.c[field.name] for field in fields(Session)]
_MARK = [MARKS.c.at, MARKS.c.note]


def on_one_line(text: str, characters: int = MAX_TITLE_CHARACTERS) -> str:
    """Returns a text on one line, without unprintable characters (some databases refuse them), truncated."""
    visible = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(visible.split())[:characters].rstrip()


class Sessions:
    """The sessions of one owner.

    Every method that takes an ``identity`` raises ``SessionError`` if this owner has no session of that id, and every
    method raises ``StoreError`` if the database does not answer.
    """

    def __init__(self, store: Store, owner: str):
        self._store = store
        self._owner = owner

    def keep(
        self, prediction: Prediction, result: Mapping[str, Any], title: str, speaker: str | None = None
    ) -> Session:
        """Stores an analysed recording; ``result`` is the whole answer, as JSON.

        Raises:
            SessionError: as ``check_room``.
        """
        values = _found(prediction, result)
        return self._add("recording", title, prediction.model, speaker, prediction.emotions, "ended", values)

    def begin(self, title: str, model: str, speaker: str | None, emotions: Sequence[str] = ()) -> Session:
        """Begins a live session, whose answers are chosen from ``emotions``; from all if empty.

        Raises:
            SessionError: as ``check_room``.
        """
        return self._add("live", title, model, speaker, emotions, "live", {"duration_seconds": 0.0})

    def check_room(self) -> None:
        """Checks that one more session may be stored.

        Raises:
            SessionError: this owner already has ``MOST_SESSIONS`` (``quota_reached``).
        """
        with self._store.read() as connection:
            self._check_room(connection)

    def page(
        self, *, search: str = "", kind: str | None = None, offset: int = 0, limit: int = 50
    ) -> tuple[int, list[Session]]:
        """Returns the number of matching sessions, and ``limit`` of them from ``offset`` on, newest first.

        Args:
            search: text in the title, case-insensitive.
            kind: ``recording`` or ``live``; None for both.
            offset: number of sessions to skip.
            limit: largest number to return.
        """
        wanted = [SESSIONS.c.owner == self._owner]
        if on_one_line(search):
            wanted.append(SESSIONS.c.folded.contains(on_one_line(search).casefold(), autoescape=True))
        if kind is not None:
            wanted.append(SESSIONS.c.kind == kind)
        newest = SESSIONS.c.created.desc(), SESSIONS.c.id
        with self._store.read() as connection:
            total = connection.scalar(select(func.count()).select_from(SESSIONS).where(*wanted))
            page = select(*_SUMMARY).where(*wanted).order_by(*newest).offset(offset).limit(limit)
            return total, [_session(row) for row in connection.execute(page)]

    def get(self, identity: str) -> Session:
        """Returns one session."""
        with self._store.read() as connection:
            return self._get(connection, identity)

    def result(self, identity: str) -> dict[str, Any] | None:
        """Returns the whole answer as JSON; None while a session is live."""
        with self._store.read() as connection:
            self._get(connection, identity)
            stored = connection.scalar(select(SESSIONS.c.result).where(SESSIONS.c.id == identity))
            return None if stored is None else json.loads(stored)

    def rename(self, identity: str, title: str) -> Session:
        """Renames a session and returns it."""
        title = on_one_line(title)
        with self._store.erase() as connection:
            self._get(connection, identity)
            connection.execute(self._own(identity, update(SESSIONS)).values(title=title, folded=title.casefold()))
            return self._get(connection, identity)

    def delete(self, identity: str) -> None:
        """Permanently deletes a session with its chunks and marks."""
        with self._store.erase() as connection:
            self._get(connection, identity)
            connection.execute(self._own(identity, delete(SESSIONS)))

    def delete_all(self) -> int:
        """Permanently deletes every session of this owner and returns their number."""
        with self._store.erase() as connection:
            return connection.execute(delete(SESSIONS).where(SESSIONS.c.owner == self._owner)).rowcount

    def find_chunk(self, identity: str, sequence: int, digest: str) -> Chunk | None:
        """Returns the chunk with this number, None if it has not arrived yet.

        Raises:
            SessionError: another chunk has the number (``chunk_conflict``), or the number is new in an ended session
                (``session_ended``).
        """
        with self._store.read() as connection:
            return self._find_chunk(connection, self._get(connection, identity), sequence, digest)

    def add_chunk(self, identity: str, chunk: Chunk) -> Chunk:
        """Stores a chunk once, however often it is sent, and returns the stored one.

        Raises:
            SessionError: as ``find_chunk``.
        """
        with self._store.write() as connection:
            session = self._get(connection, identity, lock=True)
            found = self._find_chunk(connection, session, chunk.sequence, chunk.digest)
            if found is not None:
                return found
            row = {column.name: getattr(chunk, column.name, None) for column in CHUNKS.columns}
            row |= {"session": identity, "answer": json.dumps(chunk.answer)}
            row |= {"voice": None if chunk.voice is None else np.ascontiguousarray(chunk.voice, NUMBERS).tobytes()}
            connection.execute(insert(CHUNKS).values(row))
            grown = self._own(identity, update(SESSIONS)).where(SESSIONS.c.duration_seconds < chunk.end)
            connection.execute(grown.values(duration_seconds=chunk.end))
            return chunk

    def chunks(self, identity: str) -> list[Chunk]:
        """Returns the chunks of a live session by number."""
        with self._store.read() as connection:
            self._get(connection, identity)
            rows = connection.execute(select(CHUNKS).where(CHUNKS.c.session == identity).order_by(CHUNKS.c.sequence))
            return [_chunk(row) for row in rows]

    def chunks_before(self, identity: str, sequence: int, most: int) -> list[Chunk]:
        """Returns the last ``most`` chunks with speech before a number, in order; what a chunk adapts to."""
        own = CHUNKS.c.session == identity, CHUNKS.c.sequence < sequence, CHUNKS.c.voice.is_not(None)
        with self._store.read() as connection:
            self._get(connection, identity)
            rows = connection.execute(select(CHUNKS).where(*own).order_by(CHUNKS.c.sequence.desc()).limit(most))
            return [_chunk(row) for row in rows][::-1]

    def received(self, identity: str) -> list[tuple[int, int]]:
        """Returns the numbers of the chunks as ranges (first, last)."""
        with self._store.read() as connection:
            self._get(connection, identity)
            numbers = connection.scalars(
                select(CHUNKS.c.sequence).where(CHUNKS.c.session == identity).order_by(CHUNKS.c.sequence)
            )
            return _ranges(numbers.all())

    def mark(self, identity: str, mark: Mark) -> Mark:
        """Stores a mark and returns it as stored; the same mark sent again is stored once.

        Raises:
            SessionError: the session already has ``MOST_MARKS`` (``quota_reached``).
        """
        with self._store.write() as connection:
            self._get(connection, identity)
            mark = Mark(at=mark.at, note=on_one_line(mark.note, MAX_NOTE_CHARACTERS))
            same = select(MARKS.c.id).where(
                MARKS.c.session == identity, MARKS.c.at == mark.at, MARKS.c.note == mark.note
            )
            if connection.scalar(same) is None:
                if _count(connection, MARKS, MARKS.c.session == identity) >= MOST_MARKS:
                    raise SessionError(
                        f"The session has {MOST_MARKS} marks, which is the maximum. Start another session.",
                        "quota_reached",
                    )
                connection.execute(insert(MARKS).values(session=identity, **asdict(mark)))
            return mark

    def marks(self, identity: str) -> list[Mark]:
        """Returns the marks in order of time."""
        with self._store.read() as connection:
            self._get(connection, identity)
            rows = connection.execute(
                select(*_MARK).where(MARKS.c.session == identity).order_by(MARKS.c.at, MARKS.c.id)
            )
            return [Mark(**row._mapping) for row in rows]

    def close(self, identity: str) -> Session:
        """Ends a live session: it accepts no new chunks. Ending it again changes nothing."""
        with self._store.write() as connection:
            self._get(connection, identity)
            connection.execute(self._own(identity, update(SESSIONS)).values(state="ended"))
            return self._get(connection, identity)

    def conclude(self, identity: str, prediction: Prediction, result: Mapping[str, Any]) -> Session:
        """Stores the result of an ended live session, deletes its embeddings, and returns the session."""
        with self._store.erase() as connection:
            self._get(connection, identity)
            connection.execute(self._own(identity, update(SESSIONS)).values(_found(prediction, result)))
            connection.execute(update(CHUNKS).where(CHUNKS.c.session == identity).values(voice=None))
            return self._get(connection, identity)

    def _own(self, identity: str, statement: Any) -> Any:
        return statement.where(SESSIONS.c.id == identity, SESSIONS.c.owner == self._owner)

    def _add(
        self,
        kind: str,
        title: str,
        model: str,
        speaker: str | None,
        emotions: Sequence[str],
        state: str,
        values: Mapping[str, Any],
    ) -> Session:
        title, identity = on_one_line(title), secrets.token_hex(16)
        row = {"id": identity, "owner": self._owner, "kind": kind, "title": title, "folded": title.casefold()}
        row |= {"model": model, "speaker": speaker, "state": state, "emotions": ",".join(emotions) or None}
        row |= {"created": datetime.now(UTC).isoformat(timespec="microseconds"), **values}
        with self._store.write() as connection:
            self._check_room(connection)
            connection.execute(insert(SESSIONS).values(row))
            return self._get(connection, identity)

    def _check_room(self, connection: Connection) -> None:
        if _count(connection, SESSIONS, SESSIONS.c.owner == self._owner) >= MOST_SESSIONS:
            raise SessionError(
                f"You have {MOST_SESSIONS} sessions, which is the maximum. Delete some that you no longer need.",
                "quota_reached",
            )

    def _get(self, connection: Connection, identity: str, *, lock: bool = False) -> Session:
        query = self._own(identity, select(*_SUMMARY))
        row = (
            connection.execute(query.with_for_update() if lock else query).first() if _ID.fullmatch(identity) else None
        )
        if row is None:
            raise SessionError(f"You have no session {identity[:40]!r}; GET /api/v1/sessions lists yours.")
        return _session(row)

    def _find_chunk(self, connection: Connection, session: Session, sequence: int, digest: str) -> Chunk | None:
        own = CHUNKS.c.session == session.id, CHUNKS.c.sequence == sequence
        row = connection.execute(select(CHUNKS).where(*own)).first()
        if row is not None and row.digest != digest:
            raise SessionError(
                f"Chunk {sequence} was sent before with other audio or another start; give every chunk its own number.",
                "chunk_conflict",
            )
        if row is None and session.state != "live":
            raise SessionError(
                "The session has ended and accepts no new chunks. Start another session.", "session_ended"
            )
        return None if row is None else _chunk(row)


def _count(connection: Connection, table: Table, *wanted: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(*wanted))


def _found(prediction: Prediction, result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "duration_seconds": prediction.duration_seconds,
        "dominant": prediction.dominant,
        "confidence": prediction.confidence,
        "result": json.dumps(result),
    }


def _session(row: Row) -> Session:
    emotions = tuple(row.emotions.split(",")) if row.emotions else ()
    return Session(**{**row._mapping, "emotions": emotions})


def _chunk(row: Row) -> Chunk:
    values = {name: value for name, value in row._mapping.items() if name != "session"}
    voice = None if row.voice is None else np.frombuffer(row.voice, NUMBERS).astype(np.float32)
    return Chunk(**values | {"answer": json.loads(row.answer), "voice": voice})


def _ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Joins consecutive numbers: 0, 1, 2, 5 become (0, 2) and (5, 5)."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
