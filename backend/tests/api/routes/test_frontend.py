"""Serving the built page, its assets and its client-side routes."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from ser.api.app import create_app


@pytest.mark.parametrize("path", ["/", "/history", "/some/client/route", "/apiary", "/uploads"])
def test_client_side_routes_serve_the_page(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert "<title>page</title>" in answer.text
    assert answer.headers["Cache-Control"] == "no-cache"


def test_unchanged_page_is_not_sent_again(client):
    first = client.get("/")
    assert client.get("/", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_hashed_files_are_cached_for_a_year(client):
    answer = client.get("/assets/index-abc123.js")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/assets/index-old.js", "/assets/x", "/favicon.ico", "/samples/none.wav"])
def test_missing_files_return_a_problem_not_the_page(client, problem_of, path):
    problem_of(client.get(path), "not_found")


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/a%00.txt"]
)
def test_nothing_outside_the_folder_is_served(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "not for the world" not in answer.text


def test_head_request_for_the_page(client):
    answer = client.head("/")
    assert (answer.status_code, answer.data) == (200, b"")


def test_post_to_the_page_is_refused(client, problem_of):
    problem_of(client.post("/some/client/route"), "method_not_allowed")


def test_missing_page_build_is_explained(settings, registry, problem_of, tmp_path):
    client = create_app(replace(settings, frontend=tmp_path / "nowhere"), registry).test_client()
    assert "is not built" in problem_of(client.get("/"), "not_found")["detail"]
    assert client.get("/health").status_code == 200


def test_scripts_are_gzipped_when_the_client_accepts_it(settings, registry, tmp_path):
    script = b"console.log('a line of a script');\n" * 100
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-abc123.js").write_bytes(script)
    client = create_app(replace(settings, frontend=tmp_path), registry).test_client()
    plain = client.get("/assets/index-abc123.js", buffered=True)
    answer = client.get("/assets/index-abc123.js", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers and plain.data == script
    assert answer.headers["Content-Encoding"] == "gzip" and len(answer.data) < len(script) / 5
    assert gzip.decompress(answer.data) == script and "Accept-Encoding" in answer.headers["Vary"]
    again = {"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]}
    assert client.get("/assets/index-abc123.js", headers=again).status_code == 304
