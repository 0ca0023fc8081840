"""The ``evaluate`` command."""

from __future__ import annotations

from tests.tools.command_line import ser


def test_wrong_label_sets_are_explained():
    done = ser("evaluate", "--labels", "angry,joyful", "--root", ".")
    assert done.returncode == 2 and b"joyful" in done.stderr
