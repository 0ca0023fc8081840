"""Fits the out-of-distribution temperature from the training corpora alone.

Each corpus is held out once: a head is fitted on the others and predicts the held-out one; its overconfidence there, as
a function of the distance, gives the slope. The temperature within each domain is fitted the same way, on a held-out
quarter of the speakers. Only training clips are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from ser.models.conditional_head import ConditionalHead, OodTemperature
from ser.models.layers import Standardise
from ser.training.head_fitting import fit_domains, fit_head
from ser.training.losses import masked_cross_entropy

STEEPEST = 5.0  # slope at which the temperature is e at 1.2 times the usual distance
PARTS = 4  # of the speakers, each held out once


@dataclass(frozen=True)
class Clips:
    """Training clips.

    Attributes:
        views: (clips, views, size), the first of them the unchanged recording, the others augmented.
        targets: int64 (clips,).
        allowed: bool (clips, classes), the classes that a clip's corpus has.
        groups: int64 (clips,), corpus and class.
        domains: int64 (clips,), the corpus.
        speakers: int64 (clips,).
    """

    views: Tensor
    targets: Tensor
    allowed: Tensor
    groups: Tensor
    domains: Tensor
    speakers: Tensor

    def only(self, chosen: Tensor) -> Clips:
        """Returns the clips where ``chosen`` (clips,) is true."""
        parts = (self.views, self.targets, self.allowed, self.groups, self.domains, self.speakers)
        return Clips(*(part[chosen] for part in parts))


@dataclass(frozen=True)
class _HeldOut:
    """Predictions for held-out clips: logits, domain shares, distances (see ``OodTemperature``), clips."""

    logits: Tensor
    shares: Tensor
    distances: Tensor
    clips: Clips


def fit_ood_temperature(temperature: OodTemperature, clips: Clips) -> None:
    """Fits a network's out-of-distribution temperature; it stays 1 where there is only one corpus.

    Args:
        temperature: gets the values.
        clips: all training clips.
    """
    numbers = clips.domains.unique().tolist()
    if len(numbers) < 2:
        return
    temperature.fit(clips.views, clips.domains)
    speakers = int(clips.speakers.max()) + 1
    parts = (torch.randperm(speakers, generator=torch.Generator().manual_seed(0)) % PARTS)[clips.speakers]
    within = (_predict(temperature, clips.only(parts != part), clips.only(parts == part)) for part in range(PARTS))
    own = [part for predictions in within for part in _by_domain(predictions)]
    left_out = (clips.domains == number for number in numbers)
    foreign = [_predict(temperature, clips.only(~out), clips.only(out)) for out in left_out]

    def own_loss(by_domain: Tensor) -> Tensor:
        return torch.stack([_loss(one, one.shares @ by_domain) for one in own]).mean()

    def foreign_loss(slope: Tensor) -> Tensor:
        excess = [slope * (one.distances - 1).clamp_min(0) for one in foreign]
        pairs = zip(foreign, excess, strict=True)
        return torch.stack([_loss(one, one.shares @ temperature.by_kind + more) for one, more in pairs]).mean()

    temperature.by_kind.copy_(_minimise(own_loss, len(temperature.by_kind), bounds=(-3.0, 3.0)))
    temperature.slope.copy_(_minimise(foreign_loss, 1, bounds=(0.0, STEEPEST))[0])


def _predict(like: OodTemperature, learn: Clips, rest: Clips) -> _HeldOut:
    """Fits a head to some clips and predicts those of the others whose class it was trained on."""
    size, classes, domains = learn.views.shape[2], learn.allowed.shape[1], len(like.by_kind)
    standardise, domain = Standardise(size), nn.Linear(size, domains)
    head, temperature = ConditionalHead(size, classes, domains), OodTemperature(size, domains, like.whitening.shape[1])
    standardise.fit(learn.views[:, 0])
    views = standardise(learn.views)
    fit_domains(domain, views[:, 0], learn.domains)
    temperature.fit(views, learn.domains)
    views = views.transpose(0, 1)
    with torch.no_grad():
        shares = domain(views).softmax(dim=2)
    targets = nn.functional.one_hot(learn.targets, classes).float()
    fit_head(head, views, shares, targets, learn.allowed, learn.groups)
    learnt = learn.allowed.any(dim=0)
    rest = replace(rest, allowed=rest.allowed & learnt).only(learnt[rest.targets])
    with torch.no_grad():
        found = standardise(rest.views[:, 0])
        shares = domain(found).softmax(dim=1)
        return _HeldOut(head(found, shares), shares, temperature.distance(found), rest)


def _by_domain(predictions: _HeldOut) -> Iterator[_HeldOut]:
    for number in predictions.clips.domains.unique():
        own = predictions.clips.domains == number
        parts = (predictions.logits, predictions.shares, predictions.distances)
        yield _HeldOut(*(part[own] for part in parts), predictions.clips.only(own))


def _loss(predictions: _HeldOut, log_temperature: Tensor) -> Tensor:
    targets = nn.functional.one_hot(predictions.clips.targets, predictions.logits.shape[1]).float()
    logits = predictions.logits / log_temperature.exp()[:, None]
    return masked_cross_entropy(logits, targets, predictions.clips.allowed).mean()


def _minimise(loss: Callable[[Tensor], Tensor], size: int, bounds: tuple[float, float]) -> Tensor:
    """Returns the values (size,) within the bounds with the least loss."""
    from scipy.optimize import minimize  # as in calibration

    with torch.no_grad():
        found = minimize(
            lambda x: float(loss(torch.from_numpy(x).float())),
            np.full(size, np.mean(bounds)),
            method="Powell",
            bounds=[bounds] * size,
        )
    return torch.from_numpy(found.x).float()
