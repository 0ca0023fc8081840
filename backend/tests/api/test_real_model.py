"""The API over real HTTP with a real network: its answers are the predictor's, also when many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import requests
import torch

from ser.api.app import create_app
from ser.api.registry import ModelRegistry
from ser.calibration import Calibration
from ser.checkpoint import ModelInfo, save_checkpoint
from ser.predictor import load_predictor
from ser.recipe import get_recipe
from ser.settings import Settings


@pytest.fixture
def real_settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings whose weights folder holds a network that has learnt nothing."""
    recipe = get_recipe("cnn1d")
    torch.manual_seed(0)
    network = recipe.network(len(recipe.labels))
    info = ModelInfo(
        name="untrained",
        title="Untrained",
        summary="For tests.",
        recipe=recipe.name,
        labels=recipe.labels,
        sample_rate=recipe.sample_rate,
        clip_seconds=recipe.clip_seconds,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        corpora=("ravdess",),
        licence="none",
        calibration=Calibration(temperature=1.0, unsure_below=0.15),
    )
    save_checkpoint(tmp_path / "weights" / "untrained", info, network.state_dict())
    return replace(settings, weights=tmp_path / "weights", model="untrained")


def test_answers_are_the_predictor_s_own(real_settings, serve, samples):
    registry = ModelRegistry(real_settings)
    registry.load_default()
    server = serve(create_app(real_settings, registry))
    predictor = load_predictor("untrained", real_settings)
    expected = {path.name: predictor.predict(path).to_dict() for path in samples.values()}

    def upload(path: Path) -> dict:
        with path.open("rb") as file:
            answer = requests.post(f"{server.url}/upload", files={"file": (path.name, file)}, timeout=30)
        assert answer.status_code == 200
        return answer.json()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(upload, list(samples.values()) * 6))
    assert len(answers) == 18
    for answer in answers:
        own = expected[answer["file"]]
        assert answer["probabilities"] == pytest.approx(own["probabilities"], abs=1e-6)
        assert {**answer, "probabilities": {}} == {**own, "probabilities": {}}
    assert requests.get(f"{server.url}/api/v1/models", timeout=10).json()["default"] == "untrained"
