"""Commands that train and measure."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from ser.cli.console import evaluation_progress, print_confusion, print_scores, progress, training_progress
from ser.cli.options import (
    ClipOption,
    CorpusOption,
    FilesOption,
    LabelsOption,
    MirrorOption,
    ModelOption,
    OutOption,
    RecipeOption,
    RootOption,
    UnlabelledOption,
    VotesOption,
)
from ser.cli.sources import clip_seconds_of, listing_of, load
from ser.core.errors import SettingsError


def train(
    recipe: RecipeOption = "cnn1d",
    corpus: CorpusOption = None,
    unlabelled: UnlabelledOption = None,
    files: FilesOption = None,
    root: RootOption = None,
    mirror: MirrorOption = None,
    labels: LabelsOption = None,
    clip_seconds: ClipOption = None,
    votes: VotesOption = False,
    seed: Annotated[int, typer.Option(help="Of weights, order, dropout.")] = 0,
    epochs: Annotated[int | None, typer.Option(help="Length of the schedule in epochs.", min=1)] = None,
    out: OutOption = None,
    shipped: Annotated[
        list[Path] | None,
        typer.Option(
            "--evaluation",
            help="Train on every clip for the median best epoch of this evaluation and take over its figures; "
            "give the headline's folder first, further ones after it.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="With --evaluation: a speaker to leave out, as corpus/speaker, such as crema-d/1013."),
    ] = None,
) -> None:
    """Trains a recipe and writes a checkpoint; killed and started again it goes on where it was.

    A fifth of the speakers is kept for the figure, a fifth of the rest for choosing the epoch. With --files it learns
    from your own recordings, alone or beside corpora.
    """
    from dataclasses import replace

    from ser.core.settings import load_settings
    from ser.models.recipe import get_recipe
    from ser.training.train import train_held_out, train_on_everything

    settings = load_settings()
    system = get_recipe(recipe)
    if epochs is not None:
        system = replace(system, training=replace(system.training, epochs=epochs))
    seconds = clip_seconds_of(system, clip_seconds)
    data = load(system, corpus, root, mirror, labels, seconds, files, unlabelled)
    folder = out or settings.runs / f"{recipe}-{data.name}-seed{seed}"
    if shipped:
        with training_progress(system.training.epochs) as on_epoch:
            train_on_everything(
                system,
                data,
                folder,
                shipped,
                clip_seconds=seconds,
                seed=seed,
                commit=_commit(),
                votes=votes,
                without=without or (),
                on_epoch=on_epoch,
            )
    else:
        with training_progress(system.training.epochs) as on_epoch:
            metrics = train_held_out(
                system, data, folder, clip_seconds=seconds, seed=seed, votes=votes, on_epoch=on_epoch
            )
        print_scores(metrics, metrics["figure"]["ua"], metrics["figure"]["wa"])
    typer.echo(f"checkpoint: {folder}", err=True)


def evaluate(
    context: typer.Context,
    recipe: RecipeOption = "cnn1d",
    corpus: CorpusOption = None,
    unlabelled: UnlabelledOption = None,
    protocol: Annotated[
        str, typer.Option(help="emobox, luna, statement, loso, groups, joint, cross or random.")
    ] = "emobox",
    seeds: Annotated[int, typer.Option(help="How many seeds.", min=1)] = 1,
    labels: LabelsOption = None,
    clip_seconds: ClipOption = None,
    votes: VotesOption = False,
    folds: Annotated[str | None, typer.Option(help="Only these folds, separated by commas; for a first look.")] = None,
    root: RootOption = None,
    mirror: MirrorOption = None,
    out: OutOption = None,
    looked: Annotated[
        bool, typer.Option("--i-have-looked", help="A person looked at a UA above 90 % on unseen speakers.")
    ] = False,
    files: Annotated[
        Path | None,
        typer.Option(help="Score a finished model on the recordings of this folder; --labels then names their CSV."),
    ] = None,
    model: ModelOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="With --files: go on where a killed run stopped.")] = False,
) -> None:
    """Measures a recipe by a protocol, or a finished model on your own recordings, and writes a report.

    A recipe is trained and tested on speakers it never heard:
    evaluate --recipe cnn1d --protocol emobox --seeds 3

    A finished model answers for a folder of recordings and a CSV with the columns path,emotion[,speaker]:
    evaluate --files FOLDER --labels labels.csv --model cnn1d
    """
    if files is not None:
        _refuse(context, ("files", "labels", "model", "out", "resume"), "has no meaning with --files")
        _score(files, listing_of(labels), model, out, resume)
        return
    _refuse(
        context, [name for name in context.params if name not in ("model", "resume")], "goes with --files FOLDER only"
    )
    from ser.core.settings import load_settings
    from ser.evaluation.report import write_report
    from ser.models.recipe import get_recipe
    from ser.training.cross_validate import Plan
    from ser.training.cross_validate import evaluate as run

    settings = load_settings()
    system = get_recipe(recipe)
    seconds = clip_seconds_of(system, clip_seconds)
    wanted = labels or ("shared" if protocol == "cross" else None)
    data = load(system, corpus, root, mirror, wanted, seconds, unlabelled=unlabelled)
    length = "whole" if seconds is None else f"{seconds:g}s"
    folder = out or settings.runs / f"{recipe}-{data.name}-{protocol}-{len(data.labels)}classes-{length}"
    plan = Plan(
        recipe=system,
        protocol=protocol,
        clip_seconds=seconds,
        seeds=seeds,
        votes=votes,
        folds=tuple(folds.split(",")) if folds else None,
    )
    with evaluation_progress() as (on_fold, on_epoch):
        metrics = run(plan, data, folder, command=_command_line(), looked=looked, on_fold=on_fold, on_epoch=on_epoch)
    print_scores(metrics, 100 * metrics["ua"], 100 * metrics["wa"])
    print_confusion(metrics["confusion"], data.labels)
    typer.echo(f"report: {write_report(folder, metrics)}", err=True)


def _refuse(context: typer.Context, allowed: Iterable[str], why: str) -> None:
    """Raises SettingsError for an option that was given and would be passed over."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if parameter.name not in allowed and source is not None and source.name == "COMMANDLINE":
            raise SettingsError(f"{parameter.opts[0]} {why}.")


def _score(folder: Path, listing: Path, model: str | None, out: Path | None, resume: bool) -> None:
    """Scores a finished model on people's own recordings."""
    import hashlib

    from ser.cli.console import print_classes
    from ser.core.resume_log import ResumeLog
    from ser.core.settings import load_settings
    from ser.data.manifest import read_listing
    from ser.evaluation.report import write_report
    from ser.evaluation.score_files import score_files, write_scores
    from ser.inference.predictor import load_predictor

    settings = load_settings()
    utterances = read_listing(folder, listing)
    predictor = load_predictor(model or settings.model, settings)
    target = out or settings.runs / f"{predictor.info.name}-on-{folder.resolve().name}"
    digest = hashlib.sha256(listing.read_bytes()).hexdigest()
    run = {"model": predictor.info.name, "folder": str(folder), "listing": digest}
    with ResumeLog(target, run, resume=resume) as log:
        with progress("scoring", "clips") as on_progress:
            scored = score_files(predictor, utterances, folder, log=log, on_progress=on_progress)
        metrics = write_scores(target, scored, predictor, folder=folder, listing=listing, command=_command_line())
        log.finish()
    for name, error in scored.failed:
        typer.echo(f"ser: {name}: {error}", err=True)
    print_classes(metrics)
    print_confusion(metrics["confusion"], metrics["labels"], metrics["answers"])
    for emotion, clips in scored.unknown.items():
        typer.echo(f"not scored: {clips} x {emotion}, which {predictor.info.name} has no class for", err=True)
    typer.echo(f"report: {write_report(target, metrics)}", err=True)
    if scored.failed:
        raise typer.Exit(1)


def _command_line() -> str:
    return " ".join(["python3 -m backend", *sys.argv[1:]])


def _commit() -> str:
    import subprocess

    from ser.core.settings import PROJECT

    try:
        asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return asked.stdout.strip()
