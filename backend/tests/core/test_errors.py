"""Error classes: every error has a code and an exit code."""

from __future__ import annotations

from ser.core import errors
from ser.core.errors import SerError


def test_every_error_has_a_code_and_an_exit_code():
    children = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SerError)]
    assert len(children) > 5
    for kind in children:
        assert kind("what came").code and kind.exit_code in (1, 2, 3, 4)
    assert SerError("x", "special").code == "special"
