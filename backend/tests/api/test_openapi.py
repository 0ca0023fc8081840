"""The OpenAPI document matches the application, and its committed copy is current."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from ser.api.app import openapi_document
from ser.api.errors import KINDS, MEDIA_TYPE
from ser.core.settings import PROJECT

DOCUMENT = openapi_document()


def operations():
    return [(path, method, found) for path, methods in DOCUMENT["paths"].items() for method, found in methods.items()]


def schema(name: str) -> dict:
    """A schema with everything it refers to."""
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def test_committed_copy_is_current():
    committed = json.loads((PROJECT / "backend" / "openapi.json").read_text(encoding="utf-8"))
    assert committed == DOCUMENT, "regenerate it: python3 -m backend openapi > backend/openapi.json"


def test_served_document_is_the_same(client):
    answer = client.get("/openapi.json")
    assert answer.mimetype == "application/json"
    assert answer.json == DOCUMENT


def test_every_route_of_the_api_is_described(app):
    hidden = ("page", "docs", "openapi", "metrics")
    rules = [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] not in hidden]
    assert {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule) for rule in rules} == set(DOCUMENT["paths"])


def test_every_reference_resolves():
    text = json.dumps(DOCUMENT)
    assert "$defs" not in text
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names and names <= DOCUMENT["components"]["schemas"].keys()


@pytest.mark.parametrize(("path", "method", "operation"), operations())
def test_operations_are_fully_described(path, method, operation):
    assert operation["operationId"] and operation["summary"] and operation["tags"]
    for status, answer in operation["responses"].items():
        assert answer["description"]
        assert "X-Request-ID" in answer["headers"]
        if status != "204" and operation["operationId"] != "exportSession":
            assert list(answer["content"]) == ["application/json" if status.startswith("2") else MEDIA_TYPE]
    takes_a_body = method in ("post", "put", "patch") and operation["operationId"] != "endLive"
    assert ("requestBody" in operation) is takes_a_body
    owned = {"owner": []} in operation.get("security", [])
    assert owned is ("401" in operation["responses"])


def test_operation_names_are_unique():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", ["/upload", "/predict", "/api/v1/analyse"])
def test_uploads_list_every_possible_problem(path):
    operation = DOCUMENT["paths"][path]["post"]
    assert operation["responses"].keys() == {"200", "400", "401", "404", "413", "422", "429", "500", "503"}
    properties = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"][
        "properties"
    ]
    options = {"model", "window_seconds", "hop_seconds", "coverage", "speaker", "emotions", "adapt"}
    assert properties.keys() == {"file", "audio"} | options | ({"title", "keep"} if "analyse" in path else set())


def test_problem_lists_every_code():
    assert set(DOCUMENT["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) == set(KINDS)


@pytest.mark.parametrize(
    ("path", "name"), [("/health", "Health"), ("/api/v1/models", "Models"), ("/api/v1/limits", "Limits")]
)
def test_responses_match_their_schemas(client, path, name):
    jsonschema.validate(client.get(path).json, schema(name), jsonschema.Draft202012Validator)


def test_responses_to_recordings_match_their_schemas(client, form, wav, owner):
    for path, name in (
        ("/upload", "Prediction"),
        ("/predict", "ShortPrediction"),
        ("/api/v1/analyse", "Analysis"),
    ):
        jsonschema.validate(client.post(path, **form(wav)).json, schema(name), jsonschema.Draft202012Validator)
    live = client.post("/api/v1/live", json={}, headers=owner).json
    chunk = client.put(f"/api/v1/live/{live['id']}/chunks/0?start=0", data=wav, headers=owner).json
    ended = client.post(f"/api/v1/live/{live['id']}/end", headers=owner).json
    for answer, name in ((live, "SessionSummary"), (chunk, "LiveChunk"), (ended, "Session")):
        jsonschema.validate(answer, schema(name), jsonschema.Draft202012Validator)
    problem = client.post("/upload", **form(b"text")).json
    jsonschema.validate(problem, schema("Problem"), jsonschema.Draft202012Validator)
