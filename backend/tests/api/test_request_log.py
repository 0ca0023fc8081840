"""Request ids and the access log."""

from __future__ import annotations

import logging
import re

import pytest


def test_valid_request_id_is_kept(client):
    assert client.get("/health", headers={"X-Request-ID": "trace-12.ab_C"}).headers["X-Request-ID"] == "trace-12.ab_C"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "æ", "a;b"])
def test_invalid_request_ids_are_replaced(client, given):
    answered = client.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{32}", answered)


def test_request_ids_differ(client):
    assert len({client.get("/health").headers["X-Request-ID"] for _ in range(20)}) == 20


def test_one_line_per_request_without_names_or_content(client, form, wav, caplog):
    with caplog.at_level(logging.INFO, "ser.api"):
        answer = client.post("/upload", **form(wav, name="my secret diary.wav"))
        client.get("/api/a%0ab")
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert re.match(r"POST /upload 200 in=\d+ out=\d+ [\d.]+ ms id=", lines[0])
    assert answer.headers["X-Request-ID"] in lines[0]
    assert "diary" not in caplog.text
    assert "/api/a%0Ab 404" in lines[1], "a path cannot forge a line"
