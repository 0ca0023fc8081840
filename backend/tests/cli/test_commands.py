"""The command line as a whole: usage, lists and options common to all commands."""

from __future__ import annotations

import errno
import json

import pytest

from ser.core.settings import PROJECT
from ser.data.splits import PROTOCOLS
from ser.models.checkpoint import list_models
from tests.tools.command_line import ser


def test_usage_and_model_problems_have_their_own_exit_codes(samples):
    assert ser("predict").returncode == 2
    assert ser("predict", samples["sad"], "--format", "xml").returncode == 2
    unknown = ser("predict", samples["sad"], "--model", "nonsense")
    assert unknown.returncode == 4 and b"available: " in unknown.stderr


def test_models_are_listed_with_speaker_independent_figures():
    listed = ser("models").stdout.decode()
    config = json.loads((PROJECT / "weights" / "cnn1d" / "config.json").read_text(encoding="utf-8"))
    for one in config["figures"]:
        line = f"UA {one['ua']} % on unseen speakers of {one['corpus']} ({one['protocol']}, {one['classes']} classes)"
        assert (line in listed) is one["speaker_independent"]
    assert "  CC BY-NC-SA 4.0: no commercial use\n" in listed
    assert listed.count("  adapts to the speaker\n") == sum(
        model.profiles for model in list_models(PROJECT / "weights")
    )


def test_the_help_names_every_protocol():
    help_text = ser("evaluate", "--help").stdout.decode()
    assert [name for name in PROTOCOLS if name not in help_text] == []


def test_the_openapi_document_is_printed():
    assert json.loads(ser("openapi").stdout)["openapi"].startswith("3.")


def test_a_full_disk_gives_a_one_line_error(monkeypatch, capsys):
    from ser import cli

    def full(**_: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli, "app", full)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1 and capsys.readouterr().err.startswith("ser: the disk is full")
