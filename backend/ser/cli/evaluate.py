"""Defines the command ``evaluate``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ser.cli.console import evaluation_progress, print_confusion, print_scores
from ser.cli.options import (
    ClipOption,
    CorpusOption,
    LabelsOption,
    MirrorOption,
    OutOption,
    RecipeOption,
    RootOption,
    UnlabelledOption,
    VotesOption,
)
from ser.cli.sources import clip_seconds_of, command_line, load
from ser.core.errors import SettingsError


def evaluate(
    recipe: RecipeOption = "cnn1d",
    corpus: CorpusOption = None,
    unlabelled: UnlabelledOption = None,
    protocol: Annotated[
        str, typer.Option(help="Protocol: emobox, luna, statement, loso, groups, joint, cross or random.")
    ] = "emobox",
    seeds: Annotated[int, typer.Option(help="Number of seeds.", min=1)] = 1,
    labels: LabelsOption = None,
    clip_seconds: ClipOption = None,
    votes: VotesOption = False,
    folds: Annotated[str | None, typer.Option(help="Run only these folds, separated by commas.")] = None,
    root: RootOption = None,
    mirror: MirrorOption = None,
    out: OutOption = None,
    looked: Annotated[
        bool,
        typer.Option(
            "--i-have-looked", help="Accept a UA above 90 % on unseen speakers, once a person has checked it."
        ),
    ] = False,
    files: Annotated[Path | None, typer.Option(hidden=True)] = None,
    model: Annotated[str | None, typer.Option(hidden=True)] = None,
    resume: Annotated[bool, typer.Option("--resume", hidden=True)] = False,
) -> None:
    """Evaluates a recipe under a protocol and writes a report.

    Example: evaluate --recipe cnn1d --protocol emobox --seeds 3

    To score a finished model on your own recordings, use 'score'.
    """
    if files is not None or model is not None or resume:
        raise SettingsError(
            "'evaluate' evaluates a recipe; 'score' scores a finished model on your own recordings. Type: "
            f"{_score_command(files, labels, model, out, resume)}"
        )
    from ser.core.settings import load_settings
    from ser.evaluation.report import write_report
    from ser.models.recipe import get_recipe
    from ser.training.cross_validate import Plan
    from ser.training.cross_validate import evaluate as run

    settings = load_settings()
    system = get_recipe(recipe)
    seconds = clip_seconds_of(system, clip_seconds)
    data = load(system, corpus, root, mirror, labels, seconds, unlabelled=unlabelled)
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
        metrics = run(plan, data, folder, command=command_line(), looked=looked, on_fold=on_fold, on_epoch=on_epoch)
    print_scores(metrics)
    print_confusion(metrics)
    typer.echo(f"report: {write_report(folder, metrics)}", err=True)


def _score_command(files: Path | None, labels: str | None, model: str | None, out: Path | None, resume: bool) -> str:
    """Returns the ``score`` command that replaces the former ``evaluate --files``."""
    words = ["python3", "-m", "backend", "score", "--files", str(files or "FOLDER"), "--labels", labels or "labels.csv"]
    words += ["--model", model] if model else []
    words += ["--out", str(out)] if out else []
    return shlex.join(words + ["--resume"] * resume)
