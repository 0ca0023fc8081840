"""Cross-validates a recipe by a protocol and writes the out-of-fold predictions and the metrics.

Every finished fold is on disk before the next one starts, so that an interrupted run resumes. The out-of-fold CSV has
one row per clip with its true label and the logits of all classes, from which every figure can be recomputed. The
prediction for a clip is the one that a user gets: the likeliest of all classes that its fold was trained on.
"""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ser.core.atomic_write import write_text
from ser.core.errors import ProtocolError
from ser.core.identity import as_json, identity
from ser.core.labels import EMOTIONS, canonical_order, relabel
from ser.data.dataset import Data
from ser.data.splits import Fold, get_protocol, make_folds, speaker_of
from ser.evaluation.metrics import NO_SPEECH, score
from ser.evaluation.metrics_file import Metrics, write_metrics
from ser.evaluation.out_of_fold import DISTANCE, LOGIT, THRESHOLD, OutOfFold, read_out_of_fold, write_rows
from ser.evaluation.summary import RUN_FILE, served_temperatures, served_thresholds, summarise
from ser.models.network import NetworkOutput
from ser.models.recipe import Recipe
from ser.training.batching import make_task
from ser.training.initialisation import known_statistics
from ser.training.loop import Epoch, fit, predict

RUN_VERSION = 2  # of the content of RUN_FILE
TOO_GOOD = 0.90  # a UA above this on unseen speakers is taken for a leak until a person has checked it


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that decides the outcome of an evaluation.

    Attributes:
        recipe: what to train.
        protocol: name of the protocol.
        clip_seconds: see ``Recipe.clip_seconds``.
        seeds: how many seeds, from 0 on.
        votes: whether listeners' votes are the targets of clips that have them.
        folds: names of the folds to run; None runs all.
    """

    recipe: Recipe
    protocol: str
    clip_seconds: float | None
    seeds: int
    votes: bool = False
    folds: tuple[str, ...] | None = None


@dataclass(frozen=True)
class FoldDone:
    """A finished fold, for progress display.

    Attributes:
        seed: of the run.
        name: of the fold.
        best_epoch: the selected epoch.
        ua: share of 1 over the fold's test clips.
        clips: in the fold's test.
        seconds: duration in s; None where it was finished in an earlier run.
        total: folds of all seeds.
    """

    seed: int
    name: str
    best_epoch: int
    ua: float
    clips: int
    seconds: float | None
    total: int


def evaluate(
    plan: Plan,
    data: Data,
    folder: Path,
    *,
    command: str,
    looked: bool = False,
    on_fold: Callable[[FoldDone], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Metrics:
    """Runs every fold of every seed and writes ``metrics.json`` and ``out_of_fold_seed<N>.csv`` into ``folder``.

    Args:
        plan: what to run.
        data: the clips.
        folder: where to write; finished folds in it are not run again.
        command: the command line, for the record.
        looked: a person has checked a UA above 90 % on unseen speakers.
        on_fold: called after each fold.
        on_epoch: called after each epoch.

    Raises:
        ProtocolError: training and test share speakers, the folder is of another run, or the UA is too good to be true.
    """
    _claim(folder, plan, data)
    runs = []
    for seed in range(plan.seeds):
        rows = []
        folds = _chosen(plan, make_folds(plan.protocol, data.utterances, seed))
        for fold in folds:
            began = None if _fold_file(folder, seed, fold).exists() else time.monotonic()
            done = _fold_rows(plan, data, folder, fold, seed, on_epoch)
            rows += done
            if on_fold:
                seconds = None if began is None else time.monotonic() - began
                on_fold(_summary(done, seed, fold, seconds, plan.seeds * len(folds)))
        runs.append(rows)
    shared = shared_labels(data) if get_protocol(plan.protocol).foreign else ()
    metrics = _summarised(folder, plan, data.name, data.labels, runs, shared, command)
    if len(data.corpora) > 1:
        _part_by_corpus(folder, plan, runs, data.labels, shared, command)
    if get_protocol(plan.protocol).speaker_independent and metrics.ua > TOO_GOOD and not looked:
        raise ProtocolError(
            f"UA {100 * metrics.ua:.1f} % on unseen speakers is too good to be true. Check for leaked test data, "
            "then run again with --i-have-looked."
        )
    write_metrics(folder, metrics)
    return metrics


def shared_labels(data: Data) -> tuple[str, ...]:
    """Returns the labels that all corpora have, calm counting as neutral."""
    wide = tuple(emotion for emotion in EMOTIONS if emotion != "calm")
    found: dict[str, set[str]] = {}
    for utterance, target in zip(data.utterances, data.targets, strict=True):
        found.setdefault(utterance.corpus, set()).add(relabel(target, wide))
    return canonical_order(tuple(set.intersection(*found.values())))


def _summarised(
    folder: Path,
    plan: Plan,
    corpus: str,
    labels: Sequence[str],
    runs: Sequence[Sequence[dict]],
    shared: Sequence[str],
    command: str,
) -> Metrics:
    """Writes the predictions of every seed and returns their metrics, on those of the labels that occur."""
    files = [folder / f"out_of_fold_seed{seed}.csv" for seed in range(len(runs))]
    for file, rows in zip(files, runs, strict=True):
        write_rows(file, rows)
    occurring = {row["truth"] for rows in runs for row in rows}
    present = [label for label in labels if label in occurring]
    metrics = summarise(corpus, plan.protocol, present, [read_out_of_fold(file) for file in files], shared)
    return replace(metrics, recipe=plan.recipe.name, clip_seconds=plan.clip_seconds, command=command)


def _part_by_corpus(
    folder: Path,
    plan: Plan,
    runs: Sequence[Sequence[dict]],
    labels: Sequence[str],
    shared: Sequence[str],
    command: str,
) -> None:
    """Writes a folder for every corpus, as one figure over all corpora would mean little.

    Temperatures and thresholds are those of all corpora together, as one model has only one of each.
    """
    pooled = [read_out_of_fold(folder / f"out_of_fold_seed{seed}.csv") for seed in range(len(runs))]
    calibrated = [calibrated_rows(plan.protocol, *pair) for pair in zip(runs, pooled, strict=True)]
    for corpus in sorted({row["corpus"] for row in runs[0]}):
        own = [[row for row in rows if row["corpus"] == corpus] for rows in calibrated]
        (folder / corpus).mkdir(exist_ok=True)
        write_metrics(folder / corpus, _summarised(folder / corpus, plan, corpus, labels, own, shared, command))
        shutil.copyfile(folder / RUN_FILE, folder / corpus / RUN_FILE)


def calibrated_rows(protocol: str, rows: Sequence[Mapping[str, str]], run: OutOfFold) -> list[dict[str, str]]:
    """Returns the rows of a seed with the temperature and the thresholds of each clip."""
    columns = {"temperature": served_temperatures(protocol, run)}
    columns |= {f"{THRESHOLD}{percent}": one for percent, one in served_thresholds(protocol, run).items()}
    return [{**row, **{name: f"{one[clip]:.4f}" for name, one in columns.items()}} for clip, row in enumerate(rows)]


def _chosen(plan: Plan, folds: list[Fold]) -> list[Fold]:
    names = [fold.name for fold in folds]
    if unknown := [name for name in plan.folds or () if name not in names]:
        raise ProtocolError(f"{plan.protocol} has no fold {', '.join(unknown)}; available: {', '.join(names)}.")
    return [fold for fold in folds if plan.folds is None or fold.name in plan.folds]


def _fold_rows(
    plan: Plan,
    data: Data,
    folder: Path,
    fold: Fold,
    seed: int,
    on_epoch: Callable[[Epoch], None] | None,
) -> list[dict[str, str]]:
    """Trains and tests one fold, or reads it if it is finished."""
    file = _fold_file(folder, seed, fold)
    if not file.exists():
        write_rows(file, _run_fold(plan, data, fold, seed, on_epoch))
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _fold_file(folder: Path, seed: int, fold: Fold) -> Path:
    return folder / "folds" / f"seed{seed}-{fold.name}.csv"


def _run_fold(
    plan: Plan,
    data: Data,
    fold: Fold,
    seed: int,
    on_epoch: Callable[[Epoch], None] | None,
) -> list[dict[str, str]]:
    chooses = plan.recipe.training.patience is not None
    train, validation = (fold.train, fold.validation) if chooses else (sorted(fold.train + fold.validation), [])
    task = make_task(data, train, validation, votes=plan.votes)
    trained = fit(
        plan.recipe,
        task,
        settings=plan.recipe.training,
        seed=seed,
        every_class=not get_protocol(plan.protocol).foreign,
        on_epoch=on_epoch,
    )
    network = plan.recipe.network(len(data.labels))
    network.load_state_dict(trained.weights)
    output = predict(network, data.bank, fold.test, known_statistics(plan.recipe, data.bank))
    return prediction_rows(data, fold, output, task.trained, best_epoch=trained.best_epoch)


def prediction_rows(
    data: Data, fold: Fold, output: NetworkOutput, trained: torch.Tensor, *, best_epoch: int
) -> list[dict[str, str]]:
    """Returns a row of the CSV for each test clip of a fold.

    Args:
        data: the clips.
        fold: whose test clips were predicted.
        output: of the network for the test clips.
        trained: bool (classes,), the classes that the network was trained on; it never predicts another one.
        best_epoch: whose weights were used.
    """
    logits = output.logits.masked_fill(~trained, -torch.inf)
    speech = data.bank.speech[fold.test] & output.is_speech
    missing = [None] * len(fold.test)
    intensities = missing if output.intensity is None else output.intensity.tolist()
    distances = missing if output.distance is None else output.distance.tolist()
    rows = []
    columns = (fold.test, logits.argmax(dim=1).tolist(), speech.tolist(), logits.tolist(), intensities, distances)
    for i, best, spoken, row, strength, distance in zip(*columns, strict=True):
        utterance = data.utterances[i]
        told = {} if strength is None else {"intensity": utterance.intensity or "", "strength": f"{strength:.4f}"}
        told |= {} if distance is None else {DISTANCE: f"{distance:.4f}"}
        rows.append(
            {
                "file": utterance.path.name,
                "corpus": utterance.corpus,
                "speaker": speaker_of(utterance),
                "sex": utterance.sex or "",
                "age": str(utterance.age or ""),
                "race": utterance.race or "",
                "fold": fold.name,
                "best_epoch": str(best_epoch),
                "truth": data.targets[i],
                "predicted": data.labels[best] if spoken else NO_SPEECH,
                **told,
                **{f"{LOGIT}{name}": f"{value:.4f}" for name, value in zip(data.labels, row, strict=True)},
            }
        )
    return rows


def _claim(folder: Path, plan: Plan, data: Data) -> None:
    """Writes the description of a run into its folder, or refuses the folder of another run."""
    content = {
        "version": RUN_VERSION,
        "recipe": plan.recipe.name,
        "training": as_json(plan.recipe.training),
        "corpus": data.name,
        "protocol": plan.protocol,
        "labels": list(data.labels),
        "clip_seconds": plan.clip_seconds,
        "votes": plan.votes,
        "frames": identity("frames of clips", RUN_VERSION, {"frames": data.bank.frames.numpy()}),
        "unlabelled": [one.corpus.name for one in data.unlabelled],
    }
    record = content | {"identity": identity("evaluation", RUN_VERSION, content)}
    file = folder / RUN_FILE
    if file.exists() and (found := json.loads(file.read_text(encoding="utf-8"))).get("identity") != record["identity"]:
        differing = ", ".join(key for key in content if found.get(key) != content[key])
        raise ProtocolError(
            f"{folder} contains another run ({differing} differ); name another folder with --out or delete it."
        )
    write_text(file, json.dumps(record, indent=2) + "\n")


def _summary(rows: list[dict[str, str]], seed: int, fold: Fold, seconds: float | None, total: int) -> FoldDone:
    truth = [row["truth"] for row in rows]
    ua = score(truth, [row["predicted"] for row in rows], sorted(set(truth))).ua
    return FoldDone(seed, fold.name, int(rows[0]["best_epoch"]), ua, len(rows), seconds, total)
