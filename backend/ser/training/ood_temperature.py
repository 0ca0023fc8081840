"""Owns how a network learns to be less sure of recordings from elsewhere, from the corpora that it is trained on.

Each corpus is left out once: a linear layer learns from the others, answers for the one that is left out, and what it
is too sure of there, by how unlike the recordings are, is what the network will be cautious by. Within the corpora the
same is done with parts of the speakers. No clip but those of training is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from ser.models.conditional_head import Caution, GatedLinear
from ser.models.layers import Standardise
from ser.training.head_fitting import fit_answer, fit_kind
from ser.training.linear_probe import masked_cross_entropy

STEEPEST = 5.0  # at which a fifth further than usual divides the logits by e
PARTS = 4  # of the speakers, each left out once


@dataclass(frozen=True)
class Clips:
    """Training clips.

    Attributes:
        views: (clips, views, size), the first of them the recording as it is, the others with changes.
        targets: int64 (clips,).
        allowed: bool (clips, classes), the classes that a clip's corpus has.
        groups: int64 (clips,), corpus and class.
        kinds: int64 (clips,), the corpus.
        speakers: int64 (clips,).
    """

    views: Tensor
    targets: Tensor
    allowed: Tensor
    groups: Tensor
    kinds: Tensor
    speakers: Tensor

    def only(self, chosen: Tensor) -> Clips:
        """Returns the clips where ``chosen`` (clips,) is true."""
        parts = (self.views, self.targets, self.allowed, self.groups, self.kinds, self.speakers)
        return Clips(*(part[chosen] for part in parts))


@dataclass(frozen=True)
class _Answers:
    """What a network says about clips of speakers that it did not learn from: see ``Clips`` and ``Caution``."""

    logits: Tensor
    shares: Tensor
    unlike: Tensor
    clips: Clips


def fit_caution(caution: Caution, clips: Clips) -> None:
    """Gives a network its caution; one corpus alone teaches none."""
    numbers = clips.kinds.unique().tolist()
    if len(numbers) < 2:
        return
    caution.learn(clips.views, clips.kinds)
    speakers = int(clips.speakers.max()) + 1
    parts = (torch.randperm(speakers, generator=torch.Generator().manual_seed(0)) % PARTS)[clips.speakers]
    known = (_answers(caution, clips.only(parts != part), clips.only(parts == part)) for part in range(PARTS))
    own = [part for answers in known for part in _by_kind(answers)]
    left_out = (clips.kinds == number for number in numbers)
    foreign = [_answers(caution, clips.only(~out), clips.only(out)) for out in left_out]

    def known_loss(by_kind: Tensor) -> Tensor:
        return torch.stack([_loss(one, one.shares @ by_kind) for one in own]).mean()

    def foreign_loss(slope: Tensor) -> Tensor:
        excess = [slope * (one.unlike - 1).clamp_min(0) for one in foreign]
        losses = [_loss(one, one.shares @ caution.by_kind + more) for one, more in zip(foreign, excess, strict=True)]
        return torch.stack(losses).mean()

    caution.by_kind.copy_(_minimise(known_loss, len(caution.by_kind), bounds=(-3.0, 3.0)))
    caution.slope.copy_(_minimise(foreign_loss, 1, bounds=(0.0, STEEPEST))[0])


def _answers(like: Caution, learn: Clips, rest: Clips) -> _Answers:
    """Learns from some clips and answers for others, those of classes that were learnt."""
    size, classes, kinds = learn.views.shape[2], learn.allowed.shape[1], len(like.by_kind)
    standardise, kind, head = Standardise(size), nn.Linear(size, kinds), GatedLinear(size, classes, kinds)
    caution = Caution(size, kinds, like.whitening.shape[1])
    standardise.fit(learn.views[:, 0])
    views = standardise(learn.views)
    fit_kind(kind, views[:, 0], learn.kinds)
    caution.learn(views, learn.kinds)
    views = views.transpose(0, 1)
    with torch.no_grad():
        shares = kind(views).softmax(dim=2)
    targets = nn.functional.one_hot(learn.targets, classes).float()
    fit_answer(head, views, shares, targets, learn.allowed, learn.groups)
    learnt = learn.allowed.any(dim=0)
    rest = replace(rest, allowed=rest.allowed & learnt).only(learnt[rest.targets])
    with torch.no_grad():
        found = standardise(rest.views[:, 0])
        shares = kind(found).softmax(dim=1)
        return _Answers(head(found, shares), shares, caution.unlike(found), rest)


def _by_kind(answers: _Answers) -> Iterator[_Answers]:
    for number in answers.clips.kinds.unique():
        own = answers.clips.kinds == number
        yield _Answers(answers.logits[own], answers.shares[own], answers.unlike[own], answers.clips.only(own))


def _loss(answers: _Answers, log_temperature: Tensor) -> Tensor:
    targets = nn.functional.one_hot(answers.clips.targets, answers.logits.shape[1]).float()
    logits = answers.logits / log_temperature.exp()[:, None]
    return masked_cross_entropy(logits, targets, answers.clips.allowed).mean()


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
