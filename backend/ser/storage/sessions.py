"""Stores sessions, analysed recordings and live ones, as the rows of one owner: results only, never audio.

``Sessions`` sees nothing that belongs to another owner: what is another's is as unknown as what does not exist.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, select, update

from ser.core.errors import SessionError
from ser.core.prediction import Prediction
from ser.storage.database import CHUNKS, MARKS, SESSIONS, Store

MAX_TITLE_CHARACTERS = 200
MAX_NOTE_CHARACTERS = 500
MOST_SESSIONS = 5000  # of one owner
MOST_MARKS = 1000  # in one session


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a list of sessions says about one.

    Attributes:
        id: of the session.
        kind: ``recording`` or ``live``.
        title: for people; may be empty.
        model: name of the model that answers.
        speaker: name of the profile it is calibrated with, None without.
        created: when, UTC, in ISO 8601.
        state: ``live`` until it is ended.
        duration_seconds: length in s.
        dominant: emotion that the most speech carries, None without speech and while live.
        confidence: of the whole in percent, None without speech and while live.
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


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A part of a live session and what was answered.

    Attributes:
        sequence: its number.
        digest: SHA-256 of what was sent.
        start: in s from the session's beginning.
        end: in s.
        speech: one character for every frame of ``ser.audio.vad``, "1" where it is speech.
        answer: state, emotion, confidence, probabilities, candidates, intensity and warning_codes as in a
            ``Prediction``.
    """

    sequence: int
    digest: str
    start: float
    end: float
    speech: str
    answer: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A moment that a person marked, ``at`` s from the beginning."""

    at: float
    note: str


_ID = re.compile("[0-9a-f]{32}")
_SUMMARY = [SESSIONS.c[field.name] for field in fields(Session)]
_MARK = [MARKS.c.at, MARKS.c.note]


def on_one_line(text: str, characters: int = MAX_TITLE_CHARACTERS) -> str:
    """Returns a text on one line, without what cannot be seen (some databases refuse it), cut to so many characters."""
    visible = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(visible.split())[:characters].rstrip()


class Sessions:
    """The sessions of one owner.

    Every method that takes an ``identity`` raises ``SessionError`` where this owner has no session of that id, and
    every method ``StoreError`` where the database does not answer.
    """

    def __init__(self, store: Store, owner: str):
        self._store = store
        self._owner = owner

    def keep(
        self, prediction: Prediction, result: Mapping[str, Any], title: str, speaker: str | None = None
    ) -> Session:
        """Keeps an analysed recording; ``result`` is everything that was answered, as JSON.

        Raises:
            SessionError: as ``check_room``.
        """
        return self._add("recording", title, prediction.model, speaker, "ended", _found(prediction, result))

    def begin(self, title: str, model: str, speaker: str | None) -> Session:
        """Begins a live session.

        Raises:
            SessionError: as ``check_room``.
        """
        return self._add("live", title, model, speaker, "live", {"duration_seconds": 0.0})

    def check_room(self) -> None:
        """Sees to it that there is room for one more session.

        Raises:
            SessionError: this owner has ``MOST_SESSIONS`` (``quota_reached``).
        """
        with self._store.read() as connection:
            self._check_room(connection)

    def page(
        self, *, search: str = "", kind: str | None = None, offset: int = 0, limit: int = 50
    ) -> tuple[int, list[Session]]:
        """Returns how many sessions fit, and ``limit`` of them from ``offset`` on, newest first.

        Args:
            search: what the title holds, in any case.
            kind: ``recording`` or ``live``; None takes both.
            offset: how many to pass over.
            limit: most that are returned.
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
            return total, [Session(**row._mapping) for row in connection.execute(page)]

    def get(self, identity: str) -> Session:
        """Returns one session."""
        with self._store.read() as connection:
            return self._get(connection, identity)

    def result(self, identity: str) -> dict[str, Any] | None:
        """Returns everything that was answered, as JSON; None while a session is live."""
        with self._store.read() as connection:
            self._get(connection, identity)
            kept = connection.scalar(select(SESSIONS.c.result).where(SESSIONS.c.id == identity))
            return None if kept is None else json.loads(kept)

    def rename(self, identity: str, title: str) -> Session:
        """Gives a session another title, and returns it."""
        title = on_one_line(title)
        with self._store.erase() as connection:
            self._get(connection, identity)
            connection.execute(self._own(identity, update(SESSIONS)).values(title=title, folded=title.casefold()))
            return self._get(connection, identity)

    def delete(self, identity: str) -> None:
        """Deletes a session for good, with its chunks and marks."""
        with self._store.erase() as connection:
            self._get(connection, identity)
            connection.execute(self._own(identity, delete(SESSIONS)))

    def delete_all(self) -> int:
        """Deletes every session of this owner for good, and returns how many there were."""
        with self._store.erase() as connection:
            return connection.execute(delete(SESSIONS).where(SESSIONS.c.owner == self._owner)).rowcount

    def find_chunk(self, identity: str, sequence: int, digest: str) -> Chunk | None:
        """Returns the chunk of a number, None where it is still to come.

        Raises:
            SessionError: the number has another chunk (``chunk_conflict``), or is new in a session that was ended
                (``session_ended``).
        """
        with self._store.read() as connection:
            return self._find_chunk(connection, self._get(connection, identity), sequence, digest)

    def add_chunk(self, identity: str, chunk: Chunk) -> Chunk:
        """Keeps a chunk once, however often and from wherever it comes, and returns the one that is kept.

        Raises:
            SessionError: as ``find_chunk``.
        """
        with self._store.write() as connection:
            session = self._get(connection, identity, lock=True)
            found = self._find_chunk(connection, session, chunk.sequence, chunk.digest)
            if found is not None:
                return found
            row = asdict(chunk) | {"session": identity, "answer": json.dumps(chunk.answer)}
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

    def received(self, identity: str) -> list[tuple[int, int]]:
        """Returns the numbers of the chunks as ranges (first, last)."""
        with self._store.read() as connection:
            self._get(connection, identity)
            numbers = connection.scalars(
                select(CHUNKS.c.sequence).where(CHUNKS.c.session == identity).order_by(CHUNKS.c.sequence)
            )
            return _ranges(numbers.all())

    def mark(self, identity: str, mark: Mark) -> Mark:
        """Keeps a marked moment, and returns it as it was kept; the same one sent again is kept once.

        Raises:
            SessionError: the session has ``MOST_MARKS`` (``quota_reached``).
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
                        f"The session has {MOST_MARKS} marks, which is the most. Begin another one.", "quota_reached"
                    )
                connection.execute(insert(MARKS).values(session=identity, **asdict(mark)))
            return mark

    def marks(self, identity: str) -> list[Mark]:
        """Returns the marked moments in order of time."""
        with self._store.read() as connection:
            self._get(connection, identity)
            rows = connection.execute(
                select(*_MARK).where(MARKS.c.session == identity).order_by(MARKS.c.at, MARKS.c.id)
            )
            return [Mark(**row._mapping) for row in rows]

    def close(self, identity: str) -> Session:
        """Ends a live session: from now on it takes no new chunk. Ending it again changes nothing."""
        with self._store.write() as connection:
            self._get(connection, identity)
            connection.execute(self._own(identity, update(SESSIONS)).values(state="ended"))
            return self._get(connection, identity)

    def conclude(self, identity: str, prediction: Prediction, result: Mapping[str, Any]) -> Session:
        """Stores the result of an ended live session, and returns the session."""
        with self._store.write() as connection:
            self._get(connection, identity)
            connection.execute(self._own(identity, update(SESSIONS)).values(_found(prediction, result)))
            return self._get(connection, identity)

    def _own(self, identity: str, statement: Any) -> Any:
        return statement.where(SESSIONS.c.id == identity, SESSIONS.c.owner == self._owner)

    def _add(
        self, kind: str, title: str, model: str, speaker: str | None, state: str, values: Mapping[str, Any]
    ) -> Session:
        title, identity = on_one_line(title), secrets.token_hex(16)
        row = {"id": identity, "owner": self._owner, "kind": kind, "title": title, "folded": title.casefold()}
        row |= {"model": model, "speaker": speaker, "state": state}
        row |= {"created": datetime.now(UTC).isoformat(timespec="microseconds"), **values}
        with self._store.write() as connection:
            self._check_room(connection)
            connection.execute(insert(SESSIONS).values(row))
            return self._get(connection, identity)

    def _check_room(self, connection: Connection) -> None:
        if _count(connection, SESSIONS, SESSIONS.c.owner == self._owner) >= MOST_SESSIONS:
            raise SessionError(
                f"You have {MOST_SESSIONS} sessions, which is the most. Delete some that you do not need.",
                "quota_reached",
            )

    def _get(self, connection: Connection, identity: str, *, lock: bool = False) -> Session:
        query = self._own(identity, select(*_SUMMARY))
        row = (
            connection.execute(query.with_for_update() if lock else query).first() if _ID.fullmatch(identity) else None
        )
        if row is None:
            raise SessionError(f"There is no session {identity[:40]!r} of yours; GET /api/v1/sessions lists yours.")
        return Session(**row._mapping)

    def _find_chunk(self, connection: Connection, session: Session, sequence: int, digest: str) -> Chunk | None:
        own = CHUNKS.c.session == session.id, CHUNKS.c.sequence == sequence
        row = connection.execute(select(CHUNKS).where(*own)).first()
        if row is not None and row.digest != digest:
            raise SessionError(
                f"Chunk {sequence} was sent before with other sound or another start; give every chunk its own number.",
                "chunk_conflict",
            )
        if row is None and session.state != "live":
            raise SessionError("The session was ended; it takes no new chunk. Begin another one.", "session_ended")
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


def _chunk(row: Row) -> Chunk:
    values = {name: value for name, value in row._mapping.items() if name != "session"}
    return Chunk(**values | {"answer": json.loads(row.answer)})


def _ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Joins neighbours: 0, 1, 2, 5 are (0, 2) and (5, 5)."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
