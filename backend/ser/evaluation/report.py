"""Writes the report of an evaluation: ``Metrics`` -> ``report.html`` and plots in the same folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ser.data.corpus import find_corpora
from ser.data.splits import HELD_OUT, PROTOCOLS
from ser.evaluation.html import write_page
from ser.evaluation.metrics import CALIBRATION_BINS
from ser.evaluation.metrics_file import GroupMetrics, Metrics
from ser.evaluation.plots import (
    draw_confusion,
    plot_recalls,
    plot_reliability,
    plot_risk_coverage,
    save_picture,
    to_svg,
)
from ser.evaluation.summary import PREDICTIONS_FILE

REPORT_FILE = "report.html"
COVERAGES = (1.0, 0.8, 0.6)
CONFUSED = 3  # pairs of emotions that are listed
GROUPS = ("sex", "age", "race")
_ADAPTED = {
    "speaker": ", adapted to each speaker without labels",
    "folder": ", adapted to the speaker of each folder without labels",
}
PROBLEMS = ("unknown", "not_chosen", "failed", "as_neutral")  # of a scoring


def write_report(folder: Path, metrics: Metrics) -> Path:
    """Writes ``report.html``, ``confusion.png``, ``reliability.png``, ``risk_coverage.png`` and ``speakers.png``.

    Args:
        folder: where ``metrics.json`` is.
        metrics: its content.

    Returns:
        The page.
    """
    pictures = {
        "reliability": plot_reliability(metrics.reliability_before, metrics.reliability),
        "risk_coverage": plot_risk_coverage(metrics.risk_coverage),
        "speakers": plot_recalls(
            {name: own["ua"] for name, own in _speakers(metrics).items()}, metrics.ua, "UA of the speaker"
        ),
    }
    for name, picture in pictures.items():
        save_picture(picture, folder / f"{name}.png")
    title = f"{_title(metrics)}, {metrics.protocol}: UA {100 * metrics.ua:.1f} %"
    draw_confusion(folder / "confusion.png", metrics.confusion, metrics.labels, title, metrics.answers)
    values = page_values(metrics) | {"pictures": {name: to_svg(picture) for name, picture in pictures.items()}}
    write_page(folder / REPORT_FILE, "report.html", values)
    return folder / REPORT_FILE


def page_values(metrics: Metrics) -> dict:
    """Returns the values for the template, without the plots."""
    speakers = _speakers(metrics)
    ranked = sorted(({"name": name, **own} for name, own in speakers.items()), key=lambda own: own["ua"])
    scoring = metrics.scoring
    return {
        "metrics": metrics,
        "title": _title(metrics),
        "protocol": protocol_in_words(metrics),
        "leaky": metrics.speaker_independent is False,
        "interval_over": f"{len(ranked)} speakers" if len(ranked) > 1 else "clips",
        "measured": _measured(metrics),
        "restricted": _restricted(metrics),
        "scoring": scoring,
        "problems": scoring if scoring and any(scoring.get(name) for name in PROBLEMS) else None,
        "confusion": _shares(metrics.confusion, metrics.labels),
        "confused": _confused(metrics),
        "speakers": speakers,
        "worst": ranked[0],
        "best": ranked[-1],
        "by_group": [(name, groups) for name in GROUPS if (groups := metrics.groups(name))],
        "calibration": _calibration(metrics),
        "coverages": [(wanted, dict(map(tuple, metrics.risk_coverage))[wanted]) for wanted in COVERAGES],
        "sets": list(metrics.sets.items()),
        "intensity": metrics.intensity,
        "bins": CALIBRATION_BINS,
        "epochs": _epochs(metrics.best_epochs),
        "one_fold": bool(metrics.best_epochs) and len(metrics.best_epochs[0]) == 1,
        "held_out": metrics.protocol in HELD_OUT,
        "files": _files(metrics),
    }


def protocol_in_words(metrics: Metrics) -> str:
    """Describes the protocol in a sentence or two."""
    if scoring := metrics.scoring:
        among = f", choosing among {', '.join(scoring['emotions'])} only" if scoring.get("emotions") else ""
        adapted = _ADAPTED.get(scoring.get("adapt", "none"), "")
        return f"The model {scoring['model']} on the recordings in {scoring['folder']}{among}{adapted}"
    protocol = (PROTOCOLS | HELD_OUT)[metrics.protocol]
    summary = f"Protocol {protocol.name}: {protocol.summary}"
    return summary + (". No test speaker is in the training data." if metrics.speaker_independent else ".")


def _title(metrics: Metrics) -> str:
    corpora = find_corpora()
    corpus = corpora[metrics.corpus].title if metrics.corpus in corpora else metrics.corpus
    if scoring := metrics.scoring:
        among = f" among {', '.join(scoring['emotions'])}" if scoring.get("emotions") else ""
        adapted = ", adapted" if scoring.get("adapt", "none") != "none" else ""
        return f"{scoring['model']} on {Path(scoring['folder']).name}{among}{adapted}"
    return f"{metrics.recipe} on {corpus}" if metrics.recipe else corpus


def _measured(metrics: Metrics) -> list[tuple[str, str]]:
    """Rows of the table that describes the run."""
    emotions = ("Emotions", f"{len(metrics.labels)}: {', '.join(metrics.labels)}")
    unknown = all(name.endswith("/") for name in metrics.per_speaker)
    speakers = ("Speakers", "unknown" if unknown else f"{metrics.speakers:,}")
    if scoring := metrics.scoring:
        return [
            ("Model", f"{scoring['model']}, trained on {', '.join(scoring['trained_on'])}"),
            ("Recordings", scoring["folder"]),
            ("Labels", scoring["listing"]),
            emotions,
            ("Clips", f"{metrics.clips:,} scored"),
            speakers,
        ]
    length = "whole" if metrics.clip_seconds is None else f"the first {metrics.clip_seconds:g} s"
    return [
        ("Recipe", metrics.recipe or "not recorded; see the command"),
        ("Corpus", metrics.corpus),
        ("Protocol", metrics.protocol),
        emotions,
        ("Clips", f"{metrics.clips:,} in the test, {length}"),
        speakers,
        ("Seeds", _seeds(metrics)),
    ]


def _restricted(metrics: Metrics) -> list[tuple[str, str]]:
    """Rows of the table of UAs with fewer classes to choose from."""
    shared = f"UA, emotions that all corpora share ({', '.join(metrics.shared_labels)})"
    rows = [
        ("UA, emotions of the corpus only", metrics.ua_masked, metrics.ua_masked_std),
        (shared, metrics.ua_shared, metrics.ua_shared_std),
    ]
    spread = " ± {:.1f}" if metrics.seeds > 1 else ""
    return [(name, f"{100 * ua:.1f} %" + spread.format(100 * std)) for name, ua, std in rows if ua is not None]


def _speakers(metrics: Metrics) -> dict[str, GroupMetrics]:
    """Speaker -> UA and clips; the corpus, which a speaker's name begins with, is omitted if there is only one."""
    every = metrics.per_speaker
    corpora = {name.partition("/")[0] for name in every}
    return {name.partition("/")[2] or name: own for name, own in every.items()} if len(corpora) == 1 else dict(every)


def _files(metrics: Metrics) -> str:
    if metrics.scoring or metrics.protocol in HELD_OUT:
        return PREDICTIONS_FILE
    return "out_of_fold_seed0.csv" + (" ..." if metrics.seeds > 1 else "")


def _seeds(metrics: Metrics) -> str:
    if metrics.seeds == 1:
        return "1"
    return f"{metrics.seeds} (UA {', '.join(f'{100 * ua:.1f}' for ua in metrics.ua_by_seed)} %)"


def _shares(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> list[tuple[str, list[tuple[int, float]]]]:
    """Rows of (label, [(clips, share of the row)])."""
    return [
        (label, [(count, count / max(sum(row), 1)) for count in row])
        for label, row in zip(labels, confusion, strict=True)
    ]


def _confused(metrics: Metrics) -> list[tuple[str, str, float]]:
    """The pairs of emotions that are most often confused: (true, predicted, share)."""
    pairs = [
        (true, answer, share)
        for true, cells in _shares(metrics.confusion, metrics.labels)
        for answer, (_, share) in zip(metrics.answers, cells, strict=True)
        if answer != true and share > 0
    ]
    return sorted(pairs, key=lambda pair: -pair[2])[:CONFUSED]


def _calibration(metrics: Metrics) -> list[tuple[str, str]]:
    before = metrics.ece_before
    return [
        *([] if before is None else [("ECE uncalibrated", f"{100 * before:.1f} %")]),
        ("ECE calibrated", f"{100 * metrics.ece:.1f} %"),
        ("ECE by chance", f"{100 * metrics.ece_floor:.1f} %"),
        (
            "Temperature",
            f"{metrics.temperature:.2f}, "
            + ("the model's" if metrics.scoring or metrics.protocol in HELD_OUT else "fitted on all folds"),
        ),
    ]


def _epochs(best_epochs: Sequence[Mapping[str, int]]) -> list[tuple[str, list[object]]]:
    """Rows of (fold, epoch of every seed)."""
    names = list(dict.fromkeys(name for one in best_epochs for name in one))
    return [(name, [one.get(name, "") for one in best_epochs]) for name in names]
