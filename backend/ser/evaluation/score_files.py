"""Scores a finished model on a user's own recordings; writes the same predictions and metrics as an evaluation.

No recording is dropped silently: clips of emotions that the model does not predict, or that were not chosen, are
counted, recordings that cannot be read are listed with their error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ser.core.errors import AudioError, CorpusError
from ser.core.labels import EMOTIONS, canonical_order, choose_emotions, relabel
from ser.core.prediction import Prediction
from ser.core.resume_log import ResumeLog
from ser.data.corpus import Utterance
from ser.data.splits import speaker_of
from ser.evaluation.metrics import NO_SPEECH
from ser.evaluation.metrics_file import Metrics, Scoring, write_metrics
from ser.evaluation.out_of_fold import UNSURE, read_out_of_fold, write_rows
from ser.evaluation.summary import PREDICTIONS_FILE, summarise_files
from ser.inference.adaptation import Adapt, group_recordings
from ser.inference.predictor import Encoded, Predictor

LEAST = 1e-9  # replaces a probability of 0, which has no logarithm


@dataclass
class Scored:
    """Results of scoring, recording by recording.

    Attributes:
        rows: of the CSV, one per scored recording.
        unknown: emotion that the model does not predict -> recordings.
        failed: (file, error) of recordings that could not be read.
        as_neutral: calm recordings that count as neutral.
        emotions: that answers are chosen from, in canonical order; empty for all.
        not_chosen: other emotion -> recordings.
        adapt: what answers are adapted to, see ``score_files``.
    """

    rows: list[dict[str, str]] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[str, str]] = field(default_factory=list)
    as_neutral: int = 0
    emotions: tuple[str, ...] = ()
    not_chosen: Counter[str] = field(default_factory=Counter)
    adapt: Adapt = "none"


def score_files(
    predictor: Predictor,
    utterances: Sequence[Utterance],
    folder: Path,
    *,
    emotions: str | Sequence[str] | None = None,
    adapt: Adapt = "none",
    log: ResumeLog | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Scored:
    """Predicts every recording whose emotion is among the model's labels, or among the chosen ones.

    Args:
        predictor: the model.
        utterances: recordings with canonical emotions, see ``ser.data.manifest``.
        folder: what their names are relative to.
        emotions: to choose the answers from, as for ``Predictor.predict``; None for all.
        adapt: ``speaker`` adapts the answers to all recordings of a speaker, ``folder`` to all listed recordings of a
            folder, also to those of emotions that are not scored; ``none`` to nothing.
        log: resume log; results are added to it, and those of an interrupted run are taken from it.
        on_progress: called with (recordings done, recordings in all).

    Raises:
        SettingsError: the chosen emotions are invalid.
    """
    scored = Scored(emotions=choose_emotions(emotions, predictor.info.labels), adapt=adapt)
    done_before = {entry["file"]: entry for entry in log.entries} if log else {}
    paths, speakers = [utterance.path for utterance in utterances], [utterance.speaker for utterance in utterances]
    done = 0
    for group in group_recordings(paths, adapt, speakers):
        _score_group(predictor, [utterances[place] for place in group], folder, scored, done_before, log)
        done += len(group)
        if on_progress:
            on_progress(done, len(utterances))
    return scored


def write_scores(
    out: Path, scored: Scored, predictor: Predictor, *, folder: Path, manifest: Path, command: str
) -> Metrics:
    """Writes ``predictions.csv`` and ``metrics.json`` into ``out``.

    Args:
        out: where to write.
        scored: the result of ``score_files``.
        predictor: the model.
        folder: of the recordings.
        manifest: their CSV.
        command: the command line, for the record.

    Raises:
        CorpusError: no recording could be scored.
    """
    if not scored.rows:
        raise CorpusError(f"No recording could be scored. {_why(scored)}", "listing_invalid")
    info = predictor.info
    calibration = info.calibration.among(scored.emotions)
    threshold = {UNSURE: str(calibration.unsure_below)}
    write_rows(out / PREDICTIONS_FILE, [row | threshold for row in scored.rows])
    run = read_out_of_fold(out / PREDICTIONS_FILE)
    labels = canonical_order(tuple(set(run.truth)))
    answers = scored.emotions or canonical_order(info.labels)
    metrics = summarise_files(labels, answers, run, calibration.temperature)
    scoring: Scoring = {
        "model": info.name,
        "trained_on": list(info.corpora),
        "folder": str(folder),
        "listing": str(manifest),
        "unknown": {emotion: scored.unknown[emotion] for emotion in EMOTIONS if scored.unknown[emotion]},
        "failed": [list(pair) for pair in scored.failed],
        "as_neutral": scored.as_neutral,
        "emotions": list(scored.emotions),
        "not_chosen": {emotion: scored.not_chosen[emotion] for emotion in EMOTIONS if scored.not_chosen[emotion]},
        "adapt": scored.adapt,
    }
    metrics = replace(metrics, scoring=scoring, command=command)
    write_metrics(out, metrics)
    return metrics


def _score_group(
    predictor: Predictor,
    group: Sequence[Utterance],
    folder: Path,
    scored: Scored,
    done_before: dict[str, dict[str, str]],
    log: ResumeLog | None,
) -> None:
    """Scores recordings whose answers are adapted to the same speaker; a single one where they are not."""
    answers = scored.emotions or predictor.info.labels
    truths = {utterance.path: truth for utterance in group if (truth := _truth(utterance, predictor, scored))}
    names = {utterance.path: _name(utterance.path, folder) for utterance in group}
    left = [path for path in truths if names[path] not in done_before]
    encoded: dict[Path, Encoded] = {}
    for path in left if scored.adapt == "none" else names if left else ():
        try:
            encoded[path] = predictor.encode(path, names[path])
        except AudioError as error:
            if path in left:
                scored.failed.append((names[path], str(error)))
    speaker = None if scored.adapt == "none" else predictor.common_speaker(list(encoded.values()))
    for utterance in group:
        path = utterance.path
        row = done_before.get(names[path])
        if row is None and path in left and path in encoded:
            prediction = predictor.answer(encoded[path], emotions=scored.emotions, speaker=speaker)
            row = _row(prediction, utterance, truths[path], answers)
            if log:
                log.add(row)
        if row is not None:
            scored.as_neutral += truths[path] != utterance.native_label
            scored.rows.append(row)


def _truth(utterance: Utterance, predictor: Predictor, scored: Scored) -> str | None:
    """Returns the right answer; None, and counts the recording, if the model or the choice does not have it."""
    truth = relabel(utterance.native_label, predictor.info.labels)
    if truth is None:
        scored.unknown[utterance.native_label] += 1
    elif truth not in (scored.emotions or predictor.info.labels):
        scored.not_chosen[truth] += 1
    else:
        return truth
    return None


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _row(prediction: Prediction, utterance: Utterance, truth: str, labels: Sequence[str]) -> dict[str, str]:
    """One line of the CSV, with the columns of an evaluation; there is one fold and no epoch was selected.

    Without speech there are no probabilities; all labels then get the same.
    """
    shares = {label: prediction.probabilities.get(label, 1 / len(labels)) for label in labels}
    return {
        "file": prediction.file,
        "speaker": speaker_of(utterance),
        "fold": "1",
        "best_epoch": "0",
        "emotion": utterance.native_label,
        "truth": truth,
        "predicted": prediction.emotion or NO_SPEECH,
        "state": prediction.state,
    } | {f"logit_{label}": f"{np.log(max(share, LEAST)):.4f}" for label, share in shares.items()}


def _why(scored: Scored) -> str:
    if scored.failed:
        name, error = scored.failed[0]
        return f"{len(scored.failed)} could not be read, e.g. {name}: {error}"
    if scored.unknown:
        return f"The model does not predict {', '.join(scored.unknown)}."
    return f"None is of the chosen emotions; they are of {', '.join(scored.not_chosen)}."
