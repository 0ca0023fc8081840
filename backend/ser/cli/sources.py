"""Resolves the options of commands: models, corpora, own recordings, label sets, clip lengths."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ser.cli.console import progress
from ser.core.errors import SettingsError

if TYPE_CHECKING:
    from ser.core.settings import Settings
    from ser.data.corpus import Corpus
    from ser.data.dataset import Data
    from ser.models.recipe import Recipe

COMMAND: ContextVar[Sequence[str]] = ContextVar("COMMAND", default=())  # words of the command that a command runs


def command_line() -> str:
    """Returns the command line, for the record; in a step of ``reproduce`` that of the step."""
    return f"python3 -m backend {shlex.join(COMMAND.get() or sys.argv[1:])}"


def model_of(given: str | None, settings: Settings) -> str:
    """Returns the model of a command: the given one, that of ``SER_MODEL``, or the most accurate one.

    Models whose weights are missing are left out, with a message.

    Raises:
        ModelError: the configuration of a model in the weights folder is damaged.
    """
    from ser.models.checkpoint import WEIGHTS_FILE, list_models, most_accurate

    if given or os.environ.get("SER_MODEL"):
        return given or settings.model
    infos = list_models(settings.weights)
    best = most_accurate(infos)
    complete = most_accurate([info for info in infos if (settings.weights / info.name / WEIGHTS_FILE).exists()])
    if complete is None:
        return settings.model
    if complete is not best:
        typer.echo(f"ser: the weights of {best.name} are missing; {complete.name} answers instead", err=True)
    return complete.name


def clip_seconds_of(recipe: Recipe, given: float | None) -> float | None:
    """Returns the clip length, by default the recipe's; 0 means whole clips."""
    if given is None:
        return recipe.clip_seconds
    return given or None


def load(
    recipe: Recipe,
    names: list[str] | None,
    root: Path | None,
    mirror: str | None,
    labels: str | None,
    clip_seconds: float | None,
    files: Path | None = None,
    unlabelled: list[str] | None = None,
) -> Data:
    """Finds or downloads corpora and computes their frames, with a progress bar."""
    from ser.core.settings import load_settings
    from ser.data.corpus import get_corpus
    from ser.data.dataset import load_data
    from ser.data.manifest import manifest_corpus

    settings = load_settings()
    default = list(recipe.corpora)[:1] if files is None else []
    corpora = [get_corpus(name) for name in names or default]
    if root is not None and len(corpora) > 1:
        raise SettingsError(
            "--root names the folder of one corpus; with several, put them into one and set SER_CORPORA."
        )
    wanted = (
        _label_set(corpora, labels) if files is None else None
    )  # a mistake is reported before anything is downloaded
    sources = [(corpus, root or fetched(corpus, settings.corpora, mirror)) for corpus in corpora]
    if files is not None:
        sources.append((manifest_corpus(manifest_of(labels)), files))
    spare = [(corpus, fetched(corpus, settings.corpora, None)) for corpus in map(get_corpus, unlabelled or ())]
    with progress("reading", "clips") as on_progress:
        return load_data(
            recipe,
            sources,
            labels=wanted,
            clip_seconds=clip_seconds,
            cache=settings.cache,
            unlabelled=spare,
            on_progress=on_progress,
        )


def manifest_of(labels: str | None) -> Path:
    """Returns the CSV that ``--labels`` names beside ``--files``.

    Raises:
        SettingsError: it names none.
    """
    if labels is None:
        raise SettingsError("--files needs --labels labels.csv, with the columns path, emotion and, if known, speaker.")
    return Path(labels)


def fetched(corpus: Corpus, corpora: Path, mirror: str | None) -> Path:
    from ser.data.corpus import corpus_root, fetch

    folder = corpus_root(corpus, corpora)
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    with progress(f"downloading {corpus.title}", "bytes") as on_progress:
        return fetch(corpus, corpora, mirror=mirror, on_progress=on_progress)


def _label_set(corpora: list[Corpus], text: str | None) -> tuple[str, ...] | None:
    """Reads ``--labels``; None stands for the recipe's own set."""
    from ser.core.labels import EMOTIONS, canonical_order, relabel

    if text in (None, "recipe"):
        return None
    if text.lower().endswith(".csv"):
        raise SettingsError(f"--labels {text!r}: a CSV of labels needs --files FOLDER, which 'train' and 'score' have.")
    if text == "corpus":
        return canonical_order(tuple({label for corpus in corpora for label in corpus.labels.values()}))
    if text == "shared":
        wide = tuple(emotion for emotion in EMOTIONS if emotion != "calm")
        sets = [{relabel(emotion, wide) for emotion in corpus.labels.values()} for corpus in corpora]
        return canonical_order(tuple(set.intersection(*sets)))
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in EMOTIONS]
    if unknown or len(set(names)) < 2:
        raise SettingsError(
            f"--labels {text!r}: expected 'recipe', 'corpus', 'shared' or two or more of {', '.join(EMOTIONS)}."
        )
    return names
