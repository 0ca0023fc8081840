"""Reads how a shipped model was made, from ``reproduce.json``, and compares its figures with those made again.

The file is in the model's folder and lists the options of ``evaluate``, once for each evaluation, and of ``train``::

    {
      "evaluations": [
        {"name": "joint", "options": "--recipe whisper --protocol joint --seeds 3", "keep_as": "evaluation"}
      ],
      "train": "--recipe whisper"
    }

``keep_as`` is the folder of the model in which the predictions ship: ``evaluation`` for those that ``train`` is given,
the headline first, and ``benchmarks`` for others.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ser.core.errors import ModelError
from ser.data.corpus import Utterance
from ser.data.splits import speaker_of
from ser.evaluation.metrics_file import METRICS_FILE, Metrics, read_metrics
from ser.evaluation.out_of_fold import read_out_of_fold
from ser.models.checkpoint import WEIGHTS_FILE

REPRODUCE_FILE = "reproduce.json"
WEIGHTS_STEP = "weights"  # name of the step that trains the weights that ship
SHIPPED_FOLDERS = ("evaluation", "benchmarks")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
SET_BY_REPRODUCE = ("--out", "--evaluation")
MEASURES = {"UA": "ua", "WA": "wa", "macro F1": "f1", "weighted F1": "weighted_f1"}  # all that is published
MIN_TOLERANCE = 0.5  # points; another processor rounds differently, which moves a few clips in a thousand
ONE_SEED_SPREAD = 1.5  # points; standard deviation over seeds of the shipped recipes that train by epochs: 0.4 to 1.7


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of the making of a model.

    Attributes:
        name: of the step and of its folder.
        command: ``evaluate`` or ``train``.
        options: of the command, without its output folder.
        keep_as: folder of the model in which its predictions ship; None for ``train``.
    """

    name: str
    command: str
    options: tuple[str, ...]
    keep_as: str | None = None

    @property
    def text(self) -> str:
        """The command, for people."""
        return shlex.join((self.command, *self.options))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A shipped figure and the same figure made again; in percent.

    Attributes:
        figure: name of the folder of its predictions.
        measure: one of ``MEASURES``.
        shipped: None where no such figure ships.
        reproduced: the figure made again.
        tolerance: the difference up to which both agree, see ``tolerance``.
        shipped_clips: number of test clips, as of the next.
        reproduced_clips: other clips are another test, whatever the figures.
    """

    figure: str
    measure: str
    shipped: float | None
    reproduced: float
    tolerance: float
    shipped_clips: int
    reproduced_clips: int

    @property
    def agrees(self) -> bool:
        """Whether the figures are of as many clips and differ by no more than the tolerance."""
        if self.shipped is None or self.shipped_clips != self.reproduced_clips:
            return False
        return abs(self.reproduced - self.shipped) <= self.tolerance


def read_steps(folder: Path) -> list[Step]:
    """Returns the steps that make a shipped model, its evaluations first.

    Raises:
        ModelError: ``reproduce.json`` is missing or invalid.
    """
    file = folder / REPRODUCE_FILE
    if not file.exists():
        raise ModelError(f"{folder} has no {REPRODUCE_FILE}, which lists the commands that made the model.")
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        steps = [
            Step(
                name=one["name"],
                command="evaluate",
                options=_words(one["options"]),
                keep_as=one["keep_as"],
            )
            for one in record["evaluations"]
        ]
        train = Step(name=WEIGHTS_STEP, command="train", options=_words(record["train"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{file} cannot be read as the steps of a model: {error!r}.") from error
    _check(file, [*steps, train])
    return [*steps, train]


def _words(options: object) -> tuple[str, ...]:
    if not isinstance(options, str):
        raise TypeError(f"options are {options!r}, expected one string")
    return tuple(shlex.split(options))


def _check(file: Path, steps: Sequence[Step]) -> None:
    names = [step.name for step in steps]
    if len(set(names)) < len(names) or not all(NAME.fullmatch(name) for name in names):
        raise ModelError(
            f"{file} names its steps {', '.join(names)}; expected different names of small letters, digits, - and _, "
            f"of which {WEIGHTS_STEP} is the training's."
        )
    if steps[0].keep_as != SHIPPED_FOLDERS[0] or any(one.keep_as not in SHIPPED_FOLDERS for one in steps[:-1]):
        raise ModelError(f"{file}: keep_as is {' or '.join(SHIPPED_FOLDERS)}, and {SHIPPED_FOLDERS[0]} comes first.")
    for step in steps:
        if fixed := [option for option in SET_BY_REPRODUCE if option in step.options]:
            raise ModelError(f"{file}: {step.name} has {', '.join(fixed)}, which 'reproduce' sets itself.")


def compare_figures(shipped: Path, run: Path) -> list[Comparison]:
    """Compares an evaluation that was made again with the one that ships.

    Args:
        shipped: folder of the model in which the predictions ship, such as ``weights/whisper/evaluation``.
        run: folder that ``evaluate`` wrote; one of several corpora has a figure for each.

    Returns:
        The measures of every figure.
    """
    parts = sorted(file.parent for file in run.glob(f"*/{METRICS_FILE}")) or [run]
    return [row for part in parts for row in _rows(shipped, read_metrics(part))]


def _rows(shipped: Path, made: Metrics) -> list[Comparison]:
    folder = shipped / made.figure.folder
    old = read_metrics(folder) if (folder / METRICS_FILE).exists() else None
    return [
        Comparison(
            figure=made.figure.folder,
            measure=title,
            shipped=None if old is None else 100 * getattr(old, name),
            reproduced=100 * getattr(made, name),
            tolerance=0.0 if old is None else tolerance(old, made),
            shipped_clips=0 if old is None else old.clips,
            reproduced_clips=made.clips,
        )
        for title, name in MEASURES.items()
    ]


def tolerance(shipped: Metrics, made: Metrics) -> float:
    """Returns the difference in points up to which two evaluations agree.

    On the same processor and versions the same seed gives the same figures. Elsewhere sums are rounded differently, and
    a network that trains for many epochs ends as different as with another seed. Hence the tolerance is the sum of both
    standard deviations over seeds. A run of one seed has none and counts with ``ONE_SEED_SPREAD``, unless it trained
    without epochs, in closed form, where little depends on rounding. It is at least ``MIN_TOLERANCE``.
    """
    return max(MIN_TOLERANCE, sum(_spread(one) for one in (shipped, made)))


def _spread(metrics: Metrics) -> float:
    if metrics.seeds > 1:
        return 100 * metrics.ua_std
    return ONE_SEED_SPREAD if metrics.median_best_epoch else 0.0


def weights_digest(folder: Path) -> str:
    """Returns the SHA-256 of the weights of a model."""
    return hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()


def describe_other_clips(shipped: Path, corpus: str, utterances: Iterable[Utterance]) -> str | None:
    """Says how a corpus on this machine differs from the one behind the shipped figures.

    Args:
        shipped: folder of the model.
        corpus: name of the corpus.
        utterances: the corpus on this machine.

    Returns:
        A sentence, or None if every clip that was tested is here and no other speaker is.
    """
    files, speakers = _shipped_clips(shipped, corpus)
    found = list(utterances)
    missing = files - {one.path.stem for one in found}
    further = {one.speaker for one in found if speaker_of(one) not in speakers}
    if not files or not (missing or further):
        return None
    told = [f"lacks {len(missing)} of their {len(files)} clips, such as {min(missing)}"] if missing else []
    told += [f"has {len(further)} speakers that are not in them, such as {min(further)}"] if further else []
    return f"{corpus} is not as in the shipped figures: it {' and '.join(told)}. Expect other figures."


def _shipped_clips(shipped: Path, corpus: str) -> tuple[set[str], set[str]]:
    """File names without ending, and speakers, of a corpus in the predictions that ship."""
    folders = [file.parent for name in SHIPPED_FOLDERS for file in shipped.glob(f"{name}/*/{METRICS_FILE}")]
    own = [folder for folder in folders if read_metrics(folder).corpus == corpus]
    runs = [read_out_of_fold(file) for folder in own for file in folder.glob("out_of_fold_seed*.csv")]
    return {Path(file).stem for run in runs for file in run.files}, {name for run in runs for name in run.speakers}
