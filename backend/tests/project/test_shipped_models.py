"""Figures in model cards and README match the stored out-of-fold predictions."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score, f1_score, recall_score

from benchmarks.accuracy.leaderboard import others, served
from benchmarks.accuracy.recalibrate import headline
from ser.core.settings import PROJECT
from ser.data.splits import PROTOCOLS
from ser.models.checkpoint import Figure, ModelInfo, list_models, load_checkpoint
from ser.training.train import calibrate_by_size

WEIGHTS = PROJECT / "weights"
MODELS = list_models(WEIGHTS)
FIGURES = [(model, figure) for model in MODELS for figure in model.figures]


def runs(model: ModelInfo, figure: Figure) -> list[tuple[list[str], list[str], list[str]]]:
    """True labels, predictions and speakers of every seed."""
    folder = WEIGHTS / model.name / "evaluation" / figure.folder
    found = []
    for file in sorted(folder.glob("out_of_fold_seed*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        found.append(tuple([row[name] for row in rows] for name in ("truth", "predicted", "speaker")))
    return found


def test_the_default_model_ships():
    assert "cnn1d" in [model.name for model in MODELS]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_model_has_a_speaker_independent_and_a_leaky_figure(model):
    assert model.figure is not None and model.leaky_figure is not None


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_calibration_of_chosen_emotions_follows_from_the_predictions(model):
    folder = headline(WEIGHTS / model.name, model)
    assert calibrate_by_size(folder, model.labels, model.calibration).by_size == model.calibration.by_size
    assert list(model.calibration.by_size) == [str(size) for size in range(2, len(model.labels))]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_speakers_of_the_samples_are_not_in_the_training_data(model):
    sampled = {"crema-d/1004", "crema-d/1010", "crema-d/1013"}
    assert "crema-d" not in model.corpora or sampled <= set(model.training["without"])


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
    spread = np.std([ua for ua, _, _ in scores], ddof=1) if len(scores) > 1 else 0.0
    assert figure.ua_std == pytest.approx(spread, abs=0.051)
    assert figure.speaker_independent == PROTOCOLS[figure.protocol].speaker_independent


@pytest.mark.parametrize(
    ("model", "figure"), FIGURES, ids=lambda one: getattr(one, "protocol", getattr(one, "name", ""))
)
def test_the_card_carries_the_figures(model, figure):
    assert lines_with(WEIGHTS / model.name / "MODEL_CARD.md", f"`{figure.protocol}`", figure.text)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_tables_carry_leaky_figures_only_next_to_the_others(model):
    for file in (PROJECT / "README.md", WEIGHTS / "README.md"):
        for figure in model.unseen_figures:
            (line,) = lines_with(file, f"| `{model.name}` |", f"`{figure.protocol}`", figure.text)
            assert f"| {figure.wa:.1f} | {figure.f1:.1f} | {figure.weighted_f1:.1f} |" in line
        leaky = model.leaky_figure
        assert leaky is None or lines_with(file, f"| `{model.name}` |", f"| {leaky.wa:.1f} |")


def test_further_figures_follow_from_the_predictions():
    rows = ["| " + " | ".join(row) + " |" for row in others()]
    readme = (WEIGHTS / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(rows) > 5 and [line for line in readme if line in rows] == rows


def test_the_readme_states_the_accuracy_with_all_classes_allowed():
    readme = " ".join((PROJECT / "README.md").read_text(encoding="utf-8").split())
    rows = {(row[0], row[1]): row for row in served()}
    for corpus, place in (("indian-emospeech", "phone recordings of Indian speakers"), ("crema-d", "CREMA-D")):
        *_, classes, seeds, own, as_served = rows["`whisper`", corpus]
        assert (classes, seeds) == ({"indian-emospeech": "4", "crema-d": "6"}[corpus], "3")
        assert re.search(rf"{as_served} instead of {own.split()[0]}( UA)? on {place}", readme)
    table = (WEIGHTS / "README.md").read_text(encoding="utf-8").splitlines()
    assert all("| " + " | ".join(row) + " |" in table for row in rows.values())


def test_the_readme_states_the_calibration_error_on_unseen_corpora():
    readme = " ".join((PROJECT / "README.md").read_text(encoding="utf-8").split())
    off = {}
    for name in ("whisper", "cnn1d"):
        files = [file for file in WEIGHTS.glob(f"{name}/evaluation/*-cross-*/metrics.json") if "+" not in str(file)]
        errors = [100 * json.loads(file.read_text(encoding="utf-8"))["ece"] for file in files]
        off[name] = f"{min(errors):.0f} to {max(errors):.0f}"
    assert f"off by {off['whisper']} points for `whisper` and {off['cnn1d']} for `cnn1d` (one seed)" in readme


def test_the_readme_states_the_accuracy_at_70_percent_confidence():
    readme = " ".join((PROJECT / "README.md").read_text(encoding="utf-8").split())
    shares = {name: sorted(right_at(0.65, 0.75, name).values()) for name in ("whisper", "cnn1d")}
    expected = {name: f"{100 * found[0]:.0f} to {100 * found[-1]:.0f} %" for name, found in shares.items()}
    assert f"are right {expected['whisper']} of the time for `whisper` and {expected['cnn1d']} for `cnn1d`" in readme


def right_at(low: float, high: float, model: str) -> dict[str, float]:
    """Share of correct predictions with a confidence between two bounds, as served, for each corpus."""
    found = {}
    for folder in WEIGHTS.glob(f"{model}/evaluation/*-joint-*"):
        if "+" in folder.name:
            continue
        right = []
        for file in folder.glob("out_of_fold_seed*.csv"):
            with file.open(encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
            labels = [name.removeprefix("logit_") for name in rows[0] if name.startswith("logit_")]
            logits = np.array(
                [[float(row[f"logit_{label}"]) / float(row["temperature"]) for label in labels] for row in rows]
            )
            confidence = softmax(logits, axis=1).max(axis=1)
            answers = [labels[best] for best in logits.argmax(axis=1)]
            spoken = np.array([row["predicted"] in labels for row in rows])
            chosen = (confidence >= low) & (confidence < high) & spoken
            right += [answers[i] == rows[i]["truth"] for i in np.flatnonzero(chosen)]
        found[folder.name] = float(np.mean(right))
    return found


def lines_with(file: Path, *parts: str) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if all(part in line for part in parts)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_card_has_every_required_section(model):
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
