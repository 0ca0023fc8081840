"""Checkpoints: saving, loading and finding models, and refusing damaged or unsafe files."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ser.core.errors import ModelError
from ser.models.calibration import Calibration
from ser.models.checkpoint import (
    Figure,
    ModelInfo,
    find_checkpoint,
    list_models,
    load_checkpoint,
    most_accurate,
    save_checkpoint,
)
from ser.models.recipe import get_recipe


@pytest.fixture
def folder(tmp_path) -> Path:
    recipe = get_recipe("cnn1d")
    torch.manual_seed(0)
    network = recipe.network(3)
    info = ModelInfo(
        name="small",
        title="Small",
        summary="A model of a test.",
        recipe="cnn1d",
        labels=("angry", "happy", "sad"),
        sample_rate=16_000,
        clip_seconds=None,
        parameters=sum(p.numel() for p in network.parameters()),
        corpora=("ravdess",),
        licence="CC BY-NC-SA 4.0",
        calibration=Calibration(temperature=1.5, unsure_below=0.5),
        figures=(figure("emobox", 8), figure("random", 3, independent=False), figure("luna", 3)),
    )
    save_checkpoint(tmp_path / "small", info, network.state_dict())
    return tmp_path / "small"


def figure(protocol: str, classes: int, independent: bool = True) -> Figure:
    return Figure(
        corpus="ravdess",
        protocol=protocol,
        classes=classes,
        speaker_independent=independent,
        ua=50.0,
        ua_std=1.0,
        wa=50.0,
        f1=49.0,
        weighted_f1=49.5,
        seeds=3,
        interval=(45.0, 55.0),
    )


def test_a_saved_model_is_loaded_unchanged(folder):
    torch.manual_seed(0)
    network = get_recipe("cnn1d").network(3).eval()
    loaded = load_checkpoint(folder)
    frames, lengths = torch.randn(2, 60, 39), torch.tensor([60, 60])
    torch.testing.assert_close(loaded.network(frames, lengths).logits, network(frames, lengths).logits)
    assert not loaded.network.training
    assert loaded.info == list_models(folder.parent)[0]
    assert loaded.info.calibration.temperature == 1.5


def test_the_main_figure_is_on_unseen_speakers_and_all_classes_of_the_model(folder):
    info = load_checkpoint(folder).info
    assert (info.figure.protocol, info.leaky_figure.protocol) == ("luna", "random")


def test_the_most_accurate_model_is_that_for_several_corpora(folder):
    (info,) = list_models(folder.parent)

    def measured(name: str, *uas: float, protocol: str) -> ModelInfo:
        figures = tuple(replace(figure(protocol, 3), ua=ua) for ua in uas)
        return replace(info, name=name, figures=figures)

    alone, high = measured("alone", 60.0, protocol="emobox"), measured("high", 90.0, protocol="luna")
    leaky = replace(info, name="leaky", figures=(replace(figure("random", 3, independent=False), ua=99.0),))
    first, second = measured("first", 70.0, 50.0, protocol="joint"), measured("second", 65.0, 60.0, protocol="joint")
    assert most_accurate([leaky]) is None and most_accurate([]) is None
    assert most_accurate([leaky, alone, high]) is high
    assert most_accurate([alone, high, first, second]) is second


def test_a_model_is_found_by_name_folder_and_file(folder):
    for name in ("small", str(folder), str(folder / "model.safetensors")):
        assert find_checkpoint(name, folder.parent) == folder
    with pytest.raises(ModelError, match="available: small") as caught:
        find_checkpoint("big", folder.parent)
    assert caught.value.code == "model_unknown"


def test_a_hundred_damaged_weight_files_are_refused(folder):
    good = (folder / "model.safetensors").read_bytes()
    draw = np.random.default_rng(0)
    for _ in range(100):
        bad = bytearray(good)
        if draw.random() < 0.5:
            del bad[int(draw.integers(len(bad))) :]
        else:
            bad[int(draw.integers(len(bad)))] ^= int(draw.integers(1, 256))
        (folder / "model.safetensors").write_bytes(bytes(bad))
        with pytest.raises(ModelError):
            load_checkpoint(folder)


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_a_pickled_model_is_refused_and_runs_no_code(folder, tmp_path):
    mark = tmp_path / "ran"
    content = pickle.dumps(Trap(mark))
    (folder / "model.safetensors").write_bytes(content)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    import hashlib

    config["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="does not fit"):
        load_checkpoint(folder)
    assert not mark.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"recipe": "cnn9d"},
        {"labels": ["angry", "joyful", "sad"]},
        {"labels": ["angry", "happy"]},
        {"calibration": {"temperature": 0, "unsure_below": 0.5}},
        {"calibration": {}},
        {"figures": [{"ua": 1}]},
        {"colour": "blue"},
    ],
)
def test_an_inconsistent_configuration_is_refused(folder, change):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8")) | change
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError):
        load_checkpoint(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1}'])
def test_an_invalid_configuration_is_refused(folder, content):
    (folder / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError):
        load_checkpoint(folder)


def test_missing_weights_are_an_error(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load_checkpoint(folder)
