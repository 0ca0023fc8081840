"""Defines one corpus per file, found by scanning; see ``ser.data.corpus`` for the contract."""
