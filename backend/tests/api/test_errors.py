"""Every error has the same shape, a code and a helpful message."""

from __future__ import annotations

import io

import numpy as np
import pytest

from ser.api.app import create_app
from ser.api.errors import KINDS
from ser.core.errors import ModelError

MULTIPART = "multipart/form-data"


def test_no_file(client, problem_of):
    body = problem_of(client.post("/upload", data={}, content_type=MULTIPART), "file_missing")
    assert "'file'" in body["detail"]


def test_no_body_and_no_type(client, problem_of):
    assert "without a Content-Type" in problem_of(client.post("/predict"), "file_missing")["detail"]


def test_form_submitted_without_choosing_a_file(client, problem_of, form):
    problem_of(client.post("/upload", **form(b"", name="")), "file_missing")


def test_empty_file(client, problem_of, form):
    assert "0 bytes" in problem_of(client.post("/upload", **form(b"")), "audio_empty")["detail"]


@pytest.mark.parametrize("second", ["file", "audio"])
def test_two_files(client, problem_of, wav, second):
    files = {"file": [(io.BytesIO(wav), "a.wav")], "audio": []}
    files[second].append((io.BytesIO(wav), "b.wav"))
    body = problem_of(client.post("/upload", data=files, content_type=MULTIPART), "file_ambiguous")
    assert body["detail"].startswith("2 recordings")


def test_an_empty_file_input_beside_a_recording_is_ignored(client, wav):
    files = {"file": (io.BytesIO(wav), "a.wav"), "audio": (io.BytesIO(b""), "")}
    assert client.post("/upload", data=files, content_type=MULTIPART).status_code == 200


def test_wrong_field(client, problem_of, form, wav):
    assert "'voice'" in problem_of(client.post("/upload", **form(wav, "voice")), "file_missing")["detail"]


def test_file_name_sent_as_text(client, problem_of):
    answer = client.post("/upload", data={"file": "clip.wav"}, content_type=MULTIPART)
    assert "@" in problem_of(answer, "file_missing")["detail"]


@pytest.mark.parametrize("kind", ["audio/wav", "application/json", "application/octet-stream"])
def test_wrong_content_type(client, problem_of, wav, kind):
    assert kind in problem_of(client.post("/upload", data=wav, content_type=kind), "file_missing")["detail"]


@pytest.mark.parametrize("kind", [MULTIPART, f"{MULTIPART}; boundary=", f"{MULTIPART}; boundary=other", "multipart/x"])
def test_bad_boundary(client, problem_of, wav, multipart, kind):
    body, _ = multipart(wav)
    answer = client.post("/upload", data=body, content_type=kind)
    problem_of(answer, "file_missing" if kind == "multipart/x" else "form_invalid")


def test_text_field_too_long(client, problem_of, multipart, wav):
    body, kind = multipart(wav, model="x" * 600_000)
    answer = client.post("/upload", data=body, content_type=kind)
    assert "text field" in problem_of(answer, "body_too_large")["detail"]


@pytest.mark.parametrize("name", ["third", "../first", "/etc", "weights/first"])
def test_unknown_model(client, problem_of, form, wav, loads, name):
    body = problem_of(client.post("/upload", **form(wav, model=name)), "model_unknown")
    assert "available: first, second" in body["detail"]
    assert loads == ["first"], "only listed names are ever loaded"


def test_text_renamed_to_wav(client, problem_of, form):
    body = problem_of(client.post("/upload", **form(b"Dear diary, today was fine.")), "audio_unsupported")
    assert "Expected one of wav, flac" in body["detail"]


@pytest.mark.parametrize("path", ["/upload", "/predict"])
def test_too_short(client, problem_of, form, encode, tone, path):
    short = encode(tone(0.05, 16_000), 16_000)
    assert "0.05 s" in problem_of(client.post(path, **form(short)), "audio_too_short")["detail"]


def test_damaged(client, problem_of, form, encode, tone):
    flac = encode(tone(1.0, 16_000), 16_000, "FLAC")
    problem_of(client.post("/upload", **form(flac[:60])), "audio_unreadable")


def test_not_finite(client, problem_of, form, encode):
    samples = np.full(8_000, np.nan, np.float32)
    problem_of(client.post("/upload", **form(encode(samples, 16_000, subtype="FLOAT"))), "audio_not_finite")


def test_sampling_rate(client, problem_of, form, encode, tone):
    problem_of(client.post("/upload", **form(encode(tone(1.0, 4_000), 4_000))), "audio_sample_rate")


def test_thirty_megabytes(client, problem_of, multipart, wav):
    content, kind = multipart(wav, 30_000_000)
    body = problem_of(client.post("/upload", data=content, content_type=kind), "body_too_large")
    assert "28.6 MiB" in body["detail"] and "25 MiB" in body["detail"]


@pytest.mark.parametrize("path", ["/upload", "/predict"])
def test_wrong_method(client, problem_of, path):
    for answer in (client.get(path), client.put(path), client.delete(path)):
        assert "use POST" in problem_of(answer, "method_not_allowed")["detail"]
        assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/health", "/api/v1/models"])
def test_wrong_method_on_a_read_only_route(client, problem_of, path):
    assert "use GET" in problem_of(client.post(path), "method_not_allowed")["detail"]


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1/nothing", "/api/v2/models", "/upload/x"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_path_of_the_api(client, problem_of, path, method):
    assert path in problem_of(getattr(client, method)(path), "not_found")["detail"]


def test_internal_error_reveals_no_details(settings, registry, problem_of, form, wav, monkeypatch, caplog):
    def fail(*_, **__):
        raise RuntimeError("password in /srv/secret.py")

    monkeypatch.setattr(registry.get(), "analyse", fail)
    answer = create_app(settings, registry).test_client().post("/upload", **form(wav))
    body = problem_of(answer, "internal_error")
    assert "password" not in answer.text and "secret" not in answer.text
    assert body["request_id"] in body["detail"]
    assert "password" in caplog.text and body["request_id"] in caplog.text


def test_damaged_model_is_a_server_error(settings, registry, problem_of, form, wav, monkeypatch):
    def fail(*_):
        raise ModelError("/srv/weights/first/model.safetensors is damaged.")

    monkeypatch.setattr(registry, "get", fail)
    answer = create_app(settings, registry).test_client().post("/upload", **form(wav))
    problem_of(answer, "internal_error")
    assert "/srv" not in answer.text


def test_head_has_the_headers_of_a_problem_and_no_body(client):
    answer = client.head("/api/nothing")
    assert (answer.status_code, answer.data) == (404, b"")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_options_lists_the_methods(client):
    answer = client.options("/upload")
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


def test_every_code_is_explained_at_its_type_url(client):
    page = client.get("/docs").text
    for code, kind in KINDS.items():
        assert f'id="{code}"' in page
        assert kind.title in page
