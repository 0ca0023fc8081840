"""Opens the server's database of stored results at the first request that needs it.

Requests that need no database, such as an analysis, work without it, and a database that becomes available again is
used again. While it is unavailable, only one request every few seconds tries to connect.
"""

from __future__ import annotations

import threading
import time

from ser.core.errors import SettingsError, StoreError
from ser.storage.database import Store, open_store

RETRY_SECONDS = 5.0


class Database:
    """The database of one server; safe to use from several threads.

    Args:
        url: see ``ser.storage.database.open_store``.
        retry_seconds: after a failure, no connection is tried for this long.
    """

    def __init__(self, url: str, *, retry_seconds: float = RETRY_SECONDS):
        self._url = url
        self._retry_seconds = retry_seconds
        self._failure: tuple[float, str] | None = None
        self._store: Store | None = None
        self._opening = threading.Lock()

    def store(self) -> Store:
        """Returns the database, opening it if necessary.

        Raises:
            StoreError: it cannot be opened.
        """
        with self._opening:
            if self._store is None:
                self._store = self._open()
            return self._store

    def _open(self) -> Store:
        if self._failure is not None and time.monotonic() < self._failure[0]:
            raise StoreError(self._failure[1])
        try:
            return open_store(self._url)
        except (SettingsError, StoreError) as error:
            self._failure = time.monotonic() + self._retry_seconds, str(error)
            raise StoreError(str(error)) from error

    def close(self) -> None:
        """Closes the database; the next request that needs it opens it again."""
        with self._opening:
            if self._store is not None:
                self._store.close()
            self._store = None
