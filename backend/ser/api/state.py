"""Owns the way from a request to what its application was made with."""

from __future__ import annotations

from flask import Flask, current_app

from ser.api.database import Database
from ser.api.registry import ModelRegistry
from ser.settings import Settings
from ser.store import Store

_KEY = "ser"


def attach(app: Flask, settings: Settings, models: ModelRegistry, database: Database) -> None:
    """Gives an application its settings, models and database."""
    app.extensions[_KEY] = (settings, models, database)


def settings() -> Settings:
    """Returns the settings of the current application."""
    return current_app.extensions[_KEY][0]


def registry() -> ModelRegistry:
    """Returns the models of the current application."""
    return current_app.extensions[_KEY][1]


def store() -> Store:
    """Returns the database of the current application.

    Raises:
        StoreError: it cannot be opened.
    """
    return current_app.extensions[_KEY][2].store()
