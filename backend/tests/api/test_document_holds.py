"""Requests made from the OpenAPI document, sensible and not: every answer is one that the document allows.

``SER_FULL=1`` makes as many as are promised; without, there are a few of each operation.
"""

from __future__ import annotations

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from ser.api.app import openapi_document
from ser.core.errors import ProfileError
from tests.api.conftest import LoudnessPredictor, info

CASES = 250 if os.environ.get("SER_FULL") == "1" else 3  # of each of about twenty operations
TOKEN = "a" * 43
OPERATIONS = [(path, method) for path, found in openapi_document()["paths"].items() for method in found]

schemathesis.serializer("audio/wav")(lambda _, value: value if isinstance(value, bytes) else str(value).encode())
load_all_checks()
# Made-up bytes are no recording and are refused, though the document allows bytes; the token is sent by the test.
SKIPPED = {"positive_data_acceptance", "ignored_auth"}
HELD = [check for check in CHECKS.get_all() if check.__name__ not in SKIPPED]


class ListeningPredictor(LoudnessPredictor):
    """Hears nobody in what is made up here, which is no speech."""

    def enroll(self, name, sources):
        raise ProfileError(f"The recordings ({len(sources)}) contain no speech; record speech.", "profile_empty")


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    from ser.api.app import create_app
    from ser.api.context import Database
    from ser.api.model_registry import ModelRegistry
    from ser.core.settings import Settings

    folder = tmp_path_factory.mktemp("document")
    url = f"sqlite:///{(folder / 'results.sqlite').as_posix()}"
    known = Settings(weights=folder / "weights", model="cnn1d", frontend=folder, database_url=url)
    registry = ModelRegistry(known, load=lambda name, _: ListeningPredictor(name), find=lambda _: [info("cnn1d")])
    registry.load_default()
    database = Database(url)
    yield create_app(known, registry, database)
    database.close()


@pytest.fixture(scope="module")
def schema(application):
    return schemathesis.openapi.from_wsgi("/openapi.json", application)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_allows(schema, path, method):
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(case=schema[path][method].as_strategy())
    def hold(case):
        case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, checks=HELD)

    hold()


def test_there_is_something_to_hold():
    assert len(OPERATIONS) >= 20 and len(HELD) >= 4
