"""Pretrained tensors: found locally, downloaded from a loopback server, and verified."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ser.core.errors import DownloadError, ModelError
from ser.models.pretrained import Pretrained, fingerprint, load_pretrained

TENSORS = {"encoder.a": torch.arange(6.0).reshape(2, 3), "encoder.b": torch.ones(2), "decoder.c": torch.zeros(9)}
WANTED = {"a": TENSORS["encoder.a"], "b": TENSORS["encoder.b"]}


def source(url: str, sha256: str = fingerprint(WANTED)) -> Pretrained:
    return Pretrained(name="tiny", url=url, prefix="encoder.", sha256=sha256, licence="MIT", citation="nobody")


@pytest.fixture
def server(tmp_path) -> Iterator[tuple[str, Path, list[str]]]:
    """Address of a loopback server, the folder it serves, and the paths requested so far."""
    folder, asked = tmp_path / "served", []
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, form: str, *arguments: object) -> None:
            asked.append(self.path)

    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/model.safetensors", folder, asked
    running.shutdown()
    running.server_close()


def test_the_tensors_are_downloaded_once(server, tmp_path):
    url, served, asked = server
    save_file(TENSORS, served / "model.safetensors")
    for _ in range(2):
        found = load_pretrained(source(url), tmp_path / "pretrained")
        assert found.keys() == WANTED.keys() and torch.equal(found["a"], WANTED["a"])
    assert asked == ["/model.safetensors"]


def test_a_file_with_only_the_used_tensors_needs_no_network(tmp_path):
    half = {f"encoder.{name}": value.half() for name, value in WANTED.items()}
    save_file(half, tmp_path / "tiny-encoder.safetensors")
    found = load_pretrained(source("http://127.0.0.1:9/never"), tmp_path)
    assert found["b"].dtype == torch.float32


@pytest.mark.parametrize("content", [b"not tensors", None], ids=["damaged", "other tensors"])
def test_a_wrong_download_is_refused_and_deleted(server, tmp_path, content):
    url, served, _ = server
    if content is None:
        save_file({**TENSORS, "encoder.b": torch.zeros(2)}, served / "model.safetensors")
    else:
        (served / "model.safetensors").write_bytes(content)
    with pytest.raises(DownloadError) as refused:
        load_pretrained(source(url), tmp_path / "pretrained")
    assert refused.value.code == "download_checksum"
    assert not list((tmp_path / "pretrained").iterdir())


def test_an_existing_wrong_file_is_named_and_left_unchanged(tmp_path):
    save_file({"encoder.a": torch.zeros(1)}, tmp_path / "tiny.safetensors")
    with pytest.raises(ModelError, match="tiny.safetensors has other tensors"):
        load_pretrained(source("http://127.0.0.1:9/never"), tmp_path)
    assert (tmp_path / "tiny.safetensors").exists()


def test_the_digest_covers_values_names_and_shapes_but_not_precision():
    same = fingerprint(WANTED)
    assert fingerprint({name: value.half() for name, value in WANTED.items()}) == same
    assert fingerprint({"a": WANTED["a"], "c": WANTED["b"]}) != same
    assert fingerprint({"a": WANTED["a"].T.contiguous(), "b": WANTED["b"]}) != same
    assert fingerprint({"a": WANTED["a"] + 1, "b": WANTED["b"]}) != same
