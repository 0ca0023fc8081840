"""What an operator can set, read and meet is written down."""

from __future__ import annotations

from dataclasses import fields

import pytest
from prometheus_client.metrics import MetricWrapperBase

from ser.api import telemetry
from ser.api.app import openapi_document
from ser.api.errors import KINDS, RETRY_SECONDS
from ser.core.settings import PROJECT, Settings

README = (PROJECT / "backend" / "README.md").read_text(encoding="utf-8")
DEPLOY = (PROJECT / "backend" / "DEPLOY.md").read_text(encoding="utf-8")
METRICS = [one for one in vars(telemetry).values() if isinstance(one, MetricWrapperBase)]


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_every_setting_is_in_the_readme(field):
    assert f"| `SER_{field.name.upper()}` |" in README
    assert f"{field.name}:" in Settings.__doc__


def test_every_metric_is_on_the_page_for_operators():
    names = [one.describe()[0].name for one in METRICS]
    assert len(names) >= 7
    assert [name for name in names if name not in DEPLOY] == []


@pytest.mark.parametrize("code", ["audio_undecodable", "rate_limited", "too_busy", "body_too_large", "audio_too_long"])
def test_what_limits_answer_is_a_code_on_that_page(code):
    assert f"`{code}`" in DEPLOY and code in KINDS


def test_who_is_told_to_come_again_is_told_when():
    assert {code for code, kind in KINDS.items() if kind.status in (429, 503)} == RETRY_SECONDS.keys()


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_what_a_load_balancer_asks_is_documented(path):
    assert f"`{path}`" in DEPLOY and path in openapi_document()["paths"]
