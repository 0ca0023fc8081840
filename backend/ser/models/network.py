"""Defines what every recipe's network is: the contract of its call and its one typed output."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn


class NetworkOutput(NamedTuple):
    """What a network computes for a batch of clips; a tuple, so that it can be exported as a graph.

    Attributes:
        logits: (batch, classes), in the order of the recipe's labels.
        embedding: (batch, size), what the logits are computed from.
        attribution: (batch, steps), how much equal parts of a clip's frames counted: 0 beyond its length, summing to 1;
            None from networks without attention.
        speech: (batch,) logit of whether the clip is speech at all; None from networks that do not tell.
        intensity: (batch,) how strongly the emotion is expressed, 0 to 1; None from networks that do not tell.
    """

    logits: Tensor
    embedding: Tensor
    attribution: Tensor | None = None
    speech: Tensor | None = None
    intensity: Tensor | None = None

    @property
    def is_speech(self) -> Tensor:
        """bool (batch,): whether each clip is speech; all true from networks that do not tell."""
        if self.speech is None:
            return torch.ones(len(self.logits), dtype=torch.bool)
        return self.speech > 0


class Network(nn.Module):
    """A recipe's network, made as ``network(classes)``.

    It is called with frames (batch, frames, dims) and lengths (batch,) and returns a ``NetworkOutput``. Padding changes
    nothing: a batch gives what single clips give.

    Attributes:
        supports_profiles: whether it can be calibrated to a speaker by a profile; it is then an ``EncoderNetwork``.
    """

    supports_profiles: ClassVar[bool] = False
