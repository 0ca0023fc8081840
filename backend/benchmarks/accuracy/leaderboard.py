"""Prints the table of models in the README: ``python -m benchmarks.accuracy.leaderboard``, in backend/.

Everything but the time per clip is read from ``weights/``; the time is the median over the three sample clips of the
page, each predicted ten times with one thread. ``--others`` prints the further evaluations of the same
recipes from ``weights/*/benchmarks/``; ``--served`` scores the ``joint`` evaluations again with every class allowed.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from ser.core.settings import PROJECT, load_settings
from ser.evaluation.metrics import NO_SPEECH
from ser.evaluation.summary import current
from ser.inference.predictor import load_predictor
from ser.models.checkpoint import Figure, ModelInfo, list_models

SAMPLES = sorted((PROJECT / "frontend" / "public" / "samples").glob("*.wav"))
ROUNDS = 10
HEAD = (
    "Model",
    "Parameters",
    "Test corpus",
    "Protocol",
    "Classes",
    "Seeds",
    "UA",
    "WA",
    "Macro F1",
    "Weighted F1",
    "LEAKY WA",
    "Training time",
    "Time per clip",
)
OTHERS = ("Recipe", "Test corpus", "Protocol", "Classes", "Seeds", "UA", "WA", "ECE (floor)")
SERVED = ("Model", "Test corpus", "Protocol", "Classes in corpus", "Seeds", "UA, classes of the corpus", "UA as served")


def main() -> None:
    """Prints a table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", action="store_true", help="print the further evaluations of the same recipes")
    parser.add_argument("--served", action="store_true", help="print the figures with every class of the model allowed")
    options = parser.parse_args()
    head, rows = (OTHERS, others()) if options.others else (SERVED, served()) if options.served else (HEAD, models())
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def models() -> Iterator[tuple[str, ...]]:
    """Yields a row for every figure on unseen speakers of the shipped models."""
    torch.set_num_threads(1)
    for info in list_models(load_settings().weights):
        milliseconds = _milliseconds(info.name)
        for one in info.unseen_figures:
            yield _row(info, one, milliseconds)


def others() -> Iterator[tuple[str, ...]]:
    """Yields a row for every other evaluation whose predictions are stored."""
    for folder in sorted(load_settings().weights.glob("*/benchmarks/*")):
        metrics, _ = current(folder)
        one = metrics.figure
        yield (
            f"`{metrics.recipe}`",
            one.corpus,
            f"`{one.protocol}`",
            str(one.classes),
            str(one.seeds),
            one.text,
            f"{one.wa:.1f}",
            f"{100 * metrics.ece:.1f} ({100 * metrics.ece_floor:.1f})",
        )


def served() -> Iterator[tuple[str, ...]]:
    """Yields a row for every ``joint`` figure, with the UA when the model may predict any of its classes.

    The evaluation of all corpora together has a logit for every class; a clip without speech still counts as wrong.
    """
    for info in list_models(load_settings().weights):
        for one in info.unseen_figures:
            if one.protocol == "joint":
                folder = load_settings().weights / info.name / "evaluation"
                (pooled,) = folder.glob(f"*+*-joint-{len(info.labels)}classes")
                scores = [_served_ua(file, one.corpus) for file in sorted(pooled.glob("out_of_fold_seed*.csv"))]
                spread = f" ± {statistics.stdev(scores):.1f}" if len(scores) > 1 else ""
                own = f"{one.ua:.1f} ± {one.ua_std:.1f}" if one.seeds > 1 else f"{one.ua:.1f}"
                counts = str(one.classes), str(one.seeds)
                yield f"`{info.name}`", one.corpus, "`joint`", *counts, own, f"{statistics.mean(scores):.1f}{spread}"


def _served_ua(file: Path, corpus: str) -> float:
    """Mean recall in percent over the emotions of one corpus, from the likeliest of all classes."""
    right: dict[str, list[bool]] = {}
    with file.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["corpus"] == corpus:
                logits = {name.removeprefix("logit_"): row[name] for name in row if name.startswith("logit_")}
                silent = row["predicted"] == NO_SPEECH
                answer = NO_SPEECH if silent else max(logits, key=lambda name: float(logits[name]))
                right.setdefault(row["truth"], []).append(answer == row["truth"])
    return 100 * statistics.mean(statistics.mean(hits) for hits in right.values())


def _row(info: ModelInfo, figure: Figure, milliseconds: float) -> tuple[str, ...]:
    measured = (figure.corpus, figure.classes)
    leaky = [one for one in info.figures if not one.speaker_independent and (one.corpus, one.classes) == measured]
    return (
        f"`{info.name}`",
        f"{info.parameters / 1e6:.2f} M",
        figure.corpus,
        f"`{figure.protocol}`",
        str(figure.classes),
        str(figure.seeds),
        f"**{figure.text}**",
        f"{figure.wa:.1f}",
        f"{figure.f1:.1f}",
        f"{figure.weighted_f1:.1f}",
        f"{leaky[0].wa:.1f}" if leaky else "",
        _duration(info.training["seconds"]),
        f"{milliseconds:.0f} ms",
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def _milliseconds(model: str) -> float:
    predictor = load_predictor(model, load_settings())
    return 1000 * statistics.median(_seconds(predictor, path) for path in SAMPLES for _ in range(ROUNDS))


def _seconds(predictor, path: Path) -> float:
    content = path.read_bytes()
    began = time.perf_counter()
    predictor.predict(content)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
