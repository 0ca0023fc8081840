"""Owns the options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ser.inference.export import FORMATS


class Format(StrEnum):
    """How predictions are written."""

    text = "text"
    json = "json"
    jsonl = "jsonl"


Export = StrEnum("Export", {name: name for name in (*Format, *FORMATS)})


ModelOption = Annotated[str | None, typer.Option("--model", help="Name of a shipped model, or path of a checkpoint.")]
RecipeOption = Annotated[str, typer.Option(help="Which published system.")]
CorpusOption = Annotated[
    list[str] | None, typer.Option(help="Which corpus, repeatable; the recipe's own where omitted.")
]
UnlabelledOption = Annotated[
    list[str] | None,
    typer.Option(help="Further corpus, repeatable, that only the recipe's teacher listens to, without its labels."),
]
RootOption = Annotated[Path | None, typer.Option(help="Folder of the corpus; found or downloaded where omitted.")]
VotesOption = Annotated[bool, typer.Option("--votes", help="Learn the listeners' votes where a clip has them.")]
MirrorOption = Annotated[str | None, typer.Option(help="Other address to download the corpus from.")]
LABEL_SETS = (
    "Label set: 'recipe' (the default), 'corpus' (all that occur), 'shared' (what all corpora have, calm counted as "
    "neutral; the default of cross), or names separated by commas."
)
LabelsOption = Annotated[str | None, typer.Option(help=LABEL_SETS)]
TrainingLabelsOption = Annotated[
    str | None,
    typer.Option(help=f"{LABEL_SETS} With --files it is the CSV that says which emotion is in which recording."),
]
ClipOption = Annotated[
    float | None, typer.Option("--clip-seconds", help="Cut clips to so many seconds; 0 keeps them whole.", min=0)
]
FilesOption = Annotated[
    Path | None,
    typer.Option(
        "--files",
        help="Folder of own recordings; --labels is then the CSV that lists them: path, emotion and, "
        "if you know it, speaker.",
    ),
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder to write into.")]
