"""Defines one published system per file, found by scanning; see ``ser.models.recipe`` for the contract."""
