"""What ships is what was measured: cards and README carry the figures that the out-of-fold predictions give."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from ser.checkpoint import Figure, ModelInfo, list_models, load_checkpoint
from ser.settings import PROJECT
from ser.splits import PROTOCOLS

WEIGHTS = PROJECT / "weights"
MODELS = list_models(WEIGHTS)
FIGURES = [(model, figure) for model in MODELS for figure in model.figures]


def runs(model: ModelInfo, figure: Figure) -> list[tuple[list[str], list[str], list[str]]]:
    """Truth, predictions and speakers of every seed."""
    folder = WEIGHTS / model.name / "evaluation" / f"{figure.protocol}-{figure.classes}classes"
    found = []
    for file in sorted(folder.glob("out_of_fold_seed*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        found.append(tuple([row[name] for row in rows] for name in ("truth", "predicted", "speaker")))
    return found


def test_the_promised_model_ships():
    assert "cnn1d" in [model.name for model in MODELS]
    assert MODELS[0].figure is not None and MODELS[0].leaky_figure is not None


@pytest.mark.parametrize(
    ("model", "figure"), FIGURES, ids=lambda one: getattr(one, "protocol", getattr(one, "name", ""))
)
def test_figures_follow_from_the_predictions(model, figure):
    every = runs(model, figure)
    assert len(every) == figure.seeds
    labels = sorted(set(every[0][0]))
    assert len(labels) == figure.classes
    scores = [
        (
            100 * recall_score(truth, guess, labels=labels, average="macro"),
            100 * accuracy_score(truth, guess),
            100 * f1_score(truth, guess, labels=labels, average="macro"),
        )
        for truth, guess, _ in every
    ]
    assert (figure.ua, figure.wa, figure.f1) == pytest.approx(tuple(np.mean(scores, axis=0)), abs=0.051)
    assert figure.ua_std == pytest.approx(np.std([ua for ua, _, _ in scores], ddof=1), abs=0.051)
    assert figure.speaker_independent == PROTOCOLS[figure.protocol].speaker_independent


@pytest.mark.parametrize(
    ("model", "figure"), FIGURES, ids=lambda one: getattr(one, "protocol", getattr(one, "name", ""))
)
def test_readme_and_card_carry_the_figures(model, figure):
    row = f"{figure.ua:.1f} ± {figure.ua_std:.1f} [{figure.interval[0]:.1f}, {figure.interval[1]:.1f}]"
    for file in (PROJECT / "README.md", WEIGHTS / model.name / "MODEL_CARD.md"):
        line = [line for line in file.read_text(encoding="utf-8").splitlines() if row in line]
        assert line and f"`{figure.protocol}`" in line[0], f"{file} lacks {figure.protocol}: {row}"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_card_says_what_has_to_be_said(model):
    text = (WEIGHTS / model.name / "MODEL_CARD.md").read_text(encoding="utf-8")
    for heading in ("Intended use", "Not for", "Data and licence", "Figures", "Limits"):
        assert f"## {heading}" in text
    assert model.licence in text


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_weights_load_and_are_small(model):
    folder: Path = WEIGHTS / model.name
    assert load_checkpoint(folder).info == model
    assert (folder / "model.safetensors").stat().st_size < 20_000_000
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["training"]["commit"] != "unknown"
