"""Opens the database of stored results: tables, transactions and secure deletion.

SQLite by default, or any database that SQLAlchemy supports, by URL. Several threads and processes may share it: a write
takes the write lock when it begins, so that what it has read cannot change before it commits, and a killed process
leaves only committed data. Audio is never stored, and an owner is identified by the SHA-256 of a token only.

``ser.storage.sessions`` and ``ser.storage.profiles`` read and write the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateColumn

from ser.core.errors import SettingsError, StoreError

SCHEMA = 2  # version of the tables below; UPGRADES says how each one follows from the one before
LOCAL = "local"  # the owner for the command line; no SHA-256 equals this
BUSY_SECONDS = 30.0  # how long a connection waits for another's write
CONNECT_SECONDS = 5  # timeout for connecting to a database server
NUMBERS = np.dtype("<f4")  # byte order of stored numbers, on every machine
_CREATION_LOCK = 736_572  # any number that all processes agree on

METADATA = MetaData()

VERSIONS = Table("schema_versions", METADATA, Column("version", Integer, primary_key=True, autoincrement=False))

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("title", String(200), nullable=False),
    Column("folded", Text, nullable=False),  # the case-folded title, for searching
    Column("model", String(200), nullable=False),
    Column("speaker", String(40)),
    Column("created", String(32), nullable=False),  # UTC, ISO 8601
    Column("state", String(16), nullable=False),
    Column("duration_seconds", Float, nullable=False),
    Column("dominant", String(32)),
    Column("confidence", Float),  # percent
    Column("result", Text),  # JSON
    Column("emotions", String(200)),  # that answers are chosen from, separated by commas; null for all
)

CHUNKS = Table(
    "chunks",
    METADATA,
    Column("session", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of the chunk as sent
    Column("start", Float, nullable=False),  # s
    Column("end", Float, nullable=False),
    Column("speech", Text, nullable=False),  # "1" for every frame of speech, "0" for others
    Column("answer", Text, nullable=False),  # JSON
    Column("voice", LargeBinary),  # float32, least significant byte first; null without speech and in ended sessions
)

MARKS = Table(
    "marks",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("session", ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Float, nullable=False),  # s
    Column("note", Text, nullable=False),
)

PROFILES = Table(
    "profiles",
    METADATA,
    Column("owner", String(64), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("model", String(200), nullable=False),
    Column("weights", String(16), nullable=False),
    Column("clips", Integer, nullable=False),
    Column("speech_seconds", Float, nullable=False),
    Column("variety", Float, nullable=False),
    Column("created", String(32), nullable=False),
    Column("offset", LargeBinary, nullable=False),  # float32, least significant byte first
    Column("share", Float, nullable=False, server_default="0"),
)

UPGRADES = {2: (SESSIONS.c.emotions, CHUNKS.c.voice, PROFILES.c.share)}  # version -> the columns that it adds


def owner_of(token: str) -> str:
    """Returns the key of an owner's rows; the token itself is never stored."""
    return hashlib.sha256(token.encode()).hexdigest()


class Store:
    """An open database; safe to use from several threads."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yields a connection for reading.

        Raises:
            StoreError: the database does not answer.
        """
        with _explained(self._engine.url), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yields a connection whose changes are committed together, or rolled back if anything is raised.

        Raises:
            StoreError: the database does not answer or cannot store the changes.
        """
        with _explained(self._engine.url), self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextmanager
    def erase(self) -> Iterator[Connection]:
        """Like ``write``, for deleting: afterwards no file of the database contains the bytes of a deleted row.

        With SQLite, by ``secure_delete`` and an emptied write-ahead log. Other databases keep the bytes until their own
        clean-up.
        """
        with self.write() as connection:
            yield connection
        self._empty_log()

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def _empty_log(self) -> None:
        """Moves the contents of the write-ahead log into the database and truncates the log."""
        if self._sqlite:
            with _explained(self._engine.url), closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def _prepare(self) -> None:
        """Creates missing tables and upgrades those of earlier versions; safe when several processes start at once."""
        with self.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK})"))
            found = None
            if inspect(connection).has_table(VERSIONS.name):
                found = connection.scalar(select(func.max(VERSIONS.c.version)))
            if found is not None and found > SCHEMA:
                raise StoreError(
                    f"The database {_shown(self._engine.url)} was created by a newer version of this software (schema "
                    f"{found}; this version supports up to {SCHEMA}). Update, or set SER_DATABASE_URL to another one."
                )
            METADATA.create_all(connection)
            if found is None:
                connection.execute(insert(VERSIONS).values(version=SCHEMA))
            for version in range((found or SCHEMA) + 1, SCHEMA + 1):
                for column in UPGRADES[version]:
                    definition = CreateColumn(column).compile(dialect=connection.dialect)
                    connection.execute(text(f"ALTER TABLE {column.table.name} ADD COLUMN {definition}"))
                connection.execute(insert(VERSIONS).values(version=version))
        self._empty_log()  # a process killed right after deleting may have left data there


def open_store(url: str) -> Store:
    """Opens a database and creates it if it is missing.

    Args:
        url: an SQLAlchemy URL such as ``sqlite:////folder/results.sqlite`` or ``postgresql://user@host/name``.

    Raises:
        SettingsError: the URL is invalid, or there is no driver for it.
        StoreError: the database cannot be opened, or was created by a newer version.
    """
    try:
        parsed = make_url(url)
        engine = _sqlite_engine(parsed) if parsed.get_backend_name() == "sqlite" else _server_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise SettingsError(
            "SER_DATABASE_URL is not a supported database URL; expected sqlite:///FILE or "
            "postgresql://USER:PASSWORD@HOST/NAME."
        ) from error
    store = Store(engine)
    try:
        store._prepare()
    except StoreError:
        store.close()
        raise
    return store


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """Opens a database for as long as a block runs; raises as ``open_store``."""
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


def _server_engine(url: URL) -> Engine:
    waiting = {"connect_timeout": CONNECT_SECONDS} if url.get_driver_name() == "psycopg" else {}
    # the ping detects a server that was restarted since the last request
    return create_engine(url, pool_pre_ping=True, connect_args=waiting)


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # otherwise sqlite3 begins transactions on its own
        for pragma in ("foreign_keys = ON", "secure_delete = ON", "journal_mode = WAL"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @event.listens_for(engine, "do_connect")
    def _make_file(*_: Any) -> None:
        file = Path(url.database or "")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # private to this user; keeps existing content

    return engine


@contextmanager
def _explained(url: URL) -> Iterator[None]:
    """Turns a driver's error into a ``StoreError``."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreError(
            f"The database {_shown(url)} cannot be used ({reason}). Check that it exists, is writable and has disk "
            "space, or set SER_DATABASE_URL to another one."
        ) from error


def _shown(url: URL) -> str:
    """Returns the URL for messages, without the password."""
    return url.database or "" if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
