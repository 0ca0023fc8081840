"""The API over real HTTP with a real network: responses equal the predictor's, also under concurrent requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from ser.api.app import create_app
from ser.api.model_registry import ModelRegistry
from ser.inference.predictor import load_predictor


def test_responses_equal_the_predictor_s_results(real_settings, serve, samples):
    registry = ModelRegistry(real_settings)
    registry.load_default()
    server = serve(create_app(replace(real_settings, waiting=8), registry))
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
