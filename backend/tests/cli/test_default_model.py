"""The command line begins with the most accurate model, unless another is chosen; the API does not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ser.cli import app
from ser.cli.sources import model_of
from ser.core.errors import ModelError
from ser.core.settings import PROJECT, Settings, load_settings
from ser.models.checkpoint import CONFIG_FILE, WEIGHTS_FILE, list_models, most_accurate
from tests.tools.command_line import ser

WEIGHTS = PROJECT / "weights"


@pytest.fixture(autouse=True)
def _no_choice(monkeypatch):
    monkeypatch.delenv("SER_MODEL")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A weights folder with the configurations of three shipped models, the third being the most accurate."""
    for name in ("cnn1d", "resnet1d", "whisper"):
        (tmp_path / name).mkdir()
        shutil.copy(WEIGHTS / name / CONFIG_FILE, tmp_path / name)
        (tmp_path / name / WEIGHTS_FILE).write_bytes(b"")
    return replace(load_settings(), weights=tmp_path)


def test_the_most_accurate_model_is_the_default(settings):
    assert model_of(None, settings) == most_accurate(list_models(settings.weights)).name == "whisper"
    assert settings.model == "cnn1d", "the default of the API"


def test_a_chosen_model_goes_before(settings, monkeypatch):
    assert model_of("mlp", settings) == "mlp"
    monkeypatch.setenv("SER_MODEL", "resnet1d")
    assert model_of(None, replace(settings, model="resnet1d")) == "resnet1d"
    assert model_of("mlp", settings) == "mlp"


def test_a_model_whose_weights_are_missing_is_left_out_with_a_message(settings, capsys):
    (settings.weights / "whisper" / WEIGHTS_FILE).unlink()
    assert model_of(None, settings) == "cnn1d"
    assert capsys.readouterr().err == "ser: the weights of whisper are missing; cnn1d answers instead\n"
    for name in ("cnn1d", "resnet1d"):
        (settings.weights / name / WEIGHTS_FILE).unlink()
    assert model_of(None, settings) == settings.model


def test_without_any_weights_the_error_says_so(samples, tmp_path, monkeypatch):
    monkeypatch.setenv("SER_WEIGHTS", str(tmp_path))
    with pytest.raises(ModelError, match="unknown model 'cnn1d'; available: none"):
        raise CliRunner().invoke(app, ["predict", str(samples["sad"])]).exception


@pytest.mark.parametrize("command", ["predict", "plot", "enroll", "score"])
def test_every_command_that_answers_uses_it(command, samples, tmp_path, monkeypatch):
    asked = []

    def load(name: str, _: Settings) -> None:
        asked.append(name)
        raise ModelError("stop here")

    monkeypatch.setattr("ser.inference.predictor.load_predictor", load)
    (tmp_path / "labels.csv").write_text("path,emotion\nsad.wav,sad\n")
    arguments = {
        "predict": [samples["sad"]],
        "plot": [samples["sad"], "-o", tmp_path / "x.png"],
        "enroll": ["asha", samples["sad"]],
        "score": ["--files", samples["sad"].parent, "--labels", tmp_path / "labels.csv"],
    }[command]
    CliRunner().invoke(app, [command, *map(str, arguments)])
    CliRunner().invoke(app, [command, *map(str, arguments), "--model", "mlp"])
    assert asked == ["whisper", "mlp"]


def test_the_answer_names_the_most_accurate_model(samples):
    done = ser("predict", samples["angry"], "--format", "json")
    assert done.returncode == 0 and json.loads(done.stdout)["model"] == most_accurate(list_models(WEIGHTS)).name
