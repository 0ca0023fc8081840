"""Defines the contract of every recipe's network: how it is called, and its one typed output."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn


class NetworkOutput(NamedTuple):
    """Output of a network for a batch of clips; a tuple, so that the network can be exported as a graph.

    Attributes:
        logits: (batch, classes), in the order of the recipe's labels.
        embedding: (batch, size), the input of the layer that computes the logits.
        attribution: (batch, steps), attention weights of equal parts of a clip: 0 beyond its length, summing to 1; None
            for networks without attention.
        speech: (batch,) logit that the clip is speech; None for networks without that output.
        intensity: (batch,) how strongly the emotion is expressed, 0 to 1; None for networks without that output.
        distance: (batch,) from the training recordings, see ``DomainDistance``; None for networks without that output.
    """

    logits: Tensor
    embedding: Tensor
    attribution: Tensor | None = None
    speech: Tensor | None = None
    intensity: Tensor | None = None
    distance: Tensor | None = None

    @property
    def is_speech(self) -> Tensor:
        """bool (batch,): whether each clip is speech; all true for networks without that output."""
        if self.speech is None:
            return torch.ones(len(self.logits), dtype=torch.bool)
        return self.speech > 0


class Network(nn.Module):
    """A recipe's network, made as ``network(classes)``.

    It is called with frames (batch, frames, dims) and lengths (batch,) and returns a ``NetworkOutput``. Padding has no
    effect: the output for a batch equals the outputs for single clips.

    Attributes:
        supports_profiles: whether it can use a speaker profile; it is then an ``EncoderNetwork``.
    """

    supports_profiles: ClassVar[bool] = False
