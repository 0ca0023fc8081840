"""Defines the command ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser.cli.console import print_scores, training_progress
from ser.cli.options import (
    ClipOption,
    CorpusOption,
    FilesOption,
    MirrorOption,
    OutOption,
    RecipeOption,
    RootOption,
    TrainingLabelsOption,
    UnlabelledOption,
    VotesOption,
)
from ser.cli.sources import clip_seconds_of, command_line, load


def train(
    recipe: RecipeOption = "cnn1d",
    corpus: CorpusOption = None,
    unlabelled: UnlabelledOption = None,
    files: FilesOption = None,
    root: RootOption = None,
    mirror: MirrorOption = None,
    labels: TrainingLabelsOption = None,
    clip_seconds: ClipOption = None,
    votes: VotesOption = False,
    seed: Annotated[int, typer.Option(help="Random seed of the weights, the order of the clips and dropout.")] = 0,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Length of the schedule in epochs; does not apply to whisper, whose encoder is frozen.", min=1
        ),
    ] = None,
    out: OutOption = None,
    shipped: Annotated[
        list[Path] | None,
        typer.Option(
            "--evaluation",
            help="Train on every clip for the median best epoch of this evaluation and copy its figures; repeatable, "
            "the headline first.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="With --evaluation: a speaker to leave out, as corpus/speaker, such as crema-d/1013."),
    ] = None,
) -> None:
    """Trains a recipe and writes a checkpoint; resumes if interrupted.

    A fifth of the speakers is held out for the test, a fifth of the rest for validation. With --files it trains on your
    own recordings, alone or together with corpora.
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
                system,
                data,
                folder,
                clip_seconds=seconds,
                seed=seed,
                command=command_line(),
                votes=votes,
                on_epoch=on_epoch,
            )
        print_scores(metrics)
    typer.echo(f"checkpoint: {folder}", err=True)


def _commit() -> str:
    import subprocess

    from ser.core.settings import PROJECT

    try:
        asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return asked.stdout.strip()
