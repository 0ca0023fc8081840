"""Owns the way from a request to what its application was made with."""

from __future__ import annotations

from flask import Flask, current_app

from ser.api.registry import ModelRegistry
from ser.settings import Settings

_KEY = "ser"


def attach(app: Flask, settings: Settings, models: ModelRegistry) -> None:
    """Gives an application its settings and models."""
    app.extensions[_KEY] = (settings, models)


def settings() -> Settings:
    """Returns the settings of the current application."""
    return current_app.extensions[_KEY][0]


def registry() -> ModelRegistry:
    """Returns the models of the current application."""
    return current_app.extensions[_KEY][1]
