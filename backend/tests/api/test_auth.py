"""Access to stored results by token; requests without an owner need no database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ser.api.app import create_app
from ser.api.context import Database

OWNED = "/api/v1/profiles"


@pytest.mark.parametrize(
    "value",
    [None, "", "Bearer", "Bearer ", f"Bearer {'a' * 31}", f"Bearer {'a' * 129}", f"Bearer {'a' * 31}/", "a" * 32]
    + [f"Basic {'a' * 32}", f"Bearer {'a' * 32} {'b' * 32}", "Bearer ä" + "a" * 32],
)
def test_requests_without_a_token_are_refused(client, problem_of, value):
    answer = client.get(OWNED, headers={} if value is None else {"Authorization": value})
    assert "32 to 128" in problem_of(answer, "owner_missing")["detail"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["a" * 32, "Z9-_" * 32])
def test_any_sufficiently_long_token_is_an_owner(client, token):
    assert client.get(OWNED, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_the_token_is_neither_stored_nor_logged(client, owner, settings, tmp_path, form, wav, caplog):
    caplog.set_level("DEBUG")
    assert client.get(OWNED, headers=owner).status_code == 200
    client.post("/upload", **form(wav, speaker="nobody"), headers=owner)
    token = owner["Authorization"].removeprefix("Bearer ")
    files = list(tmp_path.glob("results.sqlite*"))
    assert files and not any(token.encode() in file.read_bytes() for file in files)
    assert token not in caplog.text


def test_a_speaker_needs_an_owner(client, form, wav, problem_of):
    problem_of(client.post("/upload", **form(wav, speaker="asha")), "owner_missing")


@pytest.mark.parametrize("url", ["sqlite:///{}/text/below.sqlite", "nonsense://{}", "sqlite:///{}/text"])
def test_without_a_database_analysis_works_and_the_error_names_it(
    settings, registry, tmp_path, form, wav, owner, problem_of, caplog, url
):
    (tmp_path / "text").write_text("no database, but longer than a header of one " * 9, encoding="utf-8")
    broken = replace(settings, database_url=url.format(tmp_path.as_posix()))
    client = create_app(broken, registry).test_client()
    assert client.post("/upload", **form(wav)).status_code == 200
    answer = client.get(OWNED, headers=owner)
    body = problem_of(answer, "store_unavailable")
    assert answer.headers["Retry-After"] == "30"
    assert str(tmp_path) not in body["detail"] and "SER_DATABASE_URL" in caplog.text
    assert body["request_id"] in body["detail"] and body["request_id"] in caplog.text


def test_a_recovered_database_is_used_again(settings, registry, tmp_path, owner):
    (tmp_path / "place").write_text("in the way", encoding="utf-8")
    broken = replace(settings, database_url=f"sqlite:///{(tmp_path / 'place' / 'x.sqlite').as_posix()}")
    patient, eager = (Database(broken.database_url, retry_seconds=seconds) for seconds in (60.0, 0.0))
    clients = [create_app(broken, registry, database).test_client() for database in (patient, eager)]
    assert [client.get(OWNED, headers=owner).status_code for client in clients] == [503, 503]
    (tmp_path / "place").unlink()
    assert [client.get(OWNED, headers=owner).status_code for client in clients] == [503, 200]
    eager.close()


def test_names_and_ids_are_not_logged(client, owner, caplog):
    caplog.set_level("INFO")
    client.delete("/api/v1/profiles/asha", headers=owner)
    client.get(f"/api/v1/sessions/{'0' * 32}", headers=owner)
    assert "DELETE /api/v1/profiles/<name> 404" in caplog.text
    assert "asha" not in caplog.text and "000000" not in caplog.text
