"""The ``evaluate`` command."""

from __future__ import annotations

from importlib import import_module

import pytest

from ser.core.errors import CorpusError
from tests.tools.command_line import ser


def test_wrong_label_sets_are_explained():
    done = ser("evaluate", "--labels", "angry,joyful", "--root", ".")
    assert done.returncode == 2 and b"joyful" in done.stderr


@pytest.mark.parametrize("protocol", ["cross", "emobox"])
def test_every_protocol_has_the_recipe_s_labels_by_default(monkeypatch, protocol):
    asked = []

    def load(recipe, corpora, root, mirror, labels, *_, **__):
        asked.append(labels)
        raise CorpusError("enough")

    command = import_module("ser.cli.evaluate")  # ser.cli has a function of this name
    monkeypatch.setattr(command, "load", load)
    with pytest.raises(CorpusError, match="enough"):
        command.evaluate(corpus=["ravdess", "crema-d"], protocol=protocol)
    assert asked == [None]  # see ser.cli.sources.load
