"""Defines the commands ``report``, ``compare`` and ``corpus``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser.cli.console import progress
from ser.cli.options import MirrorOption, OutOption, RootOption
from ser.cli.sources import fetched


def report(
    folders: Annotated[
        list[Path], typer.Argument(help="Output folders of finished runs of 'train', 'evaluate' or 'score'.")
    ],
) -> None:
    """Rewrites the reports of finished evaluations."""
    from ser.evaluation.report import write_report
    from ser.evaluation.summary import refresh

    for folder in folders:
        typer.echo(write_report(folder, refresh(folder)))


def compare(
    one: Annotated[Path, typer.Argument(metavar="A", help="Output folder of 'train', 'evaluate' or 'score'.")],
    other: Annotated[Path, typer.Argument(metavar="B", help="Output folder of another run on the same clips.")],
    out: OutOption = None,
) -> None:
    """Compares two evaluations on the same clips."""
    from ser.cli.console import print_comparison
    from ser.core.settings import load_settings
    from ser.evaluation.compare import FIGURES, write_comparison
    from ser.evaluation.compare import compare as run

    found = run(one, other)
    folder = out or load_settings().runs / f"compare-{one.resolve().name}-{other.resolve().name}"
    print_comparison(found, FIGURES)
    typer.echo(f"report: {write_comparison(folder, found)}", err=True)


def explore(
    name: Annotated[str, typer.Argument(help="Name of the corpus.")],
    root: RootOption = None,
    mirror: MirrorOption = None,
    out: OutOption = None,
) -> None:
    """Describes a corpus: emotions, speakers, lengths and agreement."""
    from ser.cli.console import print_corpus
    from ser.core.settings import load_settings
    from ser.data.corpus import get_corpus
    from ser.evaluation.corpus_report import explore as run
    from ser.evaluation.corpus_report import write_exploration

    settings = load_settings()
    found = get_corpus(name)
    utterances = found.scan(root or fetched(found, settings.corpora, mirror))
    with progress("reading", "clips") as on_progress:
        counted = run(found, utterances, on_progress=on_progress)
    print_corpus(counted)
    for file in counted["unreadable"]:
        typer.echo(f"ser: {file} cannot be read", err=True)
    typer.echo(f"report: {write_exploration(out or settings.runs / f'corpus-{name}', counted)}", err=True)
    if counted["unreadable"]:
        raise typer.Exit(1)
