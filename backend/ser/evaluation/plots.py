"""Plots the metrics of an evaluation with matplotlib: as PNG, or as SVG with a light and a dark scheme.

``plot_...`` functions return a figure, ``draw_...`` functions write it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ser.core.atomic_write import write_atomically

# colour in a picture -> the same on a dark page; the pairs are those of frontend/src/app/tokens.css
INK, QUIET, LINE, ACCENT, OTHER = "#1b2426", "#566266", "#d2cec5", "#0f6b66", "#b0700a"
DARK = {INK: "#e9eeed", QUIET: "#a5b1b2", LINE: "#39444a", ACCENT: "#5cc8bf", OTHER: "#f5b94a"}
STYLE = {
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 10,
    "grid.color": LINE,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text: small files that can be searched
    "svg.hashsalt": "ser",  # deterministic output
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
}
WIDTH = 4.2  # inches; two fit side by side on a page, one is readable on a phone
BAR_HEIGHT = 0.2  # inches
NAME_LETTERS = 26  # of a bar's name that are shown; some corpora name speakers by long hashes
HISTOGRAM_BINS = 30
PERCENT = PercentFormatter(1, decimals=0, symbol=" %")


def styled(plot: Any) -> Any:
    """Makes a function draw in ``STYLE``."""

    @wraps(plot)
    def draw(*values: Any, **options: Any) -> Figure:
        with matplotlib.rc_context(STYLE):
            return plot(*values, **options)

    return draw


@styled
def plot_reliability(before: Sequence[Sequence[float]] | None, after: Sequence[Sequence[float]]) -> Figure:
    """Plots accuracy over confidence; a point's area is its share of the clips, the diagonal is a calibrated model.

    Args:
        before: (mean confidence, accuracy, clips) of each bin without calibration; None where unknown.
        after: the same with calibration.
    """
    picture = Figure(figsize=(WIDTH, 3.7), layout="constrained")
    axes = picture.subplots()
    axes.plot([0, 1], [0, 1], color=QUIET, linestyle=":", linewidth=1, label="perfect calibration")
    curves = [(before, OTHER, "uncalibrated"), (after, ACCENT, "calibrated")]
    for points, color, label in curves:
        if points:
            confidence, accuracy, clips = np.asarray(points).T
            axes.plot(confidence, accuracy, color=color, linewidth=1.4, label=label)
            axes.scatter(confidence, accuracy, 260 * clips / clips.sum(), color=color, zorder=3)
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    _percent_axes(axes.xaxis, axes.yaxis)
    axes.legend(loc="upper left")
    return picture


@styled
def plot_risk_coverage(points: Sequence[Sequence[float]]) -> Figure:
    """Plots the accuracy of the most confident clips over their share; points are (coverage, accuracy)."""
    picture = Figure(figsize=(WIDTH, 3.7), layout="constrained")
    axes = picture.subplots()
    coverage, accuracy = np.asarray(points).T
    axes.plot(coverage, accuracy, color=ACCENT, linewidth=1.8)
    axes.axhline(accuracy[-1], color=QUIET, linestyle=":", linewidth=1)
    axes.text(0.01, accuracy[-1] - 0.01, "all clips", color=QUIET, va="top")
    axes.set(xlabel="coverage (most confident clips first)", ylabel="accuracy")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    _percent_axes(axes.xaxis, axes.yaxis)
    return picture


@styled
def plot_recalls(recalls: Mapping[str, float], overall: float, xlabel: str) -> Figure:
    """Plots one bar per name, best first, and a line at the overall value; shares of 1."""
    picture, axes = _bars(dict(sorted(recalls.items(), key=lambda pair: (-pair[1], pair[0]))), xlabel)
    axes.set(xlim=(0, 1))
    _percent_axes(axes.xaxis)
    axes.axvline(overall, color=OTHER, linewidth=1.4, label=f"all: {100 * overall:.1f} %")
    picture.legend(loc="outside upper right")
    return picture


@styled
def plot_differences(differences: Mapping[str, float], xlabel: str) -> Figure:
    """Plots one bar per name to either side of 0, largest first; shares of 1, shown in percentage points."""
    ranked = dict(sorted(differences.items(), key=lambda pair: (-pair[1], pair[0])))
    picture, axes = _bars({name: 100 * value for name, value in ranked.items()}, xlabel)
    axes.axvline(0, color=QUIET, linewidth=1)
    return picture


@styled
def plot_counts(counts: Mapping[str, int], xlabel: str) -> Figure:
    """Plots one bar per name, in the given order."""
    return _bars(counts, xlabel)[0]


@styled
def plot_histogram(values: Sequence[float], xlabel: str) -> Figure:
    """Plots a histogram and the median; empty without values."""
    picture = Figure(figsize=(WIDTH, 3), layout="constrained")
    axes = picture.subplots()
    axes.hist(values, bins=HISTOGRAM_BINS, color=ACCENT)
    if len(values):
        middle = float(np.median(values))
        axes.axvline(middle, color=OTHER, linewidth=1.4, label=f"median {middle:.1f}")
        axes.legend(loc="upper right")
    axes.set(xlabel=xlabel, ylabel="clips")
    _quiet_grid(axes, "y")
    return picture


def _bars(values: Mapping[str, float], xlabel: str) -> tuple[Figure, Any]:
    """Draws horizontal bars, the first one on top; negative values have another colour."""
    names = list(values)[::-1]
    picture = Figure(figsize=(WIDTH, 0.9 + BAR_HEIGHT * len(names)), layout="constrained")
    axes = picture.subplots()
    lengths = [values[name] for name in names]
    axes.barh(range(len(names)), lengths, height=0.72, color=[ACCENT if value >= 0 else OTHER for value in lengths])
    shown = [name if len(name) <= NAME_LETTERS else f"{name[: NAME_LETTERS - 1]}…" for name in names]
    axes.set_yticks(range(len(names)), shown, fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(-0.6, len(names) - 0.4), xlabel=xlabel)
    _quiet_grid(axes, "x")
    return picture, axes


def _quiet_grid(axes: Any, axis: str) -> None:
    axes.grid(True, axis=axis, linewidth=0.6)
    axes.set_axisbelow(True)


def _percent_axes(*axes: Any) -> None:
    for axis in axes:
        axis.set_major_formatter(PERCENT)
        axis.set_ticks(np.arange(0, 1.01, 0.2))
        axis.grid(True, linewidth=0.6)
        axis.axes.set_axisbelow(True)


def to_svg(picture: Figure) -> str:
    """Returns a figure as SVG without background, whose colours follow the preferred colour scheme."""
    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE):
        picture.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    names = {color: f"--c{number}" for number, color in enumerate(DARK)}
    for color, name in names.items():
        svg = svg.replace(color, f"var({name})")
    light = ";".join(f"{name}:{color}" for color, name in names.items())
    dark = ";".join(f"{name}:{DARK[color]}" for color, name in names.items())
    style = f"<style>svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
    return re.sub(r"(<svg[^>]*>)", lambda match: match[1] + style, svg, count=1)


def save_picture(picture: Figure, file: Path) -> None:
    """Writes a figure as PNG."""
    write_atomically(file, lambda part: picture.savefig(part, dpi=120, format="png"))


def draw_confusion(
    file: Path,
    confusion: Sequence[Sequence[int]],
    labels: Sequence[str],
    title: str,
    answers: Sequence[str] | None = None,
) -> None:
    """Draws a confusion matrix, rows normalised to the recall, with the number of clips in every cell.

    Args:
        file: PNG to write.
        confusion: rows are true labels, columns predicted ones.
        labels: names of both.
        title: of the plot, with the protocol.
        answers: names of the columns if they differ.
    """
    columns = answers or labels
    counts = np.asarray(confusion)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    picture = Figure(figsize=(7, 6.4), layout="constrained")
    axes = picture.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set(
        title=title,
        xlabel="predicted",
        ylabel="true",
        xticks=range(len(columns)),
        yticks=range(len(labels)),
    )
    axes.set_xticklabels(columns, rotation=45, ha="right")
    axes.set_yticklabels(labels)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if share[row, column] > 0.5 else "black"
        text = f"{100 * share[row, column]:.0f} %\n{count}"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    save_picture(picture, file)


def draw_curves(file: Path, loss: Sequence[float], recall: Sequence[float | None], best_epoch: int) -> None:
    """Draws the training loss and the validation UA (share of 1) over the epochs, and the selected epoch."""
    picture = Figure(figsize=(7, 4), layout="constrained")
    axes = picture.subplots()
    epochs = range(1, len(loss) + 1)
    axes.plot(epochs, loss, color="tab:gray", label="training loss")
    axes.set(xlabel="epoch", ylabel="training loss (nat)")
    axes.axvline(best_epoch, color="black", linestyle=":", label=f"selected: epoch {best_epoch}")
    if recall[0] is not None:
        right = axes.twinx()
        right.plot(epochs, [100 * value for value in recall], color="tab:blue", label="validation UA")
        right.set(ylabel="validation UA (%), unseen speakers", ylim=(0, 100))
    picture.legend(loc="outside upper right", ncols=3)
    save_picture(picture, file)


def draw_adaptation(file: Path, figures: Mapping[tuple[str, str, str], tuple[float, float]]) -> None:
    """Draws the UA without and with adaptation over the number of clips, one plot per corpus, one line per mixture.

    Args:
        file: PNG to write.
        figures: (corpus, mixture, number of clips) -> UA without and with adaptation, in percent.
    """
    corpora, mixtures = (list(dict.fromkeys(key[part] for key in figures)) for part in (0, 1))
    picture = Figure(figsize=(4 * len(corpora), 4), layout="constrained")
    for axes, corpus in zip(np.atleast_1d(picture.subplots(1, len(corpora), sharey=True)), corpora, strict=True):
        for number, mixture in enumerate(mixtures):
            sizes = [key[2] for key in figures if key[:2] == (corpus, mixture)]
            plain, adapted = zip(*(figures[corpus, mixture, size] for size in sizes), strict=True)
            axes.plot(sizes, plain, color=f"C{number}", linestyle=":", marker="o", markerfacecolor="white")
            axes.plot(sizes, adapted, color=f"C{number}", marker="o", label=mixture)
        axes.set(title=f"{corpus}, never heard", xlabel="clips of a speaker")
    picture.axes[0].set(ylabel="UA (%), all classes")
    picture.axes[0].legend(title="solid: adapted, dotted: not")
    save_picture(picture, file)
