"""Compares two evaluations on the same clips, and tests whether they differ by more than chance.

Clips of one speaker are not independent, so both tests are over speakers: a signed-rank test on each speaker's UA and a
paired bootstrap. A difference is significant when both agree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ser.core.atomic_write import write_text
from ser.core.errors import ProtocolError
from ser.evaluation.html import write_page
from ser.evaluation.metrics import difference_interval, paired_p_value
from ser.evaluation.metrics_file import Metrics
from ser.evaluation.out_of_fold import OutOfFold
from ser.evaluation.plots import plot_differences, to_svg
from ser.evaluation.summary import current

LEVEL = 0.05  # significance level
FEW_SPEAKERS = 6  # with fewer the signed-rank test cannot reach LEVEL
PAGE_FILE, JSON_FILE = "compare.html", "compare.json"
FIGURES = (  # as served first; a figure that only one of the two has is left out
    ("ua", "UA"),
    ("ua_masked", "UA, emotions of the corpus only"),
    ("ua_shared", "UA, emotions that all corpora share"),
    ("wa", "WA"),
    ("f1", "Macro F1"),
    ("weighted_f1", "Weighted F1"),
    ("ece", "ECE"),
)

Clip = tuple[str, str]  # speaker, file


def compare(one: Path, other: Path) -> dict:
    """Compares two finished evaluations.

    Args:
        one: folder that ``evaluate`` wrote.
        other: the same; differences are ``other`` - ``one``.

    Returns:
        The content of ``compare.json``; shares of 1.

    Raises:
        ProtocolError: a folder has no finished evaluation, or corpora, emotions, clips or labels differ.
    """
    (left, left_runs), (right, right_runs) = current(one), current(other)
    _check(left, left_runs, right, right_runs)
    answers = [[(run.truth, run.predicted, run.units) for run in runs] for runs in (left_runs, right_runs)]
    speakers = {name: right.per_speaker[name]["ua"] - left.per_speaker[name]["ua"] for name in left.per_speaker}
    figures = {name: (getattr(left, name), getattr(right, name)) for name, _ in FIGURES}
    found = {
        "a": _described(one, left),
        "b": _described(other, right),
        "corpus": left.corpus,
        "labels": left.labels,
        "clips": len(_clips(left_runs)),
        "figures": {name: _pair(*pair) for name, pair in figures.items() if None not in pair},
        "recalls": {label: _pair(left.recalls[label], right.recalls[label]) for label in left.labels},
        "speakers": speakers,
        "interval": list(difference_interval(*answers, left.labels)),
        "p_value": paired_p_value(list(speakers.values())),
    }
    return found | {"significant": significant(found), "verdict": verdict(found)}


def significant(found: Mapping) -> bool:
    """Whether the difference is significant by both tests."""
    low, high = found["interval"]
    return (low > 0 or high < 0) and found["p_value"] < LEVEL


def verdict(found: Mapping) -> str:
    """Returns a sentence on the size and the significance of the difference."""
    difference, (low, high) = found["figures"]["ua"]["difference"], found["interval"]
    better, worse = ("B", "A") if difference > 0 else ("A", "B")
    tests = (
        f"95 % interval over speakers {100 * low:+.1f} to {100 * high:+.1f} points, signed-rank test over "
        f"{len(found['speakers'])} speakers {chance(found)}"
    )
    if significant(found):
        return f"{better} is better than {worse} by {abs(100 * difference):.1f} points of UA ({tests})."
    few = " With so few speakers no difference can be significant." if len(found["speakers"]) < FEW_SPEAKERS else ""
    return f"The difference of {100 * difference:+.1f} points of UA is within chance ({tests}).{few}"


def chance(found: Mapping) -> str:
    """Returns "p = 0.012"."""
    return "p < 0.001" if found["p_value"] < 0.001 else f"p = {found['p_value']:.3f}"


def write_comparison(folder: Path, found: Mapping) -> Path:
    """Writes ``compare.json`` and ``compare.html`` and returns the page."""
    write_text(folder / JSON_FILE, json.dumps(found, indent=2) + "\n")
    differences = {name.rpartition("/")[2]: value for name, value in found["speakers"].items()}
    if len(differences) < len(found["speakers"]):  # two corpora have a speaker of the same name
        differences = dict(found["speakers"])
    picture = plot_differences(differences, "UA of B - UA of A (points)")
    better = sum(value > 0 for value in differences.values())
    worse = sum(value < 0 for value in differences.values())
    shown = [pair for pair in FIGURES if pair[0] in found["figures"]]
    values = {"found": found, "figures": shown, "picture_svg": to_svg(picture), "better": better, "worse": worse}
    values["chance"] = chance(found)
    write_page(folder / PAGE_FILE, "compare.html", values)
    return folder / PAGE_FILE


def _check(left: Metrics, left_runs: Sequence[OutOfFold], right: Metrics, right_runs: Sequence[OutOfFold]) -> None:
    """Raises ProtocolError unless both are on the same clips with the same labels."""
    if left.corpus != right.corpus:
        raise ProtocolError(f"A is on the corpus {left.corpus}, B on {right.corpus}; compare runs on the same corpus.")
    if differing := set(left.labels) ^ set(right.labels):
        raise ProtocolError(
            f"A has {len(left.labels)} emotions, B {len(right.labels)} (only one has "
            f"{', '.join(sorted(differing))}); run both with the same --labels."
        )
    one, other = _clips(left_runs), _clips(right_runs)
    if only := sorted(one.keys() ^ other.keys()):
        raise ProtocolError(
            f"A tests {len(one)} clips, B {len(other)}, and {len(only)} are in only one of them, e.g. {only[0][1]} of "
            f"{only[0][0]}; compare runs on the same test clips."
        )
    if changed := [clip for clip in one if one[clip] != other[clip]]:
        raise ProtocolError(
            f"{len(changed)} clips have another true label in B, e.g. {changed[0][1]}: {one[changed[0]]} and "
            f"{other[changed[0]]}; compare runs with the same labels."
        )


def _clips(runs: Sequence[OutOfFold]) -> dict[Clip, str]:
    """Every clip that is tested in any seed, with its true label."""
    return {
        (speaker, file): truth
        for run in runs
        for speaker, file, truth in zip(run.speakers, run.files, run.truth, strict=True)
    }


def _described(folder: Path, metrics: Metrics) -> dict:
    system = metrics.scoring["model"] if metrics.scoring else metrics.recipe
    name = folder.resolve().name
    return {
        "name": f"{system} ({name})" if system else name,
        "folder": name,
        "protocol": metrics.protocol,
        "leaky": metrics.speaker_independent is False,
        "seeds": metrics.seeds,
        "ua_std": metrics.ua_std,
        "command": metrics.command,
    }


def _pair(one: float, other: float) -> dict[str, float]:
    return {"a": one, "b": other, "difference": float(np.subtract(other, one))}
