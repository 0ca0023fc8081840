"""Speaker profiles over HTTP, with a network that supports them."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from flask.testing import FlaskClient

from ser.api.app import create_app
from ser.api.model_registry import ModelRegistry
from ser.audio.waveform import decode
from ser.core.speaker_profile import VARIED

PATH = "/api/v1/profiles"


@pytest.fixture
def voices(settings, cold_registry, voice_predictor, database) -> FlaskClient:
    """A client of a server whose default model supports speaker profiles and whose model 'first' does not."""

    def load(name, given):
        return voice_predictor if name == "toy" else cold_registry._load(name, given)

    models = ModelRegistry(replace(settings, model="toy"), load=load, find=cold_registry._find)
    models.load_default()
    return create_app(settings, models, database).test_client()


@pytest.fixture
def enrollment(samples):
    """Builds the form of an enrollment."""

    def make(name: str = "asha", files: int = 3, **fields: str) -> dict:
        clips = [path.read_bytes() for path in samples.values()] + 20 * [b"more"]
        sent = [(io.BytesIO(clip), f"{number}.wav") for number, clip in enumerate(clips[:files])]
        return {"data": {"name": name, "file": sent, **fields}, "content_type": "multipart/form-data"}

    return make


def test_a_profile_is_created_listed_used_and_deleted(voices, enrollment, form, samples, owner):
    made = voices.post(PATH, **enrollment(), headers=owner)
    assert made.status_code == 201
    profile = made.json["profile"]
    assert (profile["name"], profile["model"], profile["clips"]) == ("asha", "toy", 3)
    assert ("alike" in made.json["warning_codes"]) == (profile["variety"] < VARIED) and "offset" not in profile
    assert voices.get(PATH, headers=owner).json == {"profiles": [profile]}
    clip = samples["sad"].read_bytes()
    plain = voices.post("/upload", **form(clip, model="toy")).json["probabilities"]
    own = voices.post("/upload", **form(clip, speaker="asha"), headers=owner).json
    assert own["model"] == "toy" and own["probabilities"] != pytest.approx(plain, abs=1e-3)
    gone = voices.delete(f"{PATH}/asha", headers=owner)
    assert (gone.status_code, gone.data) == (204, b"")
    assert voices.get(PATH, headers=owner).json == {"profiles": []}


def test_models_state_whether_they_support_profiles(voices):
    models = voices.get("/api/v1/models").json["models"]
    assert {model["name"]: model["profiles"] for model in models} == {"toy": True, "first": False, "second": False}


def test_profile_equals_the_one_from_the_predictor(voices, enrollment, form, samples, owner, voice_predictor):
    voices.post(PATH, **enrollment("Asha K.-2"), headers=owner)
    own = voices.post("/upload", **form(samples["sad"].read_bytes(), speaker="Asha K.-2"), headers=owner).json
    profile = voice_predictor.enroll("Asha K.-2", list(samples.values()))
    expected = voice_predictor.predict(samples["sad"], profile=profile).probabilities
    assert own["probabilities"] == pytest.approx(expected, abs=1e-6)


def test_same_name_replaces_a_profile_and_a_single_clip_gives_a_warning(voices, enrollment, owner):
    voices.post(PATH, **enrollment(), headers=owner)
    made = voices.post(PATH, **enrollment(files=1), headers=owner)
    assert "5 to 20 are better" in made.json["warnings"][0] and made.json["warning_codes"] == ["few_recordings"]
    assert [one["clips"] for one in voices.get(PATH, headers=owner).json["profiles"]] == [1]


def test_other_owners_cannot_see_use_or_delete_a_profile(voices, enrollment, form, wav, owner, stranger, problem_of):
    voices.post(PATH, **enrollment(), headers=owner)
    assert voices.get(PATH, headers=stranger).json == {"profiles": []}
    for answer in (
        voices.delete(f"{PATH}/asha", headers=stranger),
        voices.post("/upload", **form(wav, speaker="asha"), headers=stranger),
    ):
        assert "available: none" in problem_of(answer, "profile_unknown")["detail"]
    assert len(voices.get(PATH, headers=owner).json["profiles"]) == 1


def test_invalid_enrollments_are_explained(voices, enrollment, form, encode, owner, problem_of):
    cases = [
        (enrollment(files=0), "file_missing"),
        (enrollment(files=21), "file_ambiguous"),
        (enrollment(name=""), "profile_name"),
        (enrollment(name="../x"), "profile_name"),
        (enrollment(model="nothing"), "model_unknown"),
        (form(b"no audio", name="a.wav") | {"headers": owner}, "audio_unsupported"),
        (form(encode(np.zeros(16_000, np.float32), 16_000)), "profile_empty"),
    ]
    for sent, code in cases:
        sent["data"].setdefault("name", "asha")
        problem_of(voices.post(PATH, **sent | {"headers": owner}), code)
    damaged = voices.post(PATH, data=b"x", content_type="multipart/form-data; boundary=other", headers=owner)
    problem_of(damaged, "form_invalid")
    assert voices.get(PATH, headers=owner).json == {"profiles": []}


def test_an_unusable_recording_is_named(voices, enrollment, samples, owner, problem_of):
    sent = enrollment(files=len(samples) + 1)
    problem = problem_of(voices.post(PATH, **sent, headers=owner), "audio_unsupported")
    assert problem["detail"].startswith(f"{len(samples)}.wav: ")


def test_a_model_without_profile_support_says_so(real_client, enrollment, owner, problem_of):
    problem_of(real_client.post(PATH, **enrollment(), headers=owner), "profile_model")


def test_a_profile_of_another_model_is_refused(voices, enrollment, database, form, samples, owner, problem_of):
    from sqlalchemy import update

    from ser.storage.database import PROFILES

    voices.post(PATH, **enrollment(), headers=owner)
    with database.store().write() as connection:
        connection.execute(update(PROFILES).values(weights="0" * 16))
    answer = voices.post("/upload", **form(samples["sad"].read_bytes(), speaker="asha"), headers=owner)
    assert "enroll again" in problem_of(answer, "profile_model")["detail"]


def test_total_enrollment_length_is_limited(
    settings, cold_registry, voice_predictor, database, enrollment, owner, problem_of
):
    short = replace(settings, model="toy", max_audio_seconds=5.0)
    models = ModelRegistry(short, load=lambda *_: voice_predictor, find=cold_registry._find)
    models.load_default()
    client = create_app(short, models, database).test_client()
    refused = problem_of(client.post(PATH, **enrollment(), headers=owner), "audio_too_long")
    assert "in total" in refused["detail"]
    assert client.post(PATH, **enrollment(files=1), headers=owner).status_code == 201


def test_a_long_recording_adapts_to_its_speaker_unless_the_form_says_no(
    voices, form, samples, encode, voice_predictor, problem_of
):
    clip = encode(np.concatenate([decode(path).samples for path in samples.values()] * 2)[:200_000], 16_000)
    adapted, plain = (voices.post("/upload", **form(clip, **options)).json for options in ({}, {"adapt": "false"}))
    for found, adapt in ((adapted, True), (plain, False)):
        expected = voice_predictor.predict(clip, adapt=adapt)
        assert found["probabilities"] == pytest.approx(expected.probabilities, abs=1e-6)
        assert found["adapted_seconds"] == expected.adapted_seconds
    assert adapted["adapted_seconds"] > 3 > plain["adapted_seconds"] == 0
    short = voices.post("/upload", **form(samples["sad"].read_bytes())).json
    assert short["adapted_seconds"] == 0
    problem_of(voices.post("/upload", **form(clip, adapt="perhaps")), "value_invalid")
