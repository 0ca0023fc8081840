"""The API documentation page works offline and under the strict Content-Security-Policy."""

from __future__ import annotations

import re

import pytest


def test_page_loads_local_assets_only(client):
    page = client.get("/docs")
    assert page.status_code == 200
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(linked) >= 4
    for address in linked:
        assert address.startswith("/"), f"{address} leads to another server"
        assert client.get(address).status_code == 200


def test_no_inline_scripts_or_styles(client):
    text = client.get("/docs").text
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "<style" not in text and " style=" not in text and " on" + "load=" not in text


@pytest.mark.parametrize(
    ("name", "mimetype"), [("swagger-ui.css", "text/css"), ("swagger-ui-bundle.js", "text/javascript")]
)
def test_assets_have_the_right_content_type(client, name, mimetype):
    answer = client.get(f"/docs/{name}")
    assert answer.mimetype == mimetype
    assert len(answer.data) > 100_000


@pytest.mark.parametrize("name", ["oauth2-redirect.html", "docs.html", "..%2fproblems", "index.css"])
def test_other_files_are_not_served(client, problem_of, name):
    problem_of(client.get(f"/docs/{name}"), "not_found")
