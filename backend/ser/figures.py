"""Owns the pictures: learning curves and confusion matrices, drawn with matplotlib into PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ser.files import write_atomically


def draw_confusion(file: Path, confusion: Sequence[Sequence[int]], labels: Sequence[str], title: str) -> None:
    """Draws a confusion matrix, rows normalised to the recall, with the number of clips in every cell.

    Args:
        file: PNG to write.
        confusion: rows are true labels, columns predicted ones.
        labels: names of both.
        title: what was measured, protocol included.
    """
    counts = np.asarray(confusion)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    picture = Figure(figsize=(7, 6.4), layout="constrained")
    axes = picture.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set(
        title=title,
        xlabel="predicted",
        ylabel="true",
        xticks=range(len(labels)),
        yticks=range(len(labels)),
    )
    axes.set_xticklabels(labels, rotation=45, ha="right")
    axes.set_yticklabels(labels)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if share[row, column] > 0.5 else "black"
        text = f"{100 * share[row, column]:.0f} %\n{count}"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    _save(picture, file)


def draw_curves(file: Path, loss: Sequence[float], recall: Sequence[float | None], best_epoch: int) -> None:
    """Draws the training loss and the validation UA (share of 1) over the epochs, and which epoch was taken."""
    picture = Figure(figsize=(7, 4), layout="constrained")
    axes = picture.subplots()
    epochs = range(1, len(loss) + 1)
    axes.plot(epochs, loss, color="tab:gray", label="training loss")
    axes.set(xlabel="epoch", ylabel="training loss (nat)")
    axes.axvline(best_epoch, color="black", linestyle=":", label=f"taken: epoch {best_epoch}")
    if recall[0] is not None:
        right = axes.twinx()
        right.plot(epochs, [100 * value for value in recall], color="tab:blue", label="validation UA")
        right.set(ylabel="validation UA (%), unseen speakers", ylim=(0, 100))
    picture.legend(loc="outside upper right", ncols=3)
    _save(picture, file)


def _save(picture: Figure, file: Path) -> None:
    write_atomically(file, lambda part: picture.savefig(part, dpi=120, format="png"))
