"""The ``/upload`` and ``/predict`` endpoints."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ser.api import schemas
from ser.core.prediction import Prediction, Segment


@pytest.mark.parametrize("field", ["file", "audio"])
def test_upload_returns_every_field(client, form, wav, field):
    answer = client.post("/upload", **form(wav, field))
    assert answer.status_code == 200
    assert answer.json["file"] == "clip.wav"
    assert answer.json["state"] == "emotion"
    assert answer.json["emotion"] in answer.json["probabilities"]
    assert answer.json["confidence"] == pytest.approx(100 * answer.json["probabilities"][answer.json["emotion"]], 1e-3)
    assert answer.json["duration_seconds"] == 0.5
    assert answer.json["model"] == "first"
    assert answer.headers["Server-Timing"].startswith("analyse;dur=")
    assert float(answer.headers["Server-Timing"].partition("dur=")[2]) > 0


def test_upload_fields_match_the_core_result(client, form, wav):
    answer = client.post("/upload", **form(wav)).json
    assert list(answer) == [field.name for field in fields(Prediction)]
    assert list(answer["segments"][0]) == [field.name for field in fields(Segment)]
    assert list(schemas.Prediction.model_fields) == list(answer)
    assert list(schemas.Segment.model_fields) == list(answer["segments"][0])


def test_probabilities_keep_their_order(client, form, wav):
    assert list(client.post("/upload", **form(wav)).json["probabilities"]) == ["angry", "happy", "sad"]


def test_predictions_belong_to_their_recordings(client, form, encode, tone):
    loud = encode(np.clip(3 * tone(0.5, 16_000), -1, 1), 16_000)
    quiet = encode(0.1 * tone(0.5, 16_000), 16_000)
    assert client.post("/upload", **form(loud)).json["emotion"] == "angry"
    assert client.post("/upload", **form(quiet)).json["emotion"] == "happy"


def test_model_can_be_named(client, form, wav, loads):
    assert client.post("/upload", **form(wav, model="second")).json["model"] == "second"
    assert client.post("/upload", **form(wav, model="second")).json["model"] == "second"
    assert client.post("/upload", **form(wav, model="")).json["model"] == "first"
    assert loads == ["first", "second"]


def test_predict_is_short_with_probabilities_as_shares(client, form, wav):
    full = client.post("/upload", **form(wav)).json
    answer = client.post("/predict", **form(wav)).json
    assert list(answer) == ["emotion", "confidence", "probabilities", "timestamp"]
    assert answer["emotion"] == full["emotion"]
    assert answer["probabilities"] == full["probabilities"]
    assert answer["confidence"] == round(full["probabilities"][full["emotion"]], 4)
    moment = datetime.fromisoformat(answer["timestamp"])
    assert moment.tzinfo is not None and abs(datetime.now(UTC) - moment) < timedelta(seconds=10)


def test_silence_returns_no_emotion(client, form, encode):
    silence = encode(np.zeros(8_000, np.float32), 16_000)
    full = client.post("/upload", **form(silence))
    assert (full.status_code, full.json["state"], full.json["emotion"]) == (200, "no_speech", None)
    short = client.post("/predict", **form(silence))
    assert short.status_code == 200
    assert (short.json["emotion"], short.json["confidence"], short.json["probabilities"]) == (None, None, {})


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("C:/voices/ängstlich 1.wav", "ängstlich 1.wav"),
        ("/home/someone/clip.wav", "clip.wav"),
        ("x" * 400 + ".wav", "x" * 255),
        ("<img onerror=alert(1)>.wav", "<img onerror=alert(1)>.wav"),
    ],
)
def test_file_name_is_returned_without_folders(client, form, wav, sent, answered):
    assert client.post("/upload", **form(wav, name=sent)).json["file"] == answered


def test_window_settings_can_be_chosen(client, form, wav):
    assert client.post("/upload", **form(wav, window_seconds="2", hop_seconds="0.5")).status_code == 200


@pytest.mark.parametrize("asked", [{"window_seconds": "wide"}, {"window_seconds": "0"}, {"hop_seconds": "5"}])
def test_invalid_window_settings_are_explained(client, form, wav, asked):
    answer = client.post("/upload", **form(wav, **asked))
    assert (answer.status_code, answer.json["code"]) == (400, "value_invalid")
    assert "expected" in answer.json["detail"]


@pytest.mark.parametrize("path", ["/upload", "/predict", "/api/v1/analyse"])
def test_emotions_can_be_chosen(client, form, wav, path):
    answer = client.post(path, **form(wav, emotions="sad, anger")).json
    found = answer.get("prediction", answer)
    assert list(found["probabilities"]) == ["angry", "sad"] and sum(found["probabilities"].values()) == pytest.approx(1)
    assert found.get("emotions", ["angry", "sad"]) == ["angry", "sad"]
    assert client.post("/upload", **form(wav, emotions="")).json["emotions"] == []


@pytest.mark.parametrize("emotions", ["happy", "happy,happy", "happy,calm", "happy;sad", ","])
def test_an_invalid_choice_of_emotions_is_explained(client, form, wav, problem_of, emotions):
    problem = problem_of(client.post("/upload", **form(wav, emotions=emotions)), "emotions_invalid")
    assert problem["detail"].endswith("choose two or more different emotions of angry, happy, sad.")
