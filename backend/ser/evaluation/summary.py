"""Computes the metrics of a run from its predictions: ``OutOfFold`` -> ``Metrics``.

Everything in ``metrics.json`` is computed from the CSVs, so that anyone can recompute it, and metrics added later are
available for earlier runs. Every figure is of the answer that a user gets, the likeliest of all the model's classes,
and of the probabilities over all of them; ``ua_masked`` and ``ua_shared`` are the only ones that are not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from ser.core.errors import ProtocolError
from ser.data.splits import HELD_OUT, get_protocol
from ser.evaluation.metrics import (
    NO_SPEECH,
    Scores,
    calibration_floor,
    expected_calibration_error,
    group_recalls,
    reliability,
    risk_coverage,
    score,
    speaker_interval,
)
from ser.evaluation.metrics_file import METRICS_FILE, IntensityRanking, Metrics, SetMetrics, write_metrics
from ser.evaluation.out_of_fold import OutOfFold, read_out_of_fold
from ser.evaluation.restricted_answers import masked_uas, shared_uas
from ser.models.calibration import (
    COVERAGES,
    UNSURE_BELOW,
    cross_fit_temperatures,
    cross_fit_thresholds,
    fit_temperature,
    set_threshold,
)

RUN_FILE = "run.json"  # describes the run in a folder
PREDICTIONS_FILE = "predictions.csv"  # of one finished model, instead of one file per seed
FILES = "files"  # corpus and protocol of recordings that a finished model was scored on
CIRCUMSTANCES = (  # fields of metrics.json that are not computed from the predictions
    "recipe",
    "clip_seconds",
    "command",
    "scoring",
    "seed",
    "best_epoch",
    "epochs",
    "tested_on",
)
CLIP_PARTS = 5  # a temperature is fitted on four of them where there are neither folds nor speakers


def current(folder: Path) -> tuple[Metrics, list[OutOfFold]]:
    """Reads a finished evaluation and recomputes its metrics, so that old and new runs have the same ones.

    Returns:
        The metrics, and the predictions of every seed.

    Raises:
        ProtocolError: the folder holds none.
    """
    record, runs = _read(folder)
    if record["protocol"] == FILES:
        metrics = summarise_files(record["labels"], record["answers"], runs[0], record["temperature"])
    elif record["protocol"] in HELD_OUT:
        metrics = summarise_held_out(record["corpus"], record["protocol"], record["labels"], runs[0])
    else:
        shared = record.get("shared_labels", [])
        metrics = summarise(record["corpus"], record["protocol"], record["labels"], runs, shared)
    return replace(metrics, **{name: record[name] for name in CIRCUMSTANCES if name in record}), runs


def refresh(folder: Path) -> Metrics:
    """Recomputes the metrics of a finished evaluation from its predictions and writes ``metrics.json``.

    Raises:
        ProtocolError: the folder holds none.
    """
    metrics, _ = current(folder)
    write_metrics(folder, metrics)
    return metrics


def _read(folder: Path) -> tuple[dict, list[OutOfFold]]:
    """Reads ``metrics.json``, where some metrics may be missing, and the predictions of every seed."""
    try:
        record = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
        files = [folder / f"out_of_fold_seed{seed}.csv" for seed in range(record["seeds"])]
        if record["protocol"] in (FILES, *HELD_OUT):
            files = [folder / PREDICTIONS_FILE]
        return record, [read_out_of_fold(file) for file in files]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ProtocolError(
            f"{folder} has no finished evaluation: {METRICS_FILE} with {PREDICTIONS_FILE} or out_of_fold_seed0.csv "
            f"..., as 'train', 'evaluate' and 'score' write them ({error})."
        ) from error


def summarise(
    corpus: str, protocol: str, labels: Sequence[str], runs: Sequence[OutOfFold], shared: Sequence[str] = ()
) -> Metrics:
    """Turns out-of-fold predictions of several seeds into metrics.

    ``ece`` and the other metrics of confidence use ``served_temperatures``; ``temperature``, which ships, is fitted on
    all clips and therefore has no metrics of its own.

    Args:
        corpus: of the clips; several are joined by ``+``.
        protocol: name of the protocol.
        labels: the classes that occur.
        runs: predictions of every seed.
        shared: see ``Metrics.shared_labels``.
    """
    targets = [_targets(run) for run in runs]
    logits = np.concatenate([run.logits[_learnt(run)] for run in runs])
    classes = np.concatenate([own[_learnt(run)] for run, own in zip(runs, targets, strict=True)])
    temperature = fit_temperature(logits, classes)
    pooled = _right(softmax(logits / temperature, axis=1), classes)
    shipped = {percent: set_threshold(pooled, percent / 100) for percent in COVERAGES}
    fitted = [_served(protocol, run) for run in runs]
    thresholds = [served_thresholds(protocol, run) for run in runs]
    epochs = [epoch for run in runs for epoch in run.epochs.values()]
    return Metrics(
        corpus=corpus,
        protocol=protocol,
        speaker_independent=get_protocol(protocol).speaker_independent,
        temperature=temperature,
        sets=_sets(runs, targets, fitted, thresholds, shipped),
        intensity=_intensity_ranking(runs),
        median_best_epoch=int(np.median(epochs)),
        best_epochs=[run.epochs for run in runs],
        shared_labels=list(shared),
        **_mean_ua("ua_shared", shared_uas(shared, runs, fitted)),
        **_measures(labels, runs, before=[_confidence(run.logits) for run in runs], after=_largest(fitted)),
    )


def summarise_held_out(corpus: str, protocol: str, labels: Sequence[str], run: OutOfFold) -> Metrics:
    """Metrics of one trained model on held-out clips, with its own temperature and thresholds."""
    temperature = float(run.temperatures[0])
    served = [softmax(run.logits / temperature, axis=1)]
    shipped = {percent: float(own[0]) for percent, own in run.thresholds.items()}
    return Metrics(
        corpus=corpus,
        protocol=protocol,
        speaker_independent=HELD_OUT[protocol].speaker_independent,
        temperature=temperature,
        sets=_sets([run], [_targets(run)], served, [run.thresholds], shipped),
        median_best_epoch=int(np.median(list(run.epochs.values()))),
        best_epochs=[run.epochs],
        **_measures(labels, [run], before=[_confidence(run.logits)], after=_largest(served)),
    )


def summarise_files(labels: Sequence[str], answers: Sequence[str], run: OutOfFold, temperature: float) -> Metrics:
    """Metrics of a finished model's predictions; the logits are the logarithms of its calibrated probabilities."""
    return Metrics(
        corpus=FILES,
        protocol=FILES,
        speaker_independent=None,  # it is unknown whether these speakers were in training
        temperature=temperature,
        **_measures(labels, [run], before=None, after=[_confidence(run.logits)], answers=answers),
    )


def _measures(
    labels: Sequence[str],
    runs: Sequence[OutOfFold],
    *,
    before: Sequence[np.ndarray] | None,
    after: Sequence[np.ndarray],
    answers: Sequence[str] | None = None,
) -> dict:
    """Metrics that need no protocol: accuracy, by speaker and group, and calibration.

    Args:
        labels: the classes that occur, in order.
        runs: predictions of every seed.
        before: per seed, (clips,) probability of the prediction without calibration; None where unknown.
        after: per seed, the same with calibration.
        answers: all classes of the model, in another order than that of the logits.
    """
    answers = list(answers or runs[0].classes)
    scores = [score(run.truth, run.predicted, labels, answers) for run in runs]
    uas = [one.ua for one in scores]
    intervals = [speaker_interval(run.truth, run.predicted, run.units, labels) for run in runs]
    return {
        "labels": list(labels),
        "answers": answers,
        "clips": len(runs[0].truth),
        "speakers": len(set(runs[0].speakers)),
        "seeds": len(runs),
        "ua": float(np.mean(uas)),
        "ua_std": _spread(uas),
        "ua_by_seed": uas,
        **_mean_ua("ua_masked", masked_uas(labels, runs)),
        "untrained": [label for label in labels if any(_lacks(run, label) for run in runs)],
        "interval": np.mean(intervals, axis=0).tolist(),
        "wa": float(np.mean([one.wa for one in scores])),
        "f1": float(np.mean([one.f1 for one in scores])),
        "weighted_f1": float(np.mean([one.weighted_f1 for one in scores])),
        "recalls": {label: float(np.mean([one.recalls[label] for one in scores])) for label in labels},
        "per_class": _per_class(labels, scores),
        "confusion": np.sum([one.confusion for one in scores], axis=0).tolist(),
        "no_speech": sum(run.predicted.count(NO_SPEECH) for run in runs),
        "per_speaker": _by_group(runs, [run.speakers for run in runs]),
        **{f"by_{name}": _by_group(runs, [run.groups.get(name) for run in runs]) for name in ("sex", "age", "race")},
        **_trust(runs, before, after),
    }


def _per_class(labels: Sequence[str], scores: Sequence[Scores]) -> dict[str, dict[str, float]]:
    """Label -> precision, recall, F1 and clips, means over seeds."""

    def means(label: str) -> list[float]:
        rows = [(one.precisions[label], one.recalls[label], one.f1s[label], one.clips[label]) for one in scores]
        return np.mean(rows, axis=0).tolist()

    return {label: dict(zip(("precision", "recall", "f1", "clips"), means(label), strict=True)) for label in labels}


def _by_group(runs: Sequence[OutOfFold], members: Sequence[list[str] | None]) -> dict[str, dict[str, float]]:
    """Group -> UA and clips, means over the seeds in which it is tested; empty where no group is known."""
    if None in members:
        return {}
    seeds = [group_recalls(run.truth, run.predicted, own) for run, own in zip(runs, members, strict=True)]
    names = sorted(set().union(*seeds))
    means = {name: np.mean([one[name] for one in seeds if name in one], axis=0).tolist() for name in names}
    return {name: {"ua": ua, "clips": clips} for name, (ua, clips) in means.items()}


def served_temperatures(protocol: str, run: OutOfFold) -> np.ndarray:
    """Returns a temperature for every clip (clips,), fitted without this clip.

    It is fitted on the other folds, jointly for all corpora, like the one that ships. Where the whole test corpus was
    left out of training, it is 1.
    """
    if run.temperatures is not None:
        return run.temperatures
    if get_protocol(protocol).foreign:
        return np.ones(len(run.truth))
    return cross_fit_temperatures(run.logits, _targets(run), _parts(run))


def served_thresholds(protocol: str, run: OutOfFold) -> Mapping[int, np.ndarray]:
    """Returns coverage in percent -> a threshold for every clip (clips,), fitted without this clip.

    Like the temperatures it is fitted on the other folds, jointly for all corpora. Where the whole test corpus was left
    out of training, those are the other corpora; if there is none, the result is empty. Clips of a class that their
    fold was not trained on are not fitted to: no set would contain it.
    """
    if run.thresholds:
        return run.thresholds
    if get_protocol(protocol).foreign and len(set(run.folds)) < 2:
        return {}
    learnt, parts = _learnt(run), np.array(_parts(run))
    right = _right(_served(protocol, run), _targets(run))[learnt]
    fitted = {percent: cross_fit_thresholds(right, parts[learnt], percent / 100) for percent in COVERAGES}
    by_part = {percent: dict(zip(parts[learnt], own, strict=True)) for percent, own in fitted.items()}
    return {percent: np.array([own[part] for part in parts]) for percent, own in by_part.items()}


def _served(protocol: str, run: OutOfFold) -> np.ndarray:
    """(clips, classes) probabilities with the temperatures of ``served_temperatures``."""
    return softmax(run.logits / served_temperatures(protocol, run)[:, None], axis=1)


def _targets(run: OutOfFold) -> np.ndarray:
    """int (clips,): position of the true class."""
    return np.array([run.classes.index(label) for label in run.truth])


def _learnt(run: OutOfFold) -> np.ndarray:
    """bool (clips,): whether the clip's fold was trained on its class."""
    return np.isfinite(_right(run.logits, _targets(run)))


def _lacks(run: OutOfFold, label: str) -> bool:
    """Whether a fold tests a label that it was not trained on."""
    return bool((~_learnt(run) & (np.array(run.truth) == label)).any())


def _mean_ua(name: str, uas: Sequence[float] | None) -> dict[str, float | None]:
    """The fields of a UA: its mean and standard deviation over seeds."""
    mean, spread = (None, None) if uas is None else (float(np.mean(uas)), _spread(uas))
    return {name: mean, f"{name}_std": spread}


def _spread(values: Sequence[float]) -> float:
    """Standard deviation over seeds, 0 for one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _sets(
    runs: Sequence[OutOfFold],
    targets: Sequence[np.ndarray],
    fitted: Sequence[np.ndarray],
    found_elsewhere: Sequence[Mapping[int, np.ndarray]],
    shipped: Mapping[int, float],
) -> dict[str, SetMetrics]:
    """Coverage in percent -> metrics of the prediction sets, on clips that the thresholds were not fitted on.

    Args:
        runs: predictions of every seed.
        targets: per seed, position of the true class (clips,).
        fitted: per seed, probabilities (clips, classes) as served.
        found_elsewhere: per seed, coverage -> threshold for every clip (clips,), fitted on other clips.
        shipped: coverage -> the threshold that ships.
    """
    found: dict[str, SetMetrics] = {}
    for percent in COVERAGES if all(found_elsewhere) else ():
        inside, sizes, speakers = [], [], []
        for run, target, shares, elsewhere in zip(runs, targets, fitted, found_elsewhere, strict=True):
            thresholds = elsewhere[percent]
            held = (_right(shares, target) >= thresholds) | (shares.argmax(axis=1) == target)
            inside.append(held.mean())
            sizes.append(np.maximum((shares >= thresholds[:, None]).sum(axis=1), 1).mean())
            names = np.array(run.units)
            speakers.append(np.percentile([held[names == name].mean() for name in np.unique(names)], [0, 10, 50]))
        found[str(percent)] = {
            "threshold": shipped[percent],
            "coverage": float(np.mean(inside)),
            "size": float(np.mean(sizes)),
            "speakers": np.mean(speakers, axis=0).tolist(),
        }
    return found


def _intensity_ranking(runs: Sequence[OutOfFold]) -> IntensityRanking | None:
    """How often a strongly expressed clip is ranked above a mild one, among clips of any speaker and emotion, and among
    clips of the same speaker and emotion; 0.5 is chance. None where the network or the corpus has no intensities."""
    if any(run.intensities is None for run in runs):
        return None
    among = {
        "any": [_ranking(run, [""] * len(run.truth)) for run in runs],
        "same": [_ranking(run, list(zip(run.units, run.truth, strict=True))) for run in runs],
    }
    if None in among["any"] + among["same"]:
        return None
    return {name: float(np.mean(areas)) for name, areas in among.items()}


def _ranking(run: OutOfFold, groups: Sequence) -> float | None:
    """Mean over groups of clips of the area under the ROC curve between strong and mild ones; None without any."""
    names = sorted(set(groups))
    member = np.array([names.index(group) for group in groups])
    varied = [label for label in set(run.truth) if _both(run.intensities[np.array(run.truth) == label])]
    usable = np.isin(run.truth, varied) & np.isin(run.intensities[:, 0], (0, 1))
    chosen = [usable & (member == number) for number in range(len(names))]
    areas = [roc_auc_score(*run.intensities[own].T) for own in chosen if _both(run.intensities[own])]
    return float(np.mean(areas)) if areas else None


def _both(intensities: np.ndarray) -> bool:
    """Whether mild and strong clips are among (clips, 2)."""
    return {0.0, 1.0} <= set(intensities[:, 0])


def _right(shares: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(clips,) probability of the true class."""
    return shares[np.arange(len(targets)), targets]


def _parts(run: OutOfFold) -> list[str]:
    """The folds; the speakers where there is one fold; fifths of the clips where speakers are unknown."""
    for parts in (run.folds, run.speakers):
        if len(set(parts)) > 1:
            return parts
    return [str(clip % CLIP_PARTS) for clip in range(len(run.truth))]


def _largest(shares: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [own.max(axis=1) for own in shares]


def _confidence(logits: np.ndarray) -> np.ndarray:
    return softmax(logits, axis=1).max(axis=1)


def _trust(runs: Sequence[OutOfFold], before: Sequence[np.ndarray] | None, after: Sequence[np.ndarray]) -> dict:
    """Metrics of confidence, means over seeds: ECE and its value by chance; the share of clips whose prediction is
    neither "unsure" nor "no speech", and their accuracy; the risk-coverage curve. The points of the reliability diagram
    are of all seeds together."""
    correct = [np.array(run.predicted) == np.array(run.truth) for run in runs]
    sure = [_sure(run, confidence) for run, confidence in zip(runs, after, strict=True)]
    answered = [right[own].mean() if own.any() else 0.0 for right, own in zip(correct, sure, strict=True)]
    curves = [risk_coverage(*pair) for pair in zip(after, correct, strict=True)]
    return {
        "ece_before": None if before is None else _mean_error(before, correct),
        "ece": _mean_error(after, correct),
        "ece_floor": float(np.mean([calibration_floor(confidence) for confidence in after])),
        "answered": float(np.mean([own.mean() for own in sure])),
        "answered_accuracy": float(np.mean(answered)),
        "risk_coverage": np.mean(curves, axis=0).round(6).tolist(),
        "reliability_before": None if before is None else _pooled(before, correct),
        "reliability": _pooled(after, correct),
    }


def _sure(run: OutOfFold, confidence: np.ndarray) -> np.ndarray:
    """bool (clips,): whether the answer is an emotion and not called unsure."""
    least = UNSURE_BELOW if run.unsure_below is None else run.unsure_below
    return (confidence >= least) & (np.array(run.predicted) != NO_SPEECH)


def _mean_error(confidence: Sequence[np.ndarray], correct: Sequence[np.ndarray]) -> float:
    return float(np.mean([expected_calibration_error(*pair) for pair in zip(confidence, correct, strict=True)]))


def _pooled(confidence: Sequence[np.ndarray], correct: Sequence[np.ndarray]) -> list[list[float]]:
    return [list(point) for point in reliability(np.concatenate(confidence), np.concatenate(correct))]
