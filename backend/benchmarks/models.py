"""The table of models in the README: ``python -m benchmarks.models``, in backend/.

Everything but the time per clip is read from what ships in ``weights/``; the time is the median of the three sample
clips of the page, each heard ten times, one thread. ``--others`` prints what else was measured with the same recipes,
from ``weights/*/benchmarks/``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from ser.core.settings import PROJECT, load_settings
from ser.evaluation.summary import current
from ser.inference.predictor import load_predictor
from ser.models.checkpoint import Figure, ModelInfo, list_models

SAMPLES = sorted((PROJECT / "frontend" / "public" / "samples").glob("*.wav"))
ROUNDS = 10
HEAD = (
    "Model",
    "Parameters",
    "Heard",
    "Protocol",
    "Classes",
    "UA",
    "WA",
    "Macro F1",
    "Weighted F1",
    "LEAKY WA",
    "Training",
    "A clip",
)
OTHERS = ("Recipe", "Corpus", "Protocol", "Classes", "UA", "WA", "ECE (floor)")


def main() -> None:
    """Prints a table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", action="store_true", help="what else was measured")
    head, rows = (OTHERS, others()) if parser.parse_args().others else (HEAD, models())
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def models() -> Iterator[tuple[str, ...]]:
    """Yields a row for every figure of unseen speakers that a model ships with."""
    torch.set_num_threads(1)
    for info in list_models(load_settings().weights):
        milliseconds = _milliseconds(info.name)
        for one in info.unseen_figures:
            yield _row(info, one, milliseconds)


def others() -> Iterator[tuple[str, ...]]:
    """Yields a row for every other evaluation whose predictions are kept."""
    for folder in sorted(load_settings().weights.glob("*/benchmarks/*")):
        metrics, _ = current(folder)
        one = metrics.figure
        yield (
            f"`{metrics.recipe}`",
            one.corpus,
            f"`{one.protocol}`",
            str(one.classes),
            one.text,
            f"{one.wa:.1f}",
            f"{100 * metrics.ece:.1f} ({100 * metrics.ece_floor:.1f})",
        )


def _row(info: ModelInfo, figure: Figure, milliseconds: float) -> tuple[str, ...]:
    measured = (figure.corpus, figure.classes)
    leaky = [one for one in info.figures if not one.speaker_independent and (one.corpus, one.classes) == measured]
    return (
        f"`{info.name}`",
        f"{info.parameters / 1e6:.2f} M",
        figure.corpus,
        f"`{figure.protocol}`",
        str(figure.classes),
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
