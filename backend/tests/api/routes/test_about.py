"""Health, readiness, models, limits and version endpoints."""

from __future__ import annotations

from ser import __version__
from ser.api.app import create_app


def test_health_is_ok_once_the_model_is_loaded(client):
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "models": ["first"], "version": __version__}


def test_not_ready_until_the_model_is_loaded(settings, cold_registry, problem_of, form, wav):
    client = create_app(settings, cold_registry).test_client()
    for answer in (client.get("/health"), client.post("/upload", **form(wav)), client.post("/predict", **form(wav))):
        problem_of(answer, "not_ready")
        assert int(answer.headers["Retry-After"]) > 0
    cold_registry.load_default()
    assert client.get("/health").status_code == 200
    assert client.post("/upload", **form(wav)).status_code == 200


def test_models_are_listed_with_their_metrics(client):
    answer = client.get("/api/v1/models").json
    assert answer["default"] == "first"
    assert [model["name"] for model in answer["models"]] == ["first", "second"]
    model = answer["models"][0]
    assert model["labels"] == ["angry", "happy", "sad"]
    assert model["sample_rate"] == 16_000
    assert model["leaky_figure"] is None
    assert model["profiles"] is False
    assert model["licence"] == "CC BY-NC-SA 4.0" and model["commercial_use"] is False
    assert [model["most_accurate"] for model in answer["models"]] == [True, False]
    assert model["figure"] == {
        "corpus": "ravdess",
        "protocol": "emobox",
        "classes": 3,
        "speaker_independent": True,
        "ua": 55.1,
        "ua_std": 0.8,
        "wa": 54.0,
        "f1": 53.2,
        "weighted_f1": 53.9,
        "seeds": 3,
        "interval": [50.2, 60.1],
    }
    assert not {"recipe", "calibration", "training"} & model.keys()


def test_limits_match_the_settings(client):
    assert client.get("/api/v1/limits").json == {
        "max_upload_bytes": 26_214_400,
        "max_audio_seconds": 1800.0,
        "min_audio_seconds": 0.1,
        "formats": ["wav", "flac", "mp3", "ogg", "opus", "m4a", "aac", "webm", "mp4", "aiff"],
    }


def test_version(client):
    assert client.get("/api/v1/version").json == {"version": __version__}
