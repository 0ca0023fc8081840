"""Defines the metrics of one evaluation as a dataclass, and reads and writes it as ``metrics.json``.

``train``, ``evaluate`` and ``score`` write the same fields; ``report``, ``compare`` and the model cards read them. A
field that does not apply is null or empty. Fields may be added within a version of the schema; renaming a field
or changing its meaning needs a new version. Files without the field ``schema`` are of version 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from ser.core.atomic_write import write_text
from ser.core.errors import ProtocolError
from ser.models.checkpoint import Figure

METRICS_FILE = "metrics.json"
SCHEMA = 1


class ClassMetrics(TypedDict):
    """Metrics of one class, means over seeds: shares of 1, and the clips with this true label."""

    precision: float
    recall: float
    f1: float
    clips: float


class GroupMetrics(TypedDict):
    """Metrics of a speaker or group of speakers: UA over the emotions that occur, and clips, means over seeds."""

    ua: float
    clips: float


class SetMetrics(TypedDict):
    """Metrics of the prediction sets (conformal sets) of one coverage.

    ``threshold`` is the one that ships; ``coverage`` (share of the clips whose set contains the true class) and
    ``size`` (mean classes in a set) are of thresholds fitted on other clips; ``speakers`` is the coverage of the lowest
    speaker, the lower decile and the median.
    """

    threshold: float
    coverage: float
    size: float
    speakers: list[float]


class IntensityRanking(TypedDict):
    """Share of pairs in which a strong clip ranks above a mild one: any pair, or of the same speaker and emotion."""

    any: float
    same: float


class Scoring(TypedDict):
    """Input of ``score``, and the recordings that could not be scored.

    ``unknown`` counts clips of emotions that the model does not predict, ``failed`` lists (file, error), and
    ``as_neutral`` counts calm clips that count as neutral. ``emotions`` are those that answers were chosen from, empty
    for all, and ``not_chosen`` counts clips of others. ``adapt`` says what answers were adapted to: ``speaker``,
    ``folder`` or ``none``. Metrics written by earlier versions lack these three.
    """

    model: str
    trained_on: list[str]
    folder: str
    listing: str
    unknown: dict[str, int]
    failed: list[list[str]]
    as_neutral: int
    emotions: NotRequired[list[str]]
    not_chosen: NotRequired[dict[str, int]]
    adapt: NotRequired[str]


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The metrics of one evaluation: shares of 1, means over seeds unless stated otherwise.

    Attributes:
        corpus: of the test clips; several are joined by ``+``.
        protocol: how speakers were split; ``files`` for the recordings of ``score``.
        speaker_independent: whether no test speaker was in training; None where that is not known.
        labels: the classes that occur, rows of ``confusion``.
        answers: all classes of the model, columns of ``confusion``; the answer is the likeliest of them, as served.
        clips: tested, per seed.
        speakers: tested.
        seeds: number of trainings.
        ua: unweighted average recall, the mean of the per-class recalls.
        ua_std: its standard deviation over seeds.
        ua_by_seed: one per seed.
        interval: 95 % bootstrap interval of the UA over speakers, over clips where there is one speaker or none known.
        ua_masked: UA if only the classes of a clip's own corpus were allowed, which a user's recording does not say;
            None where these are all classes of the model.
        ua_masked_std: its standard deviation over seeds.
        shared_labels: of ``cross`` only: the labels that all its corpora have, calm counting as neutral.
        ua_shared: UA of the likeliest of these labels, over the clips that have one; None where these are all classes.
        ua_shared_std: its standard deviation over seeds.
        untrained: the labels that a fold tests without a training clip of them, so that it cannot predict them.
        wa: accuracy.
        f1: macro F1.
        weighted_f1: F1 weighted by class size.
        recalls: class -> recall.
        per_class: class -> its metrics.
        confusion: clips by true class (rows) and predicted class (columns), of all seeds together.
        no_speech: clips without detected speech, of all seeds together; they count as wrong.
        per_speaker: speaker, across corpora -> its metrics.
        by_sex: group -> its metrics; empty where unknown, as are the next two.
        by_age: the same by decade of age.
        by_race: the same by race.
        ece_before: expected calibration error without temperature; None where unknown.
        ece: the same with the served confidence, whose temperature was fitted on other clips.
        ece_floor: expected calibration error of a perfectly calibrated model, by chance.
        answered: share of the clips with a sure answer: neither "unsure" nor "no speech".
        answered_accuracy: accuracy of those.
        risk_coverage: [share of the most confident clips, their accuracy].
        reliability_before: [mean confidence, accuracy, clips] per bin, of all seeds together; None like ``ece_before``.
        reliability: the same with the served confidence.
        temperature: the one that ships.
        sets: coverage in percent -> prediction sets; empty where no threshold was fitted on other clips.
        intensity: how well the network ranks intensities; None where the network or the corpus has none.
        median_best_epoch: over folds and seeds; None where nothing was trained, as by ``score``.
        best_epochs: per seed, fold -> best epoch.
        recipe: what was trained; None for ``score``.
        clip_seconds: see ``Recipe.clip_seconds``.
        command: the command line.
        scoring: of ``score`` only.
        seed: of the weights, the order of the clips and dropout; of ``train`` only, as are the next three.
        best_epoch: of the stored weights, counted from 1; 0 where training has no epochs.
        epochs: the training log, one object per epoch.
        tested_on: the speakers that were held out, or the clips where speakers are not known.
    """

    corpus: str
    protocol: str
    speaker_independent: bool | None
    labels: list[str]
    answers: list[str]
    clips: int
    speakers: int
    seeds: int
    ua: float
    ua_std: float
    ua_by_seed: list[float]
    interval: list[float]
    wa: float
    f1: float
    weighted_f1: float
    recalls: dict[str, float]
    per_class: dict[str, ClassMetrics]
    confusion: list[list[int]]
    no_speech: int
    per_speaker: dict[str, GroupMetrics]
    by_sex: dict[str, GroupMetrics]
    by_age: dict[str, GroupMetrics]
    by_race: dict[str, GroupMetrics]
    ece_before: float | None
    ece: float
    ece_floor: float
    answered: float
    answered_accuracy: float
    risk_coverage: list[list[float]]
    reliability_before: list[list[float]] | None
    reliability: list[list[float]]
    temperature: float
    ua_masked: float | None = None
    ua_masked_std: float | None = None
    shared_labels: list[str] = field(default_factory=list)
    ua_shared: float | None = None
    ua_shared_std: float | None = None
    untrained: list[str] = field(default_factory=list)
    sets: dict[str, SetMetrics] = field(default_factory=dict)
    intensity: IntensityRanking | None = None
    median_best_epoch: int | None = None
    best_epochs: list[dict[str, int]] = field(default_factory=list)
    recipe: str | None = None
    clip_seconds: float | None = None
    command: str = ""
    scoring: Scoring | None = None
    seed: int | None = None
    best_epoch: int | None = None
    epochs: list[dict[str, Any]] | None = None
    tested_on: list[str] | None = None

    @property
    def figure(self) -> Figure:
        """The headline figure in a checkpoint, in percent."""
        return Figure(
            corpus=self.corpus,
            protocol=self.protocol,
            classes=len(self.labels),
            speaker_independent=bool(self.speaker_independent),
            ua=round(100 * self.ua, 1),
            ua_std=round(100 * self.ua_std, 1),
            wa=round(100 * self.wa, 1),
            f1=round(100 * self.f1, 1),
            weighted_f1=round(100 * self.weighted_f1, 1),
            seeds=self.seeds,
            interval=tuple(round(100 * bound, 1) for bound in self.interval),
        )

    def groups(self, name: str) -> dict[str, GroupMetrics]:
        """Returns the metrics by ``sex``, ``age`` or ``race``."""
        return {"sex": self.by_sex, "age": self.by_age, "race": self.by_race}[name]

    def to_json(self) -> dict[str, Any]:
        """Returns the content of ``metrics.json``."""
        return {"schema": SCHEMA} | {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Metrics:
        """Reads the content of ``metrics.json``; unknown fields are ignored.

        Raises:
            ValueError: the record is of another schema, or a field is missing.
        """
        if (schema := record.get("schema", SCHEMA)) != SCHEMA:
            raise ValueError(f"schema {schema!r}, expected {SCHEMA}")
        required = [one.name for one in fields(cls) if one.default is MISSING and one.default_factory is MISSING]
        if missing := [name for name in required if name not in record]:
            raise ValueError(f"missing {', '.join(missing)}")
        return cls(**{one.name: record[one.name] for one in fields(cls) if one.name in record})


def read_metrics(folder: Path) -> Metrics:
    """Reads ``metrics.json``.

    Raises:
        ProtocolError: the file cannot be read or is of another schema.
    """
    file = folder / METRICS_FILE
    try:
        return Metrics.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError) as error:
        raise ProtocolError(f"{file} has no metrics of an evaluation ({error}); run the evaluation again.") from error


def write_metrics(folder: Path, metrics: Metrics) -> None:
    """Writes ``metrics.json``."""
    write_text(folder / METRICS_FILE, json.dumps(metrics.to_json(), indent=2) + "\n")
