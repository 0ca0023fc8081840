"""One corpus per file, found by scanning; see ``ser.corpus`` for the contract."""
