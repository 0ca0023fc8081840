"""Makes the tables of models in the READMEs: ``python -m benchmarks.accuracy.leaderboard``, in backend/.

Every model in ``weights/`` gets a row for each of its figures on unseen speakers. Everything but the time per clip is
read from the model's folder, the figures from the predictions in ``evaluation/``; the time is the median over the three
sample clips of the page, each predicted ten times with one thread. ``--write`` writes the tables into the READMEs;
``--others`` prints the further evaluations of the same recipes from ``weights/*/benchmarks/`` instead.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch

from ser.core.atomic_write import write_text
from ser.core.settings import PROJECT, load_settings
from ser.evaluation.metrics_file import METRICS_FILE, Metrics
from ser.evaluation.summary import current
from ser.inference.predictor import load_predictor
from ser.models.checkpoint import WEIGHTS_FILE, Figure, ModelInfo, list_models

SAMPLES = sorted((PROJECT / "frontend" / "public" / "samples").glob("*.wav"))
ROUNDS = 10
TIME = "Time per clip"
LEADERBOARD = (
    "Model",
    "Size",
    TIME,
    "Test corpus",
    "Protocol",
    "Classes",
    "Seeds",
    "UA as served",
    "UA, classes of the corpus only",
    "UA, shared classes",
    "ECE as served (floor)",
    "Sure answers",
    "Training time",
    "Command",
)
SHORT = (
    "Model",
    "Parameters",
    "Test corpus",
    "Protocol",
    "Classes",
    "Seeds",
    "UA as served",
    "UA, classes of the corpus only",
    "WA",
    "Macro F1",
    "Weighted F1",
    "LEAKY WA",
    "Training time",
    TIME,
)
OTHERS = ("Recipe", "Test corpus", "Protocol", "Classes", "Seeds", "UA", "WA", "ECE (floor)")
TABLES = {PROJECT / "weights" / "README.md": LEADERBOARD, PROJECT / "README.md": SHORT}
MARKED = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- /table -->)", re.DOTALL)


def main() -> None:
    """Prints a table as Markdown, or writes the tables of models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", action="store_true", help="print the further evaluations of the same recipes")
    parser.add_argument("--write", action="store_true", help="write the tables of models into the READMEs")
    options = parser.parse_args()
    if options.others:
        print(markdown(OTHERS, list(others())), end="")
        return
    rows = models(milliseconds())
    if not options.write:
        print(markdown(LEADERBOARD, rows), end="")
        return
    for file, columns in TABLES.items():
        text = file.read_text(encoding="utf-8")
        write_text(file, MARKED.sub(lambda _, columns=columns: markdown(columns, rows), text, count=1))


def markdown(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """Returns the columns of the rows as a table."""
    head, *lines = (
        "| " + " | ".join(cells) + " |\n" for cells in (columns, *([row[name] for name in columns] for row in rows))
    )
    return head + "|" + "---|" * len(columns) + "\n" + "".join(lines)


def models(times: Mapping[str, float]) -> list[dict[str, str]]:
    """Returns a row for every figure on unseen speakers, the best one of each corpus and protocol first.

    Args:
        times: model -> ms per clip; the column is empty where it is missing.
    """
    found = []
    for info in list_models(load_settings().weights):
        for figure in info.unseen_figures:
            metrics, _ = current(load_settings().weights / info.name / "evaluation" / figure.folder)
            found.append((figure.corpus, figure.protocol, figure.classes, -metrics.ua, _row(info, metrics, times)))
    return [row for *_, row in sorted(found, key=lambda one: one[:-1])]


def others() -> Iterator[dict[str, str]]:
    """Yields a row for every other evaluation whose predictions are stored."""
    for folder in sorted(load_settings().weights.glob("*/benchmarks/*")):
        metrics, _ = current(folder)
        one = metrics.figure
        cells = (*_measured(one), one.text, f"{one.wa:.1f}", _calibration(metrics))
        yield dict(zip(OTHERS, (f"`{metrics.recipe}`", *cells), strict=True))


def beside_served(metrics: Metrics, name: str) -> str:
    """Returns ``ua_masked`` or ``ua_shared`` for display, in percent; empty where the evaluation has none."""
    ua, spread = getattr(metrics, name), getattr(metrics, f"{name}_std")
    if ua is None:
        return ""
    return f"{100 * ua:.1f}" + (f" ± {100 * spread:.1f}" if metrics.seeds > 1 else "")


def _row(info: ModelInfo, metrics: Metrics, times: Mapping[str, float]) -> dict[str, str]:
    one = metrics.figure
    megabytes = (load_settings().weights / info.name / WEIGHTS_FILE).stat().st_size / 1e6
    measured = (one.corpus, one.classes)
    leaky = [own for own in info.figures if not own.speaker_independent and (own.corpus, own.classes) == measured]
    return {
        "Model": f"`{info.name}`",
        "Parameters": f"{info.parameters / 1e6:.2f} M",
        "Size": f"{info.parameters / 1e6:.2f} M, {megabytes:.1f} MB",
        TIME: f"{times[info.name]:.0f} ms" if info.name in times else "",
        **dict(zip(("Test corpus", "Protocol", "Classes", "Seeds"), _measured(one), strict=True)),
        "UA as served": f"**{one.text}**",
        "UA, classes of the corpus only": beside_served(metrics, "ua_masked"),
        "UA, shared classes": beside_served(metrics, "ua_shared"),
        "WA": f"{one.wa:.1f}",
        "Macro F1": f"{one.f1:.1f}",
        "Weighted F1": f"{one.weighted_f1:.1f}",
        "ECE as served (floor)": _calibration(metrics),
        "Sure answers": f"{100 * metrics.answered:.0f} %, {100 * metrics.answered_accuracy:.0f} % of them right",
        "LEAKY WA": f"{leaky[0].wa:.1f}" if leaky else "",
        "Training time": _duration(info.training["seconds"]) if "seconds" in info.training else "",
        "Command": f"[{METRICS_FILE}]({info.name}/evaluation/{one.folder}/{METRICS_FILE})",
    }


def _measured(figure: Figure) -> tuple[str, str, str, str]:
    return figure.corpus, f"`{figure.protocol}`", str(figure.classes), str(figure.seeds)


def _calibration(metrics: Metrics) -> str:
    return f"{100 * metrics.ece:.1f} ({100 * metrics.ece_floor:.1f})"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def milliseconds() -> dict[str, float]:
    """Measures every model: ms per clip, from bytes to answer, with one thread."""
    torch.set_num_threads(1)
    found = {}
    for info in list_models(load_settings().weights):
        predictor = load_predictor(info.name, load_settings())
        found[info.name] = 1000 * statistics.median(
            _seconds(predictor, path) for path in SAMPLES for _ in range(ROUNDS)
        )
    return found


def _seconds(predictor, path: Path) -> float:
    content = path.read_bytes()
    began = time.perf_counter()
    predictor.predict(content)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
