"""Metrics and logs for operators, which hold nothing private."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ser.api.app import create_app
from ser.api.model_registry import ModelRegistry
from ser.api.request_log import JsonFormatter


@pytest.fixture
def read(client):
    """Reads the metrics as a dict of (name, labels) -> value."""

    def make() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        answer = client.get("/metrics")
        assert answer.status_code == 200 and answer.mimetype == "text/plain"
        families = text_string_to_metric_families(answer.text)
        return {
            (one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples
        }

    return make


def grown(before: dict, after: dict) -> dict:
    return {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}


def test_an_upload_is_counted_by_its_outcome(client, form, wav, read):
    before = read()
    client.post("/upload", **form(wav, name="secret-name.wav"))
    change = grown(before, read())
    assert change["ser_predictions_total", (("model", "first"), ("outcome", "emotion"))] == 1
    assert change["ser_requests_total", (("method", "POST"), ("route", "/upload"), ("status", "200"))] == 1
    for stage in ("wait", "decode", "predict"):
        assert change["ser_stage_seconds_count", (("stage", stage),)] == 1
    assert "secret" not in client.get("/metrics").text


def test_a_problem_is_counted_by_its_code(client, form, read):
    before = read()
    client.post("/upload", **form(b"text"))
    assert grown(before, read())["ser_problems_total", (("code", "audio_unsupported"),)] == 1


def test_client_supplied_values_create_no_metric_labels(client, read):
    for path in ("/some/page", "/api/v1/nonsense", "/api/v1/sessions/0123456789"):
        client.get(path)
        client.open(path, method="INVENTED")
    labels = {value for _, pairs in read() for _, value in pairs}
    assert not {one for one in labels if "nonsense" in one or "0123456789" in one or "INVENTED" in one}


def test_json_logs_hold_the_fields_of_a_request(client, form, wav, caplog, owner):
    caplog.set_level(logging.INFO, "ser")
    client.post("/upload", **form(wav, name="secret-name.wav"), headers=owner)
    (record,) = [one for one in caplog.records if one.name == "ser.api.request_log"]
    line = json.loads(JsonFormatter().format(record))
    assert (line["method"], line["address"], line["status"]) == ("POST", "/upload", 200)
    assert {"time", "level", "logger", "message", "bytes_in", "milliseconds", "request_id"} <= line.keys()
    assert "secret" not in json.dumps(line) and owner["Authorization"][-20:] not in json.dumps(line)


def test_an_exception_keeps_its_traceback_on_one_line():
    try:
        raise ValueError("broken\nthing")
    except ValueError:
        record = logging.LogRecord("ser", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line and "ValueError" in json.loads(line)["error"]


def test_ready_means_that_requests_are_accepted(client, settings, problem_of):
    assert client.get("/ready").json == {"status": "ready"}
    cold = ModelRegistry(settings, load=lambda *_: pytest.fail("loaded without a request"), wait_seconds=0.01)
    problem_of(create_app(settings, cold).test_client().get("/ready"), "not_ready")
