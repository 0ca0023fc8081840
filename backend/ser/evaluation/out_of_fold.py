"""Reads and writes the predictions of a run: one CSV row per clip <-> one entry of ``OutOfFold``."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ser.core.atomic_write import write_text
from ser.core.labels import INTENSITIES

UNKNOWN = "unknown"
LOGIT = "logit_"  # prefix of column names, followed by the class
THRESHOLD = "threshold_"  # prefix of column names, followed by the coverage in percent
UNSURE = "unsure_below"  # name of a column
DISTANCE = "distance"  # name of a column
AGE_STEP = 10  # years in an age group


@dataclass(frozen=True, kw_only=True)
class OutOfFold:
    """Predictions of one seed on clips whose fold did not train on them, one entry per clip.

    Attributes:
        files: names of the clips.
        truth: true labels.
        predicted: the answers as served: the likeliest of all classes, or ``NO_SPEECH``.
        speakers: who speaks, across corpora.
        folds: fold that the clip was tested in.
        groups: ``sex``, ``age`` and ``race`` -> one group per clip; only those that are known for some clip.
        classes: all classes of the model, columns of ``logits``.
        logits: float (clips, classes); minus infinity for a class that the fold had no training clip of.
        epochs: fold -> its best epoch.
        intensities: (intended intensity, predicted intensity) per clip, the first NaN where unknown; None for networks
            without that output.
        corpora: name of each clip's corpus; empty where all are from one.
        temperatures: float (clips,), fitted on other clips than these; None where they are to be fitted on these.
        thresholds: coverage in percent -> float (clips,), of prediction sets, fitted like the temperatures; may be
            empty.
        unsure_below: float (clips,), the confidence below which an answer is unsure; None for ``UNSURE_BELOW``.
        distances: float (clips,), from the training recordings; above 1 a clip is unlike them. None for networks that
            cannot tell.
    """

    files: list[str]
    truth: list[str]
    predicted: list[str]
    speakers: list[str]
    folds: list[str]
    groups: dict[str, list[str]]
    classes: tuple[str, ...]
    logits: np.ndarray
    epochs: dict[str, int]
    intensities: np.ndarray | None = None
    corpora: Sequence[str] = ()
    temperatures: np.ndarray | None = None
    thresholds: Mapping[int, np.ndarray] = field(default_factory=dict)
    unsure_below: np.ndarray | None = None
    distances: np.ndarray | None = None

    @property
    def units(self) -> list[str]:
        """The independent units: speakers, or clips where speakers are unknown or there is only one."""
        if len(set(self.speakers)) > 1:
            return self.speakers
        return [str(clip) for clip in range(len(self.truth))]


def write_rows(file: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Writes a CSV with a header, atomically, with the same bytes on every system."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(file, text.getvalue())


def read_out_of_fold(file: Path) -> OutOfFold:
    """Reads the out-of-fold predictions of one seed; runs of earlier versions have no ages and races."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = [name for name in rows[0] if name.startswith(LOGIT)]
    groups = {
        "sex": [row.get("sex") or UNKNOWN for row in rows],
        "age": [age_group(row.get("age")) for row in rows],
        "race": [row.get("race") or UNKNOWN for row in rows],
    }
    return OutOfFold(
        files=[row["file"] for row in rows],
        truth=[row["truth"] for row in rows],
        predicted=[row["predicted"] for row in rows],
        speakers=[row["speaker"] for row in rows],
        folds=[row["fold"] for row in rows],
        groups={name: found for name, found in groups.items() if set(found) != {UNKNOWN}},
        classes=tuple(name.removeprefix(LOGIT) for name in columns),
        logits=np.array([[float(row[name]) for name in columns] for row in rows]),
        epochs={row["fold"]: int(row["best_epoch"]) for row in rows},
        intensities=_intensities(rows),
        corpora=[row["corpus"] for row in rows] if "corpus" in rows[0] else (),
        temperatures=_numbers(rows, "temperature"),
        thresholds={
            int(name.removeprefix(THRESHOLD)): _numbers(rows, name) for name in rows[0] if name.startswith(THRESHOLD)
        },
        unsure_below=_numbers(rows, UNSURE),
        distances=_numbers(rows, DISTANCE),
    )


def _numbers(rows: Sequence[Mapping[str, str]], name: str) -> np.ndarray | None:
    """A column, float (clips,); None where there is none."""
    return np.array([float(row[name]) for row in rows]) if name in rows[0] else None


def _intensities(rows: Sequence[Mapping[str, str]]) -> np.ndarray | None:
    """(clips, 2), see ``OutOfFold.intensities``."""
    if "strength" not in rows[0]:
        return None
    return np.array([(INTENSITIES.get(row["intensity"], np.nan), float(row["strength"])) for row in rows])


def age_group(age: str | None) -> str:
    """Returns the decade of an age in years: "20-29" for "24"."""
    if not age:
        return UNKNOWN
    begin = int(age) // AGE_STEP * AGE_STEP
    return f"{begin}-{begin + AGE_STEP - 1}"
