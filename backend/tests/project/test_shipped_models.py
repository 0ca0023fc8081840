"""Figures in model cards and README match the stored out-of-fold predictions."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score, f1_score, recall_score

from benchmarks.accuracy.leaderboard import LEADERBOARD, MARKED, OTHERS, TIME, markdown, models, others
from ser.core.settings import PROJECT
from ser.data.splits import PROTOCOLS
from ser.evaluation.metrics_file import read_metrics
from ser.evaluation.summary import current
from ser.models.calibration import UNSURE_BELOW
from ser.models.checkpoint import Figure, ModelInfo, list_models, load_checkpoint
from ser.training.served_calibration import calibrate_evaluations

WEIGHTS = PROJECT / "weights"
MODELS = list_models(WEIGHTS)
FIGURES = [(model, figure) for model in MODELS for figure in model.figures]


def folder_of(model: ModelInfo, figure: Figure) -> Path:
    return WEIGHTS / model.name / "evaluation" / figure.folder


def runs(model: ModelInfo, figure: Figure) -> list[list[dict[str, str]]]:
    """The predictions of every seed, one row per clip."""
    found = []
    for file in sorted(folder_of(model, figure).glob("out_of_fold_seed*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            found.append(list(csv.DictReader(stream)))
    return found


def column(rows: list[dict[str, str]], name: str) -> list[str]:
    return [row[name] for row in rows]


def logits_of(rows: list[dict[str, str]], labels: Sequence[str]) -> np.ndarray:
    return np.array([[float(row[f"logit_{label}"]) for label in labels] for row in rows])


def recall(truth: list[str], answers: list[str], labels: list[str]) -> float:
    return recall_score(truth, answers, labels=labels, average="macro", zero_division=0)


def likeliest(rows: list[dict[str, str]], labels: Sequence[str]) -> list[str]:
    """The likeliest of the labels for each clip; no speech stays no speech."""
    best = logits_of(rows, labels).argmax(axis=1)
    return [
        "no_speech" if row["predicted"] == "no_speech" else labels[top] for row, top in zip(rows, best, strict=True)
    ]


def test_the_default_model_ships():
    assert "cnn1d" in [model.name for model in MODELS]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_model_has_a_speaker_independent_and_a_leaky_figure(model):
    assert model.figure is not None and model.leaky_figure is not None


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_calibration_and_figures_as_served_follow_from_the_predictions(model, tmp_path):
    shutil.copytree(WEIGHTS / model.name / "evaluation", tmp_path / "evaluation")
    assert calibrate_evaluations(tmp_path / "evaluation") == model.calibration
    for file in sorted((WEIGHTS / model.name / "evaluation").glob("*/*.csv")):
        assert (tmp_path / "evaluation" / file.parent.name / file.name).read_bytes() == file.read_bytes()
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
    labels = sorted({row["truth"] for row in every[0]})
    assert len(labels) == figure.classes
    scores = []
    for rows in every:
        truth, guess = column(rows, "truth"), column(rows, "predicted")
        f1 = f1_score(truth, guess, labels=labels, average="macro")
        scores.append((100 * recall(truth, guess, labels), 100 * accuracy_score(truth, guess), 100 * f1))
    assert (figure.ua, figure.wa, figure.f1) == pytest.approx(tuple(np.mean(scores, axis=0)), abs=0.051)
    spread = np.std([ua for ua, _, _ in scores], ddof=1) if len(scores) > 1 else 0.0
    assert figure.ua_std == pytest.approx(spread, abs=0.051)
    assert figure.speaker_independent == PROTOCOLS[figure.protocol].speaker_independent


@pytest.mark.parametrize(
    ("model", "figure"), FIGURES, ids=lambda one: getattr(one, "protocol", getattr(one, "name", ""))
)
def test_an_answer_is_the_likeliest_of_all_classes(model, figure):
    for rows in runs(model, figure):
        logits = logits_of(rows, model.labels)
        answered = [i for i, row in enumerate(rows) if row["predicted"] != "no_speech"]
        chosen = [model.labels.index(rows[i]["predicted"]) for i in answered]
        assert (logits[answered, chosen] >= logits[answered].max(axis=1) - 1e-4).all()  # the CSV has four decimals


@pytest.mark.parametrize(
    ("model", "figure"), FIGURES, ids=lambda one: getattr(one, "protocol", getattr(one, "name", ""))
)
def test_figures_with_fewer_classes_follow_from_the_predictions(model, figure):
    metrics = read_metrics(folder_of(model, figure))
    every = runs(model, figure)
    occurring = sorted({row["truth"] for row in every[0]})
    assert (metrics.ua_masked is None) == (len(occurring) == len(model.labels))
    assert (metrics.ua_shared is None) == (figure.protocol != "cross")
    if metrics.ua_masked is not None:
        uas = [recall(column(rows, "truth"), likeliest(rows, occurring), occurring) for rows in every]
        assert metrics.ua_masked == pytest.approx(np.mean(uas), abs=1e-3)
    if metrics.ua_shared is not None:
        shared = metrics.shared_labels
        own = [[row for row in rows if row["truth"] in shared] for rows in every]
        uas = [recall(column(rows, "truth"), likeliest(rows, shared), shared) for rows in own]
        assert metrics.ua_shared == pytest.approx(np.mean(uas), abs=1e-3)


@pytest.mark.parametrize(
    ("model", "figure"), FIGURES, ids=lambda one: getattr(one, "protocol", getattr(one, "name", ""))
)
def test_sure_answers_follow_from_the_predictions(model, figure):
    metrics, _ = current(folder_of(model, figure))
    shares, accuracies = [], []
    for rows in runs(model, figure):
        if "temperature" not in rows[0]:  # it is fitted on other folds, see tests/evaluation/test_summary.py
            continue
        temperatures = np.array([float(row["temperature"]) for row in rows])
        confidence = softmax(logits_of(rows, model.labels) / temperatures[:, None], axis=1).max(axis=1)
        least = np.array([float(row.get("unsure_below", UNSURE_BELOW)) for row in rows])
        sure = (confidence >= least) & (np.array(column(rows, "predicted")) != "no_speech")
        right = np.array(column(rows, "predicted")) == np.array(column(rows, "truth"))
        shares.append(sure.mean())
        accuracies.append(right[sure].mean())
    if shares:
        assert metrics.answered == pytest.approx(np.mean(shares), abs=1e-3)
        assert metrics.answered_accuracy == pytest.approx(np.mean(accuracies), abs=1e-3)


@pytest.mark.parametrize(
    ("model", "figure"), FIGURES, ids=lambda one: getattr(one, "protocol", getattr(one, "name", ""))
)
def test_the_card_carries_the_figures(model, figure):
    assert lines_with(WEIGHTS / model.name / "MODEL_CARD.md", f"`{figure.protocol}`", figure.text)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_readme_carries_leaky_figures_only_next_to_the_others(model):
    file = PROJECT / "README.md"
    for figure in model.unseen_figures:
        (line,) = lines_with(file, f"| `{model.name}` |", f"`{figure.protocol}`", figure.text)
        assert f"| {figure.wa:.1f} | {figure.f1:.1f} | {figure.weighted_f1:.1f} |" in line
    leaky = model.leaky_figure
    assert leaky is None or lines_with(file, f"| `{model.name}` |", f"| {leaky.wa:.1f} |")


def test_the_leaderboard_follows_from_the_predictions():
    table = MARKED.search((WEIGHTS / "README.md").read_text(encoding="utf-8")).group()
    expected = markdown(LEADERBOARD, models({}))
    timed = LEADERBOARD.index(TIME)

    def cells(text: str) -> list[list[str]]:
        rows = [line.strip("|").split(" | ") for line in text.splitlines()]
        return [[cell.strip() for number, cell in enumerate(row) if number != timed] for row in rows]

    assert cells(table) == cells(expected)
    assert len(cells(table)) == 2 + sum(len(model.unseen_figures) for model in MODELS)


def test_further_figures_follow_from_the_predictions():
    rows = markdown(OTHERS, list(others())).splitlines()
    readme = (WEIGHTS / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(rows) > 7 and [line for line in readme if line in rows[2:]] == rows[2:]


def test_the_readme_states_what_it_costs_that_any_class_may_be_the_answer():
    readme = " ".join((PROJECT / "README.md").read_text(encoding="utf-8").split())
    (model,) = (one for one in MODELS if one.name == "whisper")
    for figure in model.unseen_figures:
        if figure.protocol == "joint" and figure.classes < len(model.labels):
            metrics, _ = current(folder_of(model, figure))
            assert f"{100 * metrics.ua_masked:.1f} instead of {figure.ua:.1f} ± {figure.ua_std:.1f}" in readme


def test_the_readme_states_the_calibration_error():
    readme = " ".join((PROJECT / "README.md").read_text(encoding="utf-8").split())
    off = {}
    for protocol in ("joint", "cross"):
        folders = [folder for folder in WEIGHTS.glob(f"whisper/evaluation/*-{protocol}-*") if "+" not in folder.name]
        errors = [100 * current(folder)[0].ece for folder in folders]
        off[protocol] = f"{min(errors):.0f} to {max(errors):.0f}"
    assert f"off by {off['joint']} points under `joint` and by {off['cross']} under `cross`" in readme


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
    assert (folder / "model.safetensors").stat().st_size < 40_000_000
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["training"]["commit"] != "unknown"
