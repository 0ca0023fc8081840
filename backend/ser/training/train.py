"""Trains on labelled clips, evaluates on held-out speakers, and writes the checkpoint.

``train_held_out`` holds out speakers for validation and test; ``train_on_everything`` makes the weights that ship,
trained for the median best epoch of an evaluation, from which it copies figures and temperature.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax

from ser.core.errors import ProtocolError
from ser.core.identity import as_json
from ser.data.dataset import Data
from ser.data.splits import check_speakers, held_out_protocol, speaker_of, speakers_known
from ser.evaluation.metrics_file import METRICS_FILE, Metrics, read_metrics, write_metrics
from ser.evaluation.out_of_fold import THRESHOLD, UNSURE, read_out_of_fold, write_rows
from ser.evaluation.plots import draw_confusion, draw_curves
from ser.evaluation.summary import PREDICTIONS_FILE, RUN_FILE, summarise_held_out
from ser.models.calibration import COVERAGES, UNSURE_BELOW, Calibration, fit_by_size, fit_temperature, set_threshold
from ser.models.checkpoint import Figure, ModelInfo, save_checkpoint
from ser.models.recipe import Recipe
from ser.training.batching import make_task
from ser.training.cross_validate import prediction_rows
from ser.training.initialisation import known_statistics
from ser.training.loop import Epoch, Trained, fit, predict
from ser.training.served_calibration import calibrate_evaluations

HOLD_OUT_SEED = 0  # the same speakers are held out whatever the training's own seed


def train_held_out(
    recipe: Recipe,
    data: Data,
    folder: Path,
    *,
    clip_seconds: float | None,
    seed: int,
    command: str,
    votes: bool = False,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Metrics:
    """Trains with a fifth of the speakers held out for the test and a fifth of the rest for validation.

    Where speakers are unknown, clips are held out instead and the metrics are marked as possibly leaky.

    Writes the checkpoint, ``predictions.csv`` of the test clips and the ``metrics.json`` computed from it,
    ``curves.png`` and ``confusion.png`` into ``folder``, curves for TensorBoard into ``folder/tensorboard``, and the
    state after every epoch into ``folder/state``: the same call after an interruption resumes from it and ends
    with the same bytes.

    Args:
        recipe: what to train.
        data: what to train on.
        folder: where to write; its name is the model's name.
        clip_seconds: see ``Recipe.clip_seconds``.
        seed: of the weights, the order of the clips and dropout.
        command: the command line, for the record.
        votes: whether listeners' votes are the targets of clips that have them.
        on_epoch: called after each epoch.

    Raises:
        ProtocolError: there are too few speakers to hold some out.
        TrainingError: a class has no training clip, or ``folder`` contains another training.
    """
    protocol = held_out_protocol(data.utterances)
    (fold,) = protocol.folds(data.utterances, HOLD_OUT_SEED)
    if protocol.speaker_independent:
        check_speakers(fold, data.utterances)
    task = make_task(data, fold.train, fold.validation, votes=votes)
    state = folder / "state" / "training"
    with _tensorboard(folder / "tensorboard", on_epoch) as watch:
        trained = fit(recipe, task, settings=recipe.training, seed=seed, state=state, on_epoch=watch)
    network = recipe.network(len(data.labels))
    network.load_state_dict(trained.weights)
    statistics = known_statistics(recipe, data.bank)
    validated = predict(network, data.bank, task.validation, statistics).logits
    calibration = _fitted(validated.numpy(), task.targets[list(task.validation)].numpy())
    tested = predict(network, data.bank, fold.test, statistics)
    rows = prediction_rows(data, fold, tested, task.trained, best_epoch=trained.best_epoch)
    write_rows(folder / PREDICTIONS_FILE, [row | _served_with(data, calibration) for row in rows])
    predictions = read_out_of_fold(folder / PREDICTIONS_FILE)
    metrics = replace(
        summarise_held_out(data.name, protocol.name, data.labels, predictions),
        recipe=recipe.name,
        clip_seconds=clip_seconds,
        command=command,
        seed=seed,
        best_epoch=trained.best_epoch,
        epochs=[asdict(epoch) for epoch in trained.history],
        tested_on=sorted(set(predictions.speakers if protocol.speaker_independent else predictions.files)),
    )
    info = describe(recipe, data, clip_seconds, folder.name, (metrics.figure,), calibration, _log(trained, seed))
    save_checkpoint(folder, info, trained.weights)
    write_metrics(folder, metrics)
    _draw(folder, f"{data.title}, {protocol.name}: UA {100 * metrics.ua:.1f} %", trained, metrics)
    return metrics


def train_on_everything(
    recipe: Recipe,
    data: Data,
    folder: Path,
    evaluations: Sequence[Path],
    *,
    clip_seconds: float | None,
    seed: int,
    commit: str,
    votes: bool = False,
    without: Sequence[str] = (),
    on_epoch: Callable[[Epoch], None] | None = None,
) -> ModelInfo:
    """Trains on every clip and writes the checkpoint that ships; its figures are those of its evaluations.

    Args:
        recipe: what to train.
        data: what to train on.
        folder: where the checkpoint goes; its name is the model's name.
        evaluations: folders that ``evaluate`` wrote. The first one is the headline: its median best epoch and its
            labels are used. All are copied into ``folder/evaluation``; one of several corpora gives a figure for
            each.
        clip_seconds: see ``Recipe.clip_seconds``.
        seed: of the training.
        commit: version of the code.
        votes: whether listeners' votes are the targets of clips that have them.
        without: speakers to leave out, as ``corpus/speaker``: those of clips that ship as samples.
        on_epoch: called after each epoch.

    Raises:
        ProtocolError: a speaker to leave out does not exist, an evaluation is of another recipe or clip length, or the
            headline has other labels or is not on unseen speakers.
    """
    every = [_evaluation(path, recipe, clip_seconds, votes) for path in evaluations]
    headline = every[0]
    if tuple(headline.answers) != data.labels or not headline.speaker_independent:
        raise ProtocolError(
            f"{evaluations[0]} cannot be the headline: it has other labels, or is not on unseen speakers."
        )
    task = make_task(data, _except(data, without), [], votes=votes)
    epochs = headline.median_best_epoch
    began = time.monotonic()
    trained = fit(recipe, task, settings=recipe.training, seed=seed, stop_after=epochs, on_epoch=on_epoch)
    log = _log(trained, seed) | {
        "seconds": round(time.monotonic() - began),
        "commit": commit,
        "clips": len(task.train),
        "without": sorted(without),
    }
    kept = folder / "evaluation"
    measured = [one for folder, metrics in zip(evaluations, every, strict=True) for one in _by_corpus(folder, metrics)]
    for source, metrics in dict([*measured, *zip(evaluations, every, strict=True)]).items():
        _keep(source, kept / metrics.figure.folder)
    calibration = calibrate_evaluations(kept)
    figures = [read_metrics(kept / metrics.figure.folder).figure for _, metrics in measured]
    info = describe(recipe, data, clip_seconds, folder.name, figures, calibration, log)
    save_checkpoint(folder, info, _halved(recipe.network(len(data.labels)), trained.weights))
    return info


@contextmanager
def _tensorboard(folder: Path, on_epoch: Callable[[Epoch], None] | None) -> Iterator[Callable[[Epoch], None]]:
    """Yields an ``on_epoch`` that also writes curves for ``tensorboard --logdir``."""
    from torch.utils.tensorboard import SummaryWriter  # slow to import

    with SummaryWriter(str(folder)) as writer:

        def watch(epoch: Epoch) -> None:
            for name in ("loss", "validation_loss", "validation_ua", "learning_rate"):
                if (value := getattr(epoch, name)) is not None:
                    writer.add_scalar(name, value, epoch.number)
            writer.flush()
            if on_epoch:
                on_epoch(epoch)

        yield watch


def _evaluation(folder: Path, recipe: Recipe, clip_seconds: float | None, votes: bool) -> Metrics:
    """Reads an evaluation's metrics and refuses one with other settings."""
    run = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    asked = {"recipe": recipe.name, "training": as_json(recipe.training), "clip_seconds": clip_seconds, "votes": votes}
    if differing := [key for key in asked if run[key] != asked[key]]:
        raise ProtocolError(f"{folder} evaluates another system: {', '.join(differing)} differ.")
    return read_metrics(folder)


def _by_corpus(folder: Path, metrics: Metrics) -> list[tuple[Path, Metrics]]:
    """Folder and metrics of an evaluation, corpus by corpus where it has several."""
    corpora = metrics.corpus.split("+")
    if len(corpora) == 1:
        return [(folder, metrics)]
    return [(folder / corpus, read_metrics(folder / corpus)) for corpus in corpora]


def _keep(source: Path, target: Path) -> None:
    """Copies the files that are needed to recompute a figure."""
    target.mkdir(parents=True, exist_ok=True)
    for file in [*source.glob("out_of_fold_seed*.csv"), source / METRICS_FILE, *source.glob("confusion.png")]:
        shutil.copyfile(file, target / file.name)


def _halved(network: torch.nn.Module, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Converts parameters to float16, half the size; buffers stay float32, as some values are very small."""
    learnt = {name for name, _ in network.named_parameters()}
    return {name: value.half() if name in learnt else value for name, value in weights.items()}


def _except(data: Data, without: Sequence[str]) -> list[int]:
    speakers = [speaker_of(utterance) for utterance in data.utterances]
    if missing := sorted(set(without) - set(speakers)):
        raise ProtocolError(f"No clip is of {', '.join(missing)}; write corpus/speaker, such as {speakers[0]}.")
    return [i for i, speaker in enumerate(speakers) if speaker not in without]


def describe(
    recipe: Recipe,
    data: Data,
    clip_seconds: float | None,
    name: str,
    figures: Sequence[Figure],
    calibration: Calibration,
    training: dict,
) -> ModelInfo:
    """Returns the metadata of a checkpoint."""
    network = recipe.network(len(data.labels))
    return ModelInfo(
        name=name,
        title=recipe.title,
        summary=recipe.summary,
        recipe=recipe.name,
        labels=data.labels,
        sample_rate=recipe.sample_rate,
        clip_seconds=clip_seconds,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        corpora=tuple(corpus.name for corpus in data.corpora),
        licence=data.licence,
        calibration=calibration,
        figures=tuple(figures),
        training=training,
    )


def _fitted(logits: np.ndarray, targets: np.ndarray) -> Calibration:
    """Calibrates on clips that were not trained on."""
    temperature = fit_temperature(logits, targets)
    right = softmax(logits / temperature, axis=1)[np.arange(len(targets)), targets]
    thresholds = {str(percent): set_threshold(right, percent / 100) for percent in COVERAGES}
    calibration = _calibration(temperature, thresholds)
    return replace(calibration, by_size=fit_by_size(logits, targets, calibration))


def _calibration(temperature: float, thresholds: Mapping[str, float]) -> Calibration:
    return Calibration(temperature=round(temperature, 4), unsure_below=UNSURE_BELOW, set_thresholds=dict(thresholds))


def _served_with(data: Data, calibration: Calibration) -> dict[str, str]:
    """Columns of every test clip: the temperature and the thresholds of the model, see ``read_out_of_fold``."""
    own = {"temperature": str(calibration.temperature), UNSURE: str(calibration.unsure_below)}
    own |= {f"{THRESHOLD}{percent}": str(value) for percent, value in calibration.set_thresholds.items()}
    if not speakers_known(data.utterances):  # even known speakers may be in unlabelled clips
        own["speaker"] = f"{data.name}/"
    return own


def _log(trained: Trained, seed: int) -> dict:
    seconds = sum(epoch.seconds for epoch in trained.history)
    return {"seed": seed, "epochs": trained.best_epoch, "seconds": round(seconds)}


def _draw(folder: Path, title: str, trained: Trained, metrics: Metrics) -> None:
    if trained.history:  # heads on a frozen encoder are fitted without epochs
        draw_curves(
            folder / "curves.png",
            [epoch.loss for epoch in trained.history],
            [epoch.validation_ua for epoch in trained.history],
            trained.best_epoch,
        )
    draw_confusion(folder / "confusion.png", metrics.confusion, metrics.labels, title, metrics.answers)
