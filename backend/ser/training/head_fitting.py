"""Fits the linear layers on top of a frozen encoder's statistics in closed form, without epochs: see ``fit_probe``."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ser.models.conditional_head import ConditionalHead
from ser.training.linear_probe import INVERSE_PENALTY, fit_gated_probe, fit_probe

DOMAIN_INVERSE_PENALTY = 0.001  # corpora are easy to separate
NEVER = -1e4  # logit of a domain without a recording


def domains_of(corpora: Sequence[str], most: int) -> Tensor:
    """Returns the number of each clip's domain, int64 (clips,): its corpus, or 0 for all if there are too many."""
    numbers = np.unique(np.asarray(corpora), return_inverse=True)[1]
    return torch.from_numpy(numbers) if numbers.max(initial=0) < most else torch.zeros(len(numbers), dtype=torch.long)


def fit_domains(layer: nn.Linear, vectors: Tensor, domains: Tensor) -> None:
    """Fits a classifier of domains (clips,) from vectors (clips, size)."""
    targets = functional.one_hot(domains, len(layer.bias)).float()
    present = targets.any(dim=0)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.where(present, 0.0, NEVER))
    if present.sum() < 2:
        return
    even, allowed = torch.ones(len(vectors)), present.expand_as(targets)
    weight, bias = fit_probe(vectors, targets, allowed, even, inverse_penalty=DOMAIN_INVERSE_PENALTY)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias.masked_fill(~present, NEVER))


def fit_head(
    head: ConditionalHead, views: Tensor, shares: Tensor, targets: Tensor, allowed: Tensor, groups: Tensor
) -> None:
    """Fits a head to the training clips.

    The shared layer is penalised as much as those of the domains, so that with a single domain both are equal.

    Args:
        head: gets the weights.
        views: (views, clips, size), augmented versions of every clip.
        shares: (views, clips, domains), domain shares.
        targets: float (clips, classes).
        allowed: bool (clips, classes), the classes that a clip's corpus has.
        groups: int64 (clips,); all groups have the same total weight.
    """
    repeat = len(views)
    weights = 1 / torch.bincount(groups)[groups].float()
    gates = torch.cat([torch.ones(*shares.shape[:2], 1), shares], dim=2).flatten(0, 1) * math.sqrt(0.5)
    found, bias = fit_gated_probe(
        views.flatten(0, 1),
        gates,
        targets.repeat(repeat, 1),
        allowed.repeat(repeat, 1),
        (weights / weights.mean()).repeat(repeat),
        inverse_penalty=INVERSE_PENALTY / repeat,
    )
    with torch.no_grad():
        head.shared.weight.copy_(found[0] * math.sqrt(0.5))
        head.shared.bias.copy_(bias)
        head.added.copy_(found[1:] * math.sqrt(0.5))


def fit_speech_detector(layer: nn.Linear, speech: Tensor, sounds: Tensor) -> None:
    """Fits a layer that separates speech (clips, size) from other sounds (sounds, size)."""
    views = torch.cat([speech, sounds])
    spoken = torch.arange(len(views)) < len(speech)
    targets = torch.stack([~spoken, spoken], dim=1).float()
    weights = len(views) / (2 * targets.sum(dim=0))[spoken.long()]  # both classes weigh the same
    _copy_difference(layer, *fit_probe(views, targets, targets >= 0, weights))


def fit_intensity(layer: nn.Linear, vectors: Tensor, levels: Tensor, groups: Tensor) -> None:
    """Fits a layer that predicts how strongly an emotion is expressed.

    Only emotions that a corpus has in several intensities are used: from one that is always mild, such as neutral, the
    layer would learn the emotion instead.

    Args:
        layer: gets the weights; stays as it is where no emotion has several intensities.
        vectors: (clips, copies, size).
        levels: (clips,), 0 to 1, NaN where unknown.
        groups: int64 (clips,), corpus and emotion.
    """
    stated = ~levels.isnan()
    varied = [group for group in groups.unique().tolist() if len(levels[(groups == group) & stated].unique()) > 1]
    chosen = torch.isin(groups, torch.tensor(varied, dtype=torch.long)) & stated
    if not chosen.any():
        return
    repeated = levels[chosen].repeat_interleave(vectors.shape[1])
    targets = torch.stack([1 - repeated, repeated], dim=1)
    penalty = INVERSE_PENALTY / vectors.shape[1]
    views, even = vectors[chosen].flatten(0, 1), torch.ones_like(repeated)
    _copy_difference(layer, *fit_probe(views, targets, targets >= 0, even, inverse_penalty=penalty))


def _copy_difference(layer: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    """Writes the difference of two classes into a layer with one logit."""
    with torch.no_grad():
        layer.weight.copy_(weight[1:] - weight[:1])
        layer.bias.copy_(bias[1:] - bias[:1])
