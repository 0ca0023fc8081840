"""The ``Prediction`` type: its JSON form and its one-line text."""

from __future__ import annotations

import json

from ser.core.prediction import Prediction, Segment


def prediction(**changes) -> Prediction:
    values = {
        "file": "clip.wav",
        "state": "emotion",
        "emotion": "happy",
        "confidence": 87.3,
        "probabilities": {"angry": 0.027, "happy": 0.873, "sad": 0.1},
        "candidates": [],
        "model": "cnn1d",
        "duration_seconds": 3.6,
        "speech_seconds": 2.1,
        "segments": [Segment(start=0.4, end=2.5, emotion="happy", confidence=87.3)],
    }
    return Prediction(**(values | changes))


def test_the_prediction_has_the_promised_shape():
    shape = json.loads(prediction().to_json())
    assert list(shape) == [
        "file",
        "state",
        "emotion",
        "confidence",
        "probabilities",
        "candidates",
        "model",
        "duration_seconds",
        "speech_seconds",
        "segments",
        "warnings",
        "warning_codes",
        "dominant",
        "transitions",
        "timeline",
        "prediction_set",
        "intensity",
        "emotions",
        "adapted_seconds",
    ]
    segment = {"start": 0.4, "end": 2.5, "emotion": "happy", "confidence": 87.3, "state": "emotion"}
    assert shape["segments"] == [segment]
    assert "\n" not in prediction().to_json()


def test_the_prediction_reads_as_a_line():
    assert prediction().to_text() == "clip.wav: happy (87.3 %)"
    unsure = prediction(state="unsure", candidates=["happy", "sad"])
    assert unsure.to_text() == "clip.wav: unsure, most likely happy (87.3 %) or sad (10.0 %)"
    silent = prediction(state="no_speech", emotion=None, confidence=None, probabilities={}, segments=[])
    assert silent.to_text() == "clip.wav: no speech"
