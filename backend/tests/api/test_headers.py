"""Security headers and the Content-Security-Policy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ser.api.app import create_app

EVERYWHERE = [
    "/",
    "/some/client/route",
    "/assets/index-abc123.js",
    "/assets/missing.js",
    "/health",
    "/api/v1/models",
    "/api/nothing",
    "/upload",
    "/docs",
    "/docs/docs.js",
    "/openapi.json",
]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_headers_are_on_every_route(client, path):
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert "script-src" not in policy and "unsafe" not in policy["default-src"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "microphone=(self)" in headers["Permissions-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Request-ID"]
    assert "http" not in headers["Content-Security-Policy"], "no foreign host"


def test_no_foreign_origin_by_default(client):
    for answer in (
        client.get("/health", headers={"Origin": "https://elsewhere.example"}),
        client.options(
            "/upload", headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
        ),
    ):
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]


def test_only_configured_origins(settings, registry):
    origins = ("http://localhost:5173", "https://voice.example")
    client = create_app(replace(settings, cors_origins=origins), registry).test_client()
    for origin in origins:
        answer = client.get("/health", headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
    for origin in ("https://voice.example.evil", "http://voice.example", "null"):
        answer = client.get("/health", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_configured_origins_set_vary_and_pass_the_preflight(settings, registry, problem_of):
    client = create_app(replace(settings, cors_origins=("https://voice.example",)), registry).test_client()
    assert "Origin" in client.get("/health").headers["Vary"]
    asked = {"Origin": "https://voice.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/upload", headers=asked)
    assert answer.status_code == 200
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    wrong = client.get("/api/nothing", headers={"Origin": "https://voice.example"})
    problem_of(wrong, "not_found")
    assert wrong.headers["Access-Control-Allow-Origin"] == "https://voice.example", "a page can read the problem"


@pytest.mark.parametrize("path", ["/health", "/api/v1/models", "/api/nothing"])
def test_responses_are_not_cached(client, path):
    assert client.get(path).headers["Cache-Control"] == "no-store"
