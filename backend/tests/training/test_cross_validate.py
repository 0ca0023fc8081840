"""Cross-validation: folds, resuming, figures and the written files."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, recall_score

from ser.core.errors import ProtocolError, TrainingError
from ser.data.corpus import Utterance, get_corpus
from ser.data.dataset import Data
from ser.data.frame_tensors import FrameBank
from ser.evaluation.metrics_file import read_metrics
from ser.evaluation.out_of_fold import read_out_of_fold
from ser.evaluation.summary import refresh
from ser.models.checkpoint import load_checkpoint
from ser.models.recipe import get_recipe
from ser.training.batching import make_task
from ser.training.cross_validate import FoldDone, Plan, evaluate
from ser.training.served_calibration import fit_calibration, gather
from ser.training.train import train_held_out, train_on_everything

RECIPE = get_recipe("cnn1d_published")
QUICK = replace(RECIPE, training=replace(RECIPE.training, epochs=3, patience=3, averaging=0.5))
LABELS = ("angry", "happy", "sad")


@pytest.fixture(scope="module")
def data() -> Data:
    """24 actors with 6 clips each, whose frames reveal the class; one clip has no speech."""
    draw = np.random.default_rng(0)
    utterances, targets, entries = [], [], []
    for actor in range(1, 25):
        for clip in range(6):
            label = LABELS[clip % 3]
            path = Path(f"{actor:02d}-{clip}.wav")
            sex = "male" if actor % 2 else "female"
            utterances.append(
                Utterance(path=path, corpus="ravdess", speaker=f"{actor:02d}", native_label=label, sex=sex)
            )
            targets.append(label)
            wave = np.sin(np.arange(60)[:, None] * (0.2 + 0.5 * (clip % 3)) + np.arange(39))
            entries.append((wave + 2.0 * draw.standard_normal(wave.shape)).astype(np.float32))
    offsets = torch.arange(len(entries) + 1) * 60
    speech = torch.ones(len(entries), dtype=torch.bool)
    speech[0] = False
    bank = FrameBank(torch.from_numpy(np.concatenate(entries)), offsets, 1, speech)
    return Data((get_corpus("ravdess"),), utterances, targets, LABELS, bank)


def run(data: Data, folder: Path, protocol: str = "emobox", seeds: int = 1, **options) -> dict:
    plan = Plan(recipe=QUICK, protocol=protocol, clip_seconds=None, seeds=seeds)
    return evaluate(plan, data, folder, command="a test", looked=True, **options)


def test_figures_can_be_recomputed_by_hand_from_the_csv(data, tmp_path):
    utterance = replace(data.utterances[0], age=30, race="Asian")
    metrics = run(replace(data, utterances=[utterance, *data.utterances[1:]]), tmp_path, seeds=2)
    by_hand = []
    for seed in range(2):
        with (tmp_path / f"out_of_fold_seed{seed}.csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        truth, guess = [row["truth"] for row in rows], [row["predicted"] for row in rows]
        assert len(rows) == 144
        assert guess[truth.index("angry")] == "no_speech"
        recalls = recall_score(truth, guess, labels=LABELS, average=None)
        f1 = f1_score(truth, guess, labels=LABELS, average="macro")
        by_hand.append((recalls.mean(), accuracy_score(truth, guess), f1))
        assert [rows[0][name] for name in ("sex", "age", "race")] == ["male", "30", "Asian"]
    assert metrics.ua_by_seed == pytest.approx([ua for ua, _, _ in by_hand])
    assert (metrics.ua, metrics.wa, metrics.f1) == pytest.approx(tuple(np.mean(by_hand, axis=0)))
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["ua"] == metrics.ua


def test_a_killed_run_resumes_where_it_stopped(data, tmp_path):
    class Killed(Exception):
        pass

    def kill(fold: FoldDone) -> None:
        if fold.name == "3":
            raise Killed

    with pytest.raises(Killed):
        run(data, tmp_path / "killed", on_fold=kill)
    trained: list[int] = []
    resumed = run(data, tmp_path / "killed", on_epoch=lambda epoch: trained.append(epoch.number))
    assert len(trained) == 3 * 3
    assert resumed == run(data, tmp_path / "whole")


def test_a_recipe_without_epoch_selection_trains_on_all_other_speakers(data, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "ser.training.cross_validate.make_task", lambda *parts, **options: asked.append(parts) or make_task(*parts)
    )
    fixed = replace(QUICK, training=replace(QUICK.training, epochs=1, patience=None))
    plan = Plan(recipe=fixed, protocol="emobox", clip_seconds=None, seeds=1, folds=("1",))
    evaluate(plan, data, tmp_path, command="a test", looked=True)
    ((_, train, validation),) = asked
    speakers = {data.utterances[i].speaker for i in train}
    assert len(speakers) == 20 and validation == [] and not speakers & {"01", "11", "20", "21"}


def test_a_folder_of_another_run_is_refused(data, tmp_path):
    run(data, tmp_path, "random")
    with pytest.raises(ProtocolError, match="protocol"):
        run(data, tmp_path, "luna")


def test_an_implausibly_high_figure_stops_until_confirmed(data, tmp_path):
    frames = torch.zeros_like(data.bank.frames).view(len(data.targets), 60, 39)
    for n, target in enumerate(data.targets):
        frames[n, :, LABELS.index(target)] = 3.0
    bank = replace(data.bank, frames=frames.view(-1, 39), speech=torch.ones_like(data.bank.speech))
    easy = replace(data, bank=bank)
    recipe = replace(RECIPE, training=replace(RECIPE.training, epochs=12, patience=12, averaging=0.5))
    plan = Plan(recipe=recipe, protocol="emobox", clip_seconds=None, seeds=1)
    with pytest.raises(ProtocolError, match="too good to be true"):
        evaluate(plan, easy, tmp_path, command="a test")
    assert evaluate(plan, easy, tmp_path, command="a test", looked=True).ua > 0.9


def test_training_writes_a_checkpoint_metrics_and_plots(data, tmp_path):
    metrics = train_held_out(QUICK, data, tmp_path / "model", clip_seconds=None, seed=0, command="a test")
    for name in ("model.safetensors", "config.json", "metrics.json", "curves.png", "confusion.png"):
        assert (tmp_path / "model" / name).stat().st_size > 0
    info = load_checkpoint(tmp_path / "model").info
    assert info.figure.protocol == "held-out speakers" and info.figure.ua == metrics.figure.ua
    assert len(metrics.tested_on) == 4 and metrics.seed == 0 and len(metrics.epochs) >= metrics.best_epoch
    assert refresh(tmp_path / "model") == metrics == read_metrics(tmp_path / "model")
    assert metrics.temperature == info.calibration.temperature
    assert info.labels == LABELS and info.name == "model"


def test_the_shipped_model_carries_the_figures_of_its_evaluations(data, tmp_path):
    emobox, leaky = run(data, tmp_path / "e"), run(data, tmp_path / "r", "random")
    for name in "er":
        (tmp_path / name / "confusion.png").write_bytes(b"a picture")
    seen: list[int] = []
    info = train_on_everything(
        QUICK,
        data,
        tmp_path / "shipped",
        [tmp_path / "e", tmp_path / "r"],
        clip_seconds=None,
        seed=0,
        commit="abc",
        on_epoch=lambda epoch: seen.append(epoch.number),
    )
    assert len(seen) == emobox.median_best_epoch
    assert load_checkpoint(tmp_path / "shipped").info == info
    assert info.figure == emobox.figure and info.leaky_figure == leaky.figure
    assert info.training["clips"] == 143
    kept = tmp_path / "shipped" / "evaluation" / "ravdess-emobox-3classes"
    assert read_metrics(kept).ua == emobox.ua and read_metrics(kept) == refresh(kept), "with the calibration that ships"
    with pytest.raises(ProtocolError, match="headline"):
        train_on_everything(QUICK, data, tmp_path / "x", [tmp_path / "r"], clip_seconds=None, seed=0, commit="abc")
    with pytest.raises(ProtocolError, match="clip_seconds"):
        train_on_everything(QUICK, data, tmp_path / "x", [tmp_path / "e"], clip_seconds=1.0, seed=0, commit="abc")


@pytest.fixture(scope="module")
def both(data) -> Data:
    """The same clips as two corpora, of which the second has no sad ones."""
    sources = ("ravdess", "crema-d")
    utterances = [
        replace(one, corpus=sources[i % 12 >= 6], speaker=one.speaker if i % 12 < 6 else f"10{one.speaker}")
        for i, one in enumerate(data.utterances)
    ]
    kept = [i for i, one in enumerate(utterances) if one.corpus == "ravdess" or data.targets[i] != "sad"]
    entries = [data.bank.entry(i) for i in kept]
    bank = FrameBank(torch.cat(entries), torch.arange(len(kept) + 1) * 60, 1, data.bank.speech[kept])
    corpora = tuple(get_corpus(name) for name in sources)
    return Data(corpora, [utterances[i] for i in kept], [data.targets[i] for i in kept], LABELS, bank)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def likeliest(row: dict[str, str], labels: tuple[str, ...]) -> str:
    return max(labels, key=lambda label: float(row[f"logit_{label}"]))


def test_several_corpora_are_scored_as_served(both, tmp_path):
    metrics = run(both, tmp_path, "joint")
    assert metrics.corpus == "ravdess+crema-d" and metrics.clips == len(both.targets)
    parts = {name: read_metrics(tmp_path / name) for name in ("ravdess", "crema-d")}
    assert parts["ravdess"].labels == list(LABELS) and parts["crema-d"].labels == ["angry", "happy"]
    assert sum(part.clips for part in parts.values()) == len(both.targets)
    rows = rows_of(tmp_path / "crema-d" / "out_of_fold_seed0.csv")
    assert all(row["predicted"] == likeliest(row, LABELS) for row in rows)
    truth, labels = [row["truth"] for row in rows], ["angry", "happy"]
    by_hand = recall_score(truth, [row["predicted"] for row in rows], labels=labels, average="macro")
    assert parts["crema-d"].ua == pytest.approx(by_hand) and parts["crema-d"].answers == list(LABELS)
    masked = recall_score(truth, [likeliest(row, ("angry", "happy")) for row in rows], labels=labels, average="macro")
    assert parts["crema-d"].ua_masked == pytest.approx(masked) and parts["ravdess"].ua_masked is None
    assert refresh(tmp_path / "crema-d") == parts["crema-d"]
    info = train_on_everything(QUICK, both, tmp_path / "shipped", [tmp_path], clip_seconds=None, seed=0, commit="abc")
    assert info.figures == (parts["ravdess"].figure, parts["crema-d"].figure)
    assert info.calibration == fit_calibration(gather([read_out_of_fold(tmp_path / "out_of_fold_seed0.csv")]), None)
    folders = {file.name for file in (tmp_path / "shipped" / "evaluation").iterdir()}
    assert folders == {"ravdess-joint-3classes", "crema-d-joint-2classes", "ravdess+crema-d-joint-3classes"}


def test_a_class_that_no_other_corpus_has_is_never_predicted(both, tmp_path):
    metrics = run(both, tmp_path, "cross")
    parts = {name: read_metrics(tmp_path / name) for name in ("ravdess", "crema-d")}
    rows = rows_of(tmp_path / "ravdess" / "out_of_fold_seed0.csv")
    assert {row["logit_sad"] for row in rows} == {"-inf"} and "sad" in {row["truth"] for row in rows}
    assert all(row["predicted"] in ("no_speech", likeliest(row, LABELS)) for row in rows)
    assert parts["ravdess"].untrained == ["sad"] and parts["ravdess"].recalls["sad"] == 0.0
    assert parts["crema-d"].untrained == [] and metrics.untrained == ["sad"]
    shared = [row for row in rows if row["truth"] != "sad"]
    answers = [row["predicted"] for row in shared]  # sad was not among the answers
    by_hand = recall_score([row["truth"] for row in shared], answers, labels=["angry", "happy"], average="macro")
    assert parts["ravdess"].shared_labels == ["angry", "happy"]
    assert parts["ravdess"].ua_shared == pytest.approx(by_hand) == parts["ravdess"].ua * 3 / 2
    assert refresh(tmp_path / "ravdess") == parts["ravdess"]


def test_the_protocols_of_known_corpora_need_every_class(both, tmp_path):
    without = [i for i, target in enumerate(both.targets) if target != "sad"]
    bank = FrameBank(
        torch.cat([both.bank.entry(i) for i in without]),
        torch.arange(len(without) + 1) * 60,
        1,
        both.bank.speech[without],
    )
    data = replace(
        both, utterances=[both.utterances[i] for i in without], targets=[both.targets[i] for i in without], bank=bank
    )
    with pytest.raises(TrainingError, match="No training clip for 1 of 3 classes"):
        run(data, tmp_path, "joint")


def test_linear_layers_on_an_encoder_are_trained_without_epochs(data, toy_encoder, tmp_path):
    frames = torch.cat([data.bank.frames, data.bank.frames, data.bank.frames[:, :2]], dim=1)  # 80 bands
    changed = replace(data, bank=replace(data.bank, frames=frames, memory={}))
    metrics = train_held_out(toy_encoder, changed, tmp_path / "model", clip_seconds=None, seed=0, command="a test")
    assert metrics.best_epoch == 0 and metrics.epochs == [] and metrics.figure.ua > 50
    assert not (tmp_path / "model" / "curves.png").exists()
    assert load_checkpoint(tmp_path / "model").info.labels == LABELS


def test_linear_layers_never_predict_a_class_that_no_other_corpus_has(both, toy_encoder, tmp_path):
    frames = torch.cat([both.bank.frames, both.bank.frames, both.bank.frames[:, :2]], dim=1)  # 80 bands
    changed = replace(both, bank=replace(both.bank, frames=frames, memory={}))
    plan = Plan(recipe=toy_encoder, protocol="cross", clip_seconds=None, seeds=1)
    evaluate(plan, changed, tmp_path, command="a test", looked=True)
    part = read_metrics(tmp_path / "ravdess")
    assert part.untrained == ["sad"] and part.confusion[0][2] == 0 and 0 < part.ua <= 2 / 3
