"""Defines the command ``score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser.cli.console import print_classes, print_confusion, progress
from ser.cli.options import Adapt, EmotionsOption, ModelOption, OutOption
from ser.cli.sources import command_line, model_of
from ser.core.errors import SettingsError


def score(
    files: Annotated[Path, typer.Option(help="Folder of recordings.", show_default=False)],
    labels: Annotated[
        Path,
        typer.Option(
            help="CSV that lists them, with the columns path, emotion and, if known, speaker.", show_default=False
        ),
    ],
    model: ModelOption = None,
    emotions: EmotionsOption = None,
    adapt: Annotated[
        Adapt,
        typer.Option(
            help="Adapt answers to all recordings of a speaker (column speaker), of a folder, or to nothing; labels "
            "are not used for it."
        ),
    ] = Adapt.none,
    out: OutOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an interrupted run with the same --out.")] = False,
) -> None:
    """Scores a finished model on your own recordings; with --emotions, on those of the chosen emotions.

    Example: score --files FOLDER --labels labels.csv --model cnn1d
    """
    from ser.core.identity import digest
    from ser.core.labels import choose_emotions
    from ser.core.resume_log import ResumeLog
    from ser.core.settings import load_settings
    from ser.data.manifest import read_manifest
    from ser.evaluation.report import write_report
    from ser.evaluation.score_files import score_files, write_scores
    from ser.inference.predictor import load_predictor

    settings = load_settings()
    utterances = read_manifest(files, labels)
    predictor = load_predictor(model_of(model, settings), settings)
    chosen = choose_emotions(emotions, predictor.info.labels)
    if adapt is not Adapt.none and not predictor.adapts:
        raise SettingsError(f"{predictor.info.name} cannot adapt to speakers; choose another model, such as whisper.")
    if adapt is Adapt.speaker and not any(utterance.speaker for utterance in utterances):
        raise SettingsError(f"--adapt speaker needs the column speaker in {labels}; or use --adapt folder.")
    mode = f"-among-{'-'.join(chosen)}" if chosen else ""
    mode += "" if adapt is Adapt.none else f"-adapted-to-{adapt.value}"
    target = out or settings.runs / f"{predictor.info.name}-on-{files.resolve().name}{mode}"
    run = {"model": predictor.info.name, "folder": files, "manifest": digest(labels.read_bytes()), "emotions": chosen}
    run |= {"adapt": adapt.value}
    with ResumeLog(target, run, resume=resume) as log:
        with progress("scoring", "clips") as on_progress:
            scored = score_files(
                predictor, utterances, files, emotions=chosen, adapt=adapt.value, log=log, on_progress=on_progress
            )
        metrics = write_scores(target, scored, predictor, folder=files, manifest=labels, command=command_line())
        log.finish()
    for name, error in scored.failed:
        typer.echo(f"ser: {name}: {error}", err=True)
    print_classes(metrics)
    print_confusion(metrics)
    for emotion, clips in scored.unknown.items():
        typer.echo(f"not scored: {clips} x {emotion}, which {predictor.info.name} does not predict", err=True)
    for emotion, clips in scored.not_chosen.items():
        typer.echo(f"not scored: {clips} x {emotion}, which is not among the chosen emotions", err=True)
    typer.echo(f"report: {write_report(target, metrics)}", err=True)
    if scored.failed:
        raise typer.Exit(1)
