"""Settings, metrics, error codes and health checks are documented."""

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


def test_every_metric_is_in_the_deployment_guide():
    names = [one.describe()[0].name for one in METRICS]
    assert len(names) >= 7
    assert [name for name in names if name not in DEPLOY] == []


@pytest.mark.parametrize("code", ["audio_undecodable", "rate_limited", "too_busy", "body_too_large", "audio_too_long"])
def test_error_codes_of_limits_are_in_the_deployment_guide(code):
    assert f"`{code}`" in DEPLOY and code in KINDS


def test_every_retryable_error_has_a_retry_after():
    assert {code for code, kind in KINDS.items() if kind.status in (429, 503)} == RETRY_SECONDS.keys()


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_checks_are_documented(path):
    assert f"`{path}`" in DEPLOY and path in openapi_document()["paths"]
