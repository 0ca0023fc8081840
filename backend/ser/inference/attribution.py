"""Merges the attribution weights of all windows into one attribution over the recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ser.audio.waveform import SAMPLE_RATE
from ser.features.contours import cell_edges

AttributionKind = Literal["attention", "saliency"]


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """How much each moment of a recording contributed to the prediction.

    Attributes:
        kind: ``attention`` of a network that has one; otherwise ``saliency``, computed from gradients.
        start: where each stretch starts in s; stretches that no window covers are left out.
        end: where it ends in s.
        weight: its weight; the maximum is 1.
    """

    kind: AttributionKind
    start: list[float]
    end: list[float]
    weight: list[float]


@dataclass(frozen=True)
class WindowAttribution:
    """Attribution in one window: ``weights`` (steps,) of equal parts of the samples ``start`` to ``stop``."""

    start: int
    stop: int
    weights: np.ndarray


def merge_windows(windows: Sequence[WindowAttribution], samples: int, kind: AttributionKind) -> Attribution | None:
    """Merges windows, the weights of each relative to their own mean.

    Args:
        windows: in any order; overlapping windows are averaged.
        samples: length of the recording in samples at 16 kHz.
        kind: what the weights are.

    Returns:
        The cells of ``cell_edges`` that some window covers, or None where no window has more than one part.
    """
    if not any(len(window.weights) > 1 for window in windows):
        return None
    edges = cell_edges(samples / SAMPLE_RATE)
    mass, cover = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for window in windows:
        bounds = np.linspace(window.start, window.stop, len(window.weights) + 1) / SAMPLE_RATE
        share = window.weights / window.weights.mean()  # 1 is the average of the window
        total = np.insert(np.cumsum(share * np.diff(bounds)), 0, 0)
        first, last = np.searchsorted(edges, (bounds[0], bounds[-1])).tolist()
        near = slice(max(0, first - 1), last + 1)  # all other edges lie outside of the window
        mass[near.start : last] += np.diff(np.interp(edges[near], bounds, total))
        cover[near.start : last] += np.diff(edges[near].clip(bounds[0], bounds[-1]))
    there = cover > 1e-9
    weight = mass[there] / cover[there]
    return Attribution(
        kind=kind,
        start=edges[:-1][there].round(3).tolist(),
        end=edges[1:][there].round(3).tolist(),
        weight=(weight / weight.max()).round(4).tolist(),
    )
