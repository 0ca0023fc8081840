"""The results database: transactions, concurrent processes, schema versions and secure deletion."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from ser.core.errors import SettingsError, StoreError
from ser.storage.database import CHUNKS, MARKS, PROFILES, SCHEMA, SESSIONS, VERSIONS, Store, open_store, owner_of

WRITER = """
import sys
from sqlalchemy import insert
from ser.storage.database import CHUNKS, SESSIONS, open_store
from tests.storage.test_database import chunk, session

store = open_store(sys.argv[1])
print("open", flush=True)
number = 0
while True:
    with store.write() as connection:
        name = f"{sys.argv[2]}{number:08d}"
        connection.execute(insert(SESSIONS).values(session(name)))
        connection.execute(insert(CHUNKS), [chunk(name, sequence) for sequence in range(20)])
    print(name, flush=True)
    number += 1
"""


def session(name: str, title: str = "", result: str = "") -> dict:
    row = {"id": name, "owner": owner_of("me"), "kind": "live", "title": title, "folded": title, "model": "m"}
    return row | {"created": name, "state": "live", "duration_seconds": 1.0, "result": result}


def chunk(name: str, sequence: int, answer: str = "{}") -> dict:
    row = {"session": name, "sequence": sequence, "digest": "d" * 64, "start": 0.0, "end": 1.0}
    return row | {"speech": "1" * 90, "answer": answer}


PROFILE = {"owner": owner_of("me"), "name": "asha", "model": "m", "weights": "w", "clips": 3, "speech_seconds": 9.0}
PROFILE |= {"variety": 0.5, "created": "now", "offset": b"1234"}


def count(store: Store, table) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_written_rows_persist(database_url):
    first = open_store(database_url)
    with first.write() as connection:
        connection.execute(insert(SESSIONS).values(session("a", "Überschrift हिन्दी", "{}")))
    first.close()
    again = open_store(database_url)
    with again.read() as connection:
        row = connection.execute(select(SESSIONS)).one()
    again.close()
    assert (row.title, row.result, row.speaker) == ("Überschrift हिन्दी", "{}", None)


def test_a_failed_transaction_changes_nothing(store):
    with pytest.raises(StoreError), store.write() as connection:
        connection.execute(insert(SESSIONS).values(session("a")))
        connection.execute(insert(CHUNKS).values(chunk("a", 0)))
        connection.execute(insert(CHUNKS).values(chunk("nobody's", 1)))
    with pytest.raises(KeyError), store.write() as connection:
        connection.execute(insert(SESSIONS).values(session("b")))
        raise KeyError
    assert count(store, SESSIONS) == count(store, CHUNKS) == 0


def test_deleting_a_session_deletes_its_chunks_and_marks(store):
    with store.write() as connection:
        connection.execute(insert(SESSIONS), [session("a"), session("b")])
        connection.execute(insert(CHUNKS), [chunk("a", 0), chunk("a", 1), chunk("b", 0)])
        connection.execute(insert(MARKS), [{"session": name, "at": 1.0, "note": ""} for name in "ab"])
    with store.erase() as connection:
        connection.execute(delete(SESSIONS).where(SESSIONS.c.id == "a"))
    assert (count(store, SESSIONS), count(store, CHUNKS), count(store, MARKS)) == (1, 1, 1)


def test_concurrent_threads_lose_no_update(store):
    with store.write() as connection:
        connection.execute(insert(SESSIONS).values(session("a") | {"duration_seconds": 0.0}))

    def add_one(_: int) -> None:
        with store.write() as connection:
            seconds = connection.scalar(select(SESSIONS.c.duration_seconds).with_for_update())
            connection.execute(update(SESSIONS).values(duration_seconds=seconds + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(64)))
    with store.read() as connection:
        assert connection.scalar(select(SESSIONS.c.duration_seconds)) == 64


def test_processes_share_the_database_and_a_killed_one_keeps_its_commits(database_url):
    folder = Path(__file__).parents[2]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, database_url, name], stdout=subprocess.PIPE, text=True, cwd=folder
        )
        for name in "abc"
    ]
    said = [[writer.stdout.readline().strip() for _ in range(6)] for writer in writers]
    for writer, lines in zip(writers, said, strict=True):
        writer.kill()
        lines += writer.stdout.read().split()
        writer.wait(10)
        writer.stdout.close()
    assert all(lines[0] == "open" and len(lines) >= 6 for lines in said)
    store = open_store(database_url)
    with store.read() as connection:
        kept = set(connection.scalars(select(SESSIONS.c.id)))
        sizes = set(connection.scalars(select(func.count()).select_from(CHUNKS).group_by(CHUNKS.c.session)))
    store.close()
    reported = {name for lines in said for name in lines[1:]}
    assert reported <= kept and len(kept - reported) <= len(writers)
    assert sizes == {20}, "no session is stored partially"


def test_a_newer_version_is_refused(database_url):
    store = open_store(database_url)
    with store.write() as connection:
        connection.execute(update(VERSIONS).values(version=SCHEMA + 1))
    store.close()
    with pytest.raises(StoreError, match=rf"newer version .*schema {SCHEMA + 1}; .* SER_DATABASE_URL"):
        open_store(database_url)


def test_a_database_of_an_earlier_version_is_upgraded_with_its_rows(database_url):
    store = open_store(database_url)
    with store.write() as connection:
        connection.execute(insert(SESSIONS).values(session("a", "kept")))
        connection.execute(insert(CHUNKS).values(chunk("a", 0)))
        connection.execute(insert(PROFILES).values(PROFILE | {"share": 0.5}))
        for table, column in (("sessions", "emotions"), ("chunks", "voice"), ("profiles", "share")):
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(update(VERSIONS).values(version=1))
    store.close()
    for _ in range(2):
        store = open_store(database_url)
        with store.read() as connection:
            row, part, profile = (connection.execute(select(table)).one() for table in (SESSIONS, CHUNKS, PROFILES))
            assert (row.title, row.emotions, part.session, part.voice) == ("kept", None, "a", None)
            assert (profile.name, profile.share) == ("asha", 0), "a profile of an earlier model is refused anyway"
            assert connection.scalar(select(func.max(VERSIONS.c.version))) == SCHEMA
        store.close()


@pytest.mark.parametrize("kind", ["text", "folder", "below a file"])
def test_a_file_that_is_not_a_database_is_explained(kind, tmp_path):
    (tmp_path / "text").write_text("this is no database " * 100, encoding="utf-8")
    (tmp_path / "folder").mkdir()
    file = tmp_path / "text" / "x.sqlite" if kind == "below a file" else tmp_path / kind
    with pytest.raises(StoreError, match="cannot be used .* SER_DATABASE_URL") as caught:
        open_store(f"sqlite:///{file.as_posix()}")
    assert file.name in str(caught.value)
    assert (tmp_path / "text").read_text(encoding="utf-8").startswith("this is no database")


@pytest.mark.parametrize("url", ["results", "nonsense://x/y", "://", "http://host/x"])
def test_an_invalid_url_is_explained(url):
    with pytest.raises(SettingsError, match="SER_DATABASE_URL .* expected sqlite:///FILE"):
        open_store(url)


def test_a_password_is_not_shown():
    with pytest.raises(StoreError) as caught:
        open_store("postgresql+psycopg://anna:hidden@127.0.0.1:1/results?connect_timeout=2")
    assert "anna" in str(caught.value) and "hidden" not in str(caught.value)


def test_the_owner_is_stored_as_a_digest():
    assert owner_of("a" * 32) == "3ba3f5f43b92602683c19aee62a20342b084dd5971ddd33808d81a328879a547"


def test_deleted_and_overwritten_data_leave_no_byte(tmp_path):
    """Rows of many sizes are added, changed and deleted, so that pages are split, merged and moved."""
    store = open_store(f"sqlite:///{(tmp_path / 'x.sqlite').as_posix()}")
    draw, there, gone = random.Random(0), {}, set()

    def new() -> str:
        return f"MARK{draw.getrandbits(64):016x}"

    for step in range(150):
        name, word = f"{step:08d}", new()
        choice = draw.random() if there else 0.0
        if choice < 0.6:
            with store.write() as connection:
                connection.execute(insert(SESSIONS).values(session(name, word, word * draw.choice([1, 40, 3000]))))
                chunks = [chunk(name, number, word) for number in range(draw.choice([1, 3, 60]))]
                connection.execute(insert(CHUNKS), chunks)
            there[name] = word
            continue
        other = draw.choice(sorted(there))
        gone.add(there.pop(other))
        with store.erase() as connection:
            if choice < 0.75:
                there[other] = word
                connection.execute(update(SESSIONS).where(SESSIONS.c.id == other).values(session(other, word, word)))
                connection.execute(update(CHUNKS).where(CHUNKS.c.session == other).values(answer=word))
            else:
                connection.execute(delete(SESSIONS).where(SESSIONS.c.id == other))
        content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert not [word for word in gone if word.encode() in content]
    assert len(gone) > 40 and all(word.encode() in content for word in there.values())
    store.close()


def test_a_killed_deletion_leaves_nothing_after_reopening(tmp_path):
    url = f"sqlite:///{(tmp_path / 'x.sqlite').as_posix()}"
    code = """
import os, sys
from sqlalchemy import delete, insert
from ser.storage.database import SESSIONS, open_store
from tests.storage.test_database import session
store = open_store(sys.argv[1])
with store.write() as connection:
    connection.execute(insert(SESSIONS).values(session("a", "SECRET", "SECRET" * 500)))
with store.write() as connection:
    connection.execute(delete(SESSIONS))
os._exit(9)
"""
    subprocess.run([sys.executable, "-c", code, url], cwd=Path(__file__).parents[2], check=False)
    files = sorted(tmp_path.iterdir())
    assert any(b"SECRET" in file.read_bytes() for file in files), "the log still has it"
    open_store(url).close()
    assert not any(b"SECRET" in file.read_bytes() for file in tmp_path.iterdir())


def test_a_duplicate_number_is_refused(store):
    with store.write() as connection:
        connection.execute(insert(SESSIONS).values(session("a")))
        connection.execute(insert(CHUNKS).values(chunk("a", 0)))
    with pytest.raises(StoreError) as caught, store.write() as connection:
        connection.execute(insert(CHUNKS).values(chunk("a", 0)))
    assert isinstance(caught.value.__cause__, IntegrityError)


if os.name == "posix":

    def test_the_file_is_readable_by_its_user_only(tmp_path):
        open_store(f"sqlite:///{(tmp_path / 'x.sqlite').as_posix()}").close()
        assert (tmp_path / "x.sqlite").stat().st_mode & 0o077 == 0
