"""Provides the databases for tests: SQLite always, and a temporary PostgreSQL server where PostgreSQL is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

START_SECONDS = 30.0
DEBIAN = Path("/usr/lib/postgresql")  # has a folder per version, none of them on the PATH


def _programs() -> Path | None:
    """Folder of initdb and postgres, or None where they are missing or cannot run, as they refuse a superuser."""
    places = [os.environ.get("PATH", ""), *map(str, sorted(DEBIAN.glob("*/bin"), reverse=True))]
    found = shutil.which("initdb", path=os.pathsep.join(places))
    if found is None or os.name != "posix" or (os.geteuid() == 0 and not _unprivileged()):
        return None
    return Path(found).resolve().parent


def _unprivileged() -> dict[str, Any]:
    """Arguments that start a program as the user that the installation created for the server."""
    import pwd

    names = [entry.pw_name for entry in pwd.getpwall()]
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if "postgres" in names else {}


POSTGRES = _programs()


@contextmanager
def postgres_server() -> Iterator[str]:
    """Runs a server on a free loopback port with its data in a temporary folder; yields its URL."""
    options = _unprivileged() if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        if options:
            shutil.chown(folder, options["user"])
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        data = Path(folder) / "data"
        initdb = [POSTGRES / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(initdb, check=True, cwd=folder, capture_output=True, **options)
        command = [POSTGRES / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        with (Path(folder) / "log").open("wb") as log:
            server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **options)
        url = f"postgresql+psycopg://tester@127.0.0.1:{port}"
        try:
            _wait(f"{url}/postgres")
            yield url
        finally:
            server.terminate()
            server.wait(START_SECONDS)


def _wait(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            make(url, "SELECT 1")
            return
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def make(url: str, statement: str) -> None:
    """Runs one statement outside a transaction, such as one that creates a database."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
