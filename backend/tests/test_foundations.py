"""The ground floor: labels, settings, errors, the Prediction, atomic files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ser.core import errors
from ser.core.atomic_write import write_atomically, write_text
from ser.core.errors import SerError, SettingsError
from ser.core.labels import EMOTIONS, canonical_order, relabel
from ser.core.prediction import Prediction, Segment
from ser.core.settings import Settings, load_settings


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


def test_labels_have_one_order_and_calm_counts_as_neutral():
    assert canonical_order(("sad", "angry", "neutral")) == ("angry", "neutral", "sad")
    assert relabel("calm", ("neutral", "sad")) == "neutral"
    assert relabel("calm", EMOTIONS) == "calm"
    assert relabel("disgust", ("neutral", "sad")) is None


def test_settings_come_from_the_environment():
    settings = load_settings(
        {"SER_MAX_UPLOAD_BYTES": "1000", "SER_CORS_ORIGINS": "http://a.example, http://b.example/", "SER_MODEL": "x"}
    )
    assert settings.max_upload_bytes == 1000
    assert settings.cors_origins == ("http://a.example", "http://b.example")
    assert settings.model == "x"
    assert load_settings({}) == Settings()
    assert Settings().max_upload_bytes == 25 * 1024 * 1024


@pytest.mark.parametrize("text", ["many", "-1", "0", "nan", "1e999"])
def test_a_setting_that_cannot_be_used_is_named(text):
    with pytest.raises(SettingsError, match="SER_MAX_AUDIO_SECONDS"):
        load_settings({"SER_MAX_AUDIO_SECONDS": text})


def test_settings_that_do_not_fit_together_are_named():
    with pytest.raises(SettingsError, match="SER_THREADS is 4"):
        load_settings({"SER_THREADS": "4", "SER_PREDICTIONS": "3", "SER_WAITING": "1"})
    with pytest.raises(SettingsError, match="text or json"):
        load_settings({"SER_LOG_FORMAT": "xml"})


def test_every_error_has_a_code_and_an_exit_code():
    children = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SerError)]
    assert len(children) > 5
    for kind in children:
        assert kind("what came").code and kind.exit_code in (1, 2, 3, 4)
    assert SerError("x", "special").code == "special"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    file = tmp_path / "folder" / "file.txt"
    write_text(file, "old")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(file, fail)
    assert file.read_text() == "old"
    assert list(file.parent.iterdir()) == [file]
