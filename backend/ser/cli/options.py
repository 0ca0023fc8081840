"""Defines the options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ser.inference.export import FORMATS


class Format(StrEnum):
    """Output formats of a voice report and of predictions."""

    text = "text"
    json = "json"
    jsonl = "jsonl"


class Adapt(StrEnum):
    """Which recordings the answers to a recording are adapted to."""

    speaker = "speaker"
    folder = "folder"
    none = "none"


Export = StrEnum("Export", {name: name for name in (*Format, *FORMATS)})


ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", help="Name of a shipped model, or path of a checkpoint; SER_MODEL or the most accurate by default."
    ),
]
EmotionsOption = Annotated[
    str | None,
    typer.Option(help="Emotions to choose the answer from, two or more, such as angry,happy,neutral; all by default."),
]
RecipeOption = Annotated[str, typer.Option(help="Recipe to train, such as cnn1d; 'models' lists them.")]
CorpusOption = Annotated[
    list[str] | None, typer.Option(help="Corpus, repeatable; by default the first one of the recipe.")
]
UnlabelledOption = Annotated[
    list[str] | None,
    typer.Option(help="Further corpus, repeatable, used without labels for distillation only."),
]
RootOption = Annotated[
    Path | None, typer.Option(help="Folder of the corpus; by default found in SER_CORPORA or downloaded.")
]
VotesOption = Annotated[bool, typer.Option("--votes", help="Train on listeners' votes where a clip has them.")]
MirrorOption = Annotated[str | None, typer.Option(help="URL of a mirror to download the corpus from.")]
LABEL_SETS = (
    "Label set: 'recipe' (default), 'corpus' (all labels of the corpora), 'shared' (labels that all corpora have, calm "
    "counting as neutral), or emotions separated by commas."
)
LabelsOption = Annotated[str | None, typer.Option(help=LABEL_SETS)]
TrainingLabelsOption = Annotated[
    str | None,
    typer.Option(help=f"{LABEL_SETS} With --files: the CSV that lists the recordings."),
]
ClipOption = Annotated[
    float | None, typer.Option("--clip-seconds", help="Cut clips to this many seconds; 0 uses whole clips.", min=0)
]
FilesOption = Annotated[
    Path | None,
    typer.Option(
        "--files",
        help="Folder of your own recordings; --labels is then the CSV that lists them, with the columns path, "
        "emotion and, if known, speaker.",
    ),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Output folder.")]
