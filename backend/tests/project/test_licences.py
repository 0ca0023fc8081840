"""``LICENCES.md`` lists every locked package; ``weights/LICENSE`` and the cards state the licence of every model."""

from __future__ import annotations

import re

import pytest

from benchmarks.accuracy import licences
from ser.core.law import EU_LAW
from ser.core.settings import PROJECT
from ser.data.corpus import get_corpus
from ser.models.checkpoint import ModelInfo, list_models
from ser.models.recipe import get_recipe
from tests.tools.record_licences import LIST, licence, packages, pins

TEXT = LIST.read_text(encoding="utf-8")
WEIGHTS = PROJECT / "weights"
MODELS = list_models(WEIGHTS)
ENCODERS = [model for model in MODELS if get_recipe(model.recipe).pretrained]
AGAIN = "regenerate it: python -m tests.tools.record_licences"


def test_every_python_package_is_listed_with_its_pinned_version():
    found = {tuple(row.split(" | "))[:2] + (row.split(" | ")[-1],) for row in re.findall(r"^\| (.+) \|$", TEXT, re.M)}
    assert not set(pins()) - found, AGAIN


def test_every_package_of_the_page_is_listed_with_its_pinned_version():
    missing = [name for name, version, stated in packages() if f"| {name} | {version} | {stated} |" not in TEXT]
    assert not missing, AGAIN


def test_gpl_components_are_named():
    assert "libx264" in TEXT and "libx265" in TEXT and "GPL" in TEXT


def test_ci_tools_are_named_and_pinned():
    lines = (LIST.parent / "tests" / "tools.lock").read_text(encoding="utf-8").splitlines()
    tools = [line for line in lines if line and not line.startswith("#")]
    assert tools and all(re.fullmatch(r"[\w-]+==[\d.]+", line) for line in tools)
    assert all(f"`{line.split('==')[0]}`" in TEXT for line in tools)


def test_listed_licences_match_the_package_metadata():
    for name in ("flask", "waitress", "av"):
        (version,) = [found for pinned, found, _ in pins() if pinned.lower() == name]
        assert f" | {version} | {licence(name)} |" in TEXT


def one_line(text: str) -> str:
    return " ".join(text.split())


def card_of(model: ModelInfo) -> str:
    return one_line((WEIGHTS / model.name / "MODEL_CARD.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_card_names_every_corpus_with_authors_and_licence(model):
    for name in model.corpora:
        assert one_line(get_corpus(name).attribution) in card_of(model)
    encoder = get_recipe(model.recipe).pretrained
    assert encoder is None or one_line(licences.encoder_attribution(encoder)) in card_of(model)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_card_allows_commercial_use_only_where_every_corpus_does(model):
    allowed = not any("NC" in get_corpus(name).licence for name in model.corpora)
    assert ("Commercial use: yes" in card_of(model)) is allowed
    assert ("Commercial use: no" in card_of(model)) is not allowed
    assert model.licence == "; ".join(dict.fromkeys(get_corpus(name).licence for name in model.corpora))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_card_states_the_law(model):
    assert EU_LAW in card_of(model)


def test_the_licence_of_the_weights_is_up_to_date():
    """So it names every model with its licence, and every attribution."""
    text = (WEIGHTS / "LICENSE").read_text(encoding="utf-8")
    assert text == licences.licence_text(MODELS), "write it again: python -m benchmarks.accuracy.licences"
    assert [model.name for model in MODELS if f"- {model.name}: {model.licence}." not in one_line(text)] == []


@pytest.mark.parametrize("model", ENCODERS, ids=lambda model: model.name)
def test_the_licence_of_an_encoder_is_beside_it(model):
    notice = (WEIGHTS / model.name / "NOTICE").read_text(encoding="utf-8")
    assert notice == licences.notice_text(get_recipe(model.recipe).pretrained)
    for text in (notice, (WEIGHTS / "LICENSE").read_text(encoding="utf-8")):
        assert "Copyright (c) 2022 OpenAI" in text and 'THE SOFTWARE IS PROVIDED "AS IS"' in text
