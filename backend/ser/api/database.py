"""Owns the server's database of results: opened by the first request that needs it.

What needs none, such as analysing a recording, works without; and a database that comes back is used again.
"""

from __future__ import annotations

import threading

from ser.errors import SettingsError, StoreError
from ser.store import Store, open_store


class Database:
    """The database of one server; safe to use from several threads."""

    def __init__(self, url: str):
        self._url = url
        self._store: Store | None = None
        self._opening = threading.Lock()

    def store(self) -> Store:
        """Returns the database, opening it where it is not open.

        Raises:
            StoreError: it cannot be opened.
        """
        with self._opening:
            if self._store is None:
                try:
                    self._store = open_store(self._url)
                except SettingsError as error:
                    raise StoreError(str(error)) from error
            return self._store

    def close(self) -> None:
        """Closes the database; the next request that needs it opens it again."""
        with self._opening:
            if self._store is not None:
                self._store.close()
            self._store = None
