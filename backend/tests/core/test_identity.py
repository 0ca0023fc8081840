"""Identities of settings: stable across processes, and different whenever a setting differs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from ser.core.identity import as_json, identity
from ser.models.recipe import find_recipes


@dataclass(frozen=True)
class Settings:
    rate: float
    parts: tuple[str, ...] = ()


def test_an_identity_is_the_same_everywhere():
    content = {"b": Settings(0.5, ("x",)), "a": None, "frames": np.zeros((2, 3), np.float32), "at": Path("x")}
    assert identity("test", 1, content) == "bcca9ed7c82705c399f8"
    assert identity("test", 1, dict(reversed(content.items()))) == identity("test", 1, content)


def test_every_setting_that_affects_the_result_changes_the_identity():
    frames = np.zeros((2, 3), np.float32)
    settings = Settings(0.5)
    every = [
        ("test", 1, {"s": settings, "f": frames}),
        ("other", 1, {"s": settings, "f": frames}),
        ("test", 2, {"s": settings, "f": frames}),
        ("test", 1, {"s": replace(settings, rate=0.25), "f": frames}),
        ("test", 1, {"s": settings, "f": frames + 1}),
        ("test", 1, {"s": settings, "f": frames.reshape(3, 2)}),
        ("test", 1, {"s": settings, "f": frames.view(np.int32)}),
    ]
    assert len({identity(*one) for one in every}) == len(every)


def test_the_record_of_settings_is_plain_json():
    assert as_json(Settings(1.0, ("a", "b"))) == {"type": "Settings", "rate": 1.0, "parts": ["a", "b"]}
    for recipe in find_recipes().values():
        assert as_json(recipe.training)["augmentation"]["type"] == "Chain"


def test_values_without_a_json_form_are_refused():
    with pytest.raises(TypeError, match="no JSON form"):
        identity("test", 1, {"function": print})
    with pytest.raises(ValueError):
        identity("test", 1, {"rate": float("nan")})
