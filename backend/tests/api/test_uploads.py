"""Parsing of uploads, which stay in memory."""

from __future__ import annotations

import io
import tempfile

import pytest

from ser.api.uploads import MemoryRequest, read_upload


def test_large_files_are_kept_in_memory(app, multipart, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", refuse)
    content = bytes(range(256)) * 8_000
    body, kind = multipart(content)
    with app.test_request_context("/upload", method="POST", data=body, content_type=kind):
        assert read_upload().content == content


def test_stream_factory_is_memory():
    assert isinstance(MemoryRequest({})._get_file_stream(10**9, "audio/wav", "a.wav", 10**9), io.BytesIO)


@pytest.mark.parametrize(("fields", "model"), [({}, None), ({"model": "second"}, "second"), ({"model": ""}, None)])
def test_model_field(app, form, fields, model):
    with app.test_request_context("/upload", method="POST", **form(b"x", **fields)):
        assert read_upload().model == model
