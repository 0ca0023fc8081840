"""Full analysis of a recording in one response, stored only on request."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from ser.api.app import create_app
from ser.api.model_registry import ModelRegistry
from ser.audio.vad import find_speech
from ser.audio.waveform import decode
from ser.features.contours import follow
from ser.features.voice_report import measure
from ser.inference.predictor import load_predictor

PATH = "/api/v1/analyse"


@pytest.fixture
def clip(samples) -> bytes:
    return samples["sad"].read_bytes()


def test_response_parts_match_the_core_results(real_client, real_settings, form, clip):
    answer = real_client.post(PATH, **form(clip, name="sad.wav"))
    assert answer.status_code == 200 and answer.headers["Server-Timing"].startswith("analyse;dur=")
    assert list(answer.json) == ["prediction", "attention", "descriptors", "curves", "session"]
    analysis = load_predictor("untrained", real_settings).analyse(clip, "sad.wav")
    expected, found = analysis.prediction.to_dict(), answer.json["prediction"]
    assert found.pop("probabilities") == pytest.approx(expected.pop("probabilities"), abs=1e-6)
    assert found == expected
    assert answer.json["attention"]["kind"] == analysis.attribution.kind == "attention"
    assert answer.json["attention"]["weight"] == pytest.approx(analysis.attribution.weight, abs=1e-3)
    waveform = decode(clip)
    speech = find_speech(waveform.samples)
    descriptors = measure(waveform.samples, speech, everything=False).descriptors
    assert [(one["name"], one["value"], one["meaning"]) for one in answer.json["descriptors"]] == [
        (one.name, one.value, one.meaning) for one in descriptors
    ]
    assert answer.json["curves"] == [vars(curve) for curve in follow(waveform.samples, speech)]
    assert answer.json["session"] is None


def test_upload_and_analyse_predict_the_same(real_client, form, clip):
    fields = {"window_seconds": "2", "hop_seconds": "0.5"}
    short, long = (real_client.post(path, **form(clip, **fields)).json for path in ("/upload", PATH))
    assert long["prediction"] == short and len(short["timeline"]["start"]) > 1


def test_windows_adding_up_to_hours_are_refused(real_settings, database, form, clip, problem_of):
    few = replace(real_settings, max_audio_seconds=5.0)
    registry = ModelRegistry(few)
    registry.load_default()
    client = create_app(few, registry, database).test_client()
    for path in (PATH, "/upload", "/predict"):
        refused = client.post(path, **form(clip, window_seconds="1", hop_seconds="0.1"))
        assert "at most 15 s" in problem_of(refused, "value_invalid")["detail"]
    assert client.post(PATH, **form(clip, window_seconds="1", hop_seconds="0.5")).status_code == 200


@pytest.mark.parametrize(("gone", "status"), [(True, 400), (False, 200)])
def test_long_work_is_skipped_when_the_client_has_disconnected(real_client, form, clip, monkeypatch, gone, status):
    extra = {"environ_base": {"waitress.client_disconnected": lambda: gone}}
    assert real_client.post(PATH, **form(clip), **extra).status_code == 200, "short work is still done"
    monkeypatch.setattr("ser.inference.runner.BATCH_SECONDS", 1)
    answer = real_client.post(PATH, **form(clip, window_seconds="1"), **extra)
    assert answer.status_code == status and answer.json.get("code") == ("client_gone" if gone else None)


def test_silence_has_no_emotion_and_no_statistics(real_client, form, encode):
    answer = real_client.post(PATH, **form(encode(np.zeros(16_000, np.float32), 16_000))).json
    assert answer["prediction"]["state"] == "no_speech" and answer["attention"] is None
    assert {one["name"]: one["value"] for one in answer["descriptors"]}["pitch"] is None


def test_results_are_stored_only_on_request(client, form, wav, owner, database):
    from ser.storage.database import owner_of
    from ser.storage.sessions import Sessions

    mine = Sessions(database.store(), owner_of(owner["Authorization"].removeprefix("Bearer ")))
    for fields in ({}, {"keep": "false"}, {"keep": ""}, {"title": "x"}):
        assert client.post(PATH, **form(wav, **fields), headers=owner).json["session"] is None
    assert mine.page() == (0, [])
    answer = client.post(PATH, **form(wav, keep="true", title=" My\nclip "), headers=owner).json
    (kept,) = mine.page()[1]
    assert (kept.id, kept.kind, kept.title, kept.state) == (answer.pop("session"), "recording", "My clip", "ended")
    assert mine.result(kept.id) == answer
    untitled = client.post(PATH, **form(wav, keep="1"), headers=owner).json["session"]
    assert mine.get(untitled).title == "clip.wav"


def test_storing_needs_an_owner_and_a_valid_flag(client, form, wav, owner, problem_of, monkeypatch, registry):
    monkeypatch.setattr(registry.get(), "analyse", lambda *_, **__: pytest.fail("it was analysed first"))
    problem_of(client.post(PATH, **form(wav, keep="true")), "owner_missing")
    body = problem_of(client.post(PATH, **form(wav, keep="maybe"), headers=owner), "value_invalid")
    assert "'true' or 'false'" in body["detail"]


def test_audio_is_not_stored_in_the_database(client, form, encode, owner, tmp_path):
    noise = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    wav = encode(0.1 * noise, 16_000)
    assert client.post(PATH, **form(wav, keep="true"), headers=owner).status_code == 200
    files = list(tmp_path.glob("results.sqlite*"))
    assert files and not any(wav[1000:1032] in file.read_bytes() for file in files)


def test_full_analysis_does_not_import_librosa(samples):
    code = """
import sys
from ser.api.app import create_app
from ser.api.model_registry import ModelRegistry
from ser.core.settings import Settings

print("torch" in sys.modules)
settings = Settings()
registry = ModelRegistry(settings)
registry.load_default()
with open(sys.argv[1], "rb") as file:
    answer = create_app(settings, registry).test_client().post("/api/v1/analyse", data={"file": file})
print(answer.status_code, sorted({"librosa", "numba", "sklearn", "matplotlib"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code, samples["sad"]], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["False", "200 []"]
