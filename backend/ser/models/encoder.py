"""Defines the contract of a network on a frozen pretrained encoder, and the heads above the encoder's statistics."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ser.models.conditional_head import ConditionalHead, OodTemperature
from ser.models.layers import Standardise
from ser.models.network import Network, NetworkOutput
from ser.models.speaker_offset import SpeakerOffset


@dataclass(frozen=True, kw_only=True)
class EncoderHeads:
    """The layers above an encoder's statistics, which training fits in closed form.

    Attributes:
        standardise: statistics (batch, size) -> embeddings (batch, size).
        domain: embeddings -> logits (batch, domains).
        head: embeddings and domain shares -> logits (batch, classes) for an unknown speaker.
        offset_head: the same for embeddings less the speaker's offset.
        temperature: embeddings and domain shares -> out-of-distribution temperature (batch, 1).
        speaker_offset: embeddings of a speaker's clips -> the speaker's offset (size,).
        speech: embeddings -> logit (batch, 1) that the clip is speech.
        intensity: embeddings -> logit (batch, 1) of the emotional intensity.
    """

    standardise: Standardise
    domain: nn.Linear
    head: ConditionalHead
    offset_head: ConditionalHead
    temperature: OodTemperature
    speaker_offset: SpeakerOffset
    speech: nn.Linear
    intensity: nn.Linear

    @property
    def fingerprint(self) -> str:
        """16 hex digits that identify the weights; a speaker offset is valid with these weights only."""
        return hashlib.sha256(self.head.shared.weight.detach().numpy().tobytes()).hexdigest()[:16]

    def predict(
        self, statistics: Tensor, offset: Tensor | None = None, attribution: Tensor | None = None
    ) -> NetworkOutput:
        """Returns the output for statistics (batch, size); ``offset`` (size,) is the speaker's, None where unknown."""
        embedding = self.standardise(statistics)
        return NetworkOutput(
            logits=self.classify(embedding, offset),
            embedding=embedding,
            attribution=attribution,
            speech=self.speech(embedding).squeeze(1),
            intensity=torch.sigmoid(self.intensity(embedding)).squeeze(1),
        )

    def classify(self, embedding: Tensor, offset: Tensor | None = None) -> Tensor:
        """Returns the logits (batch, classes) of embeddings (batch, size); ``offset`` as for ``predict``."""
        shares = self.domain(embedding).softmax(dim=1)
        logits = self.head(embedding, shares) if offset is None else self.offset_head(embedding - offset, shares)
        return logits / self.temperature(embedding, shares)


class EncoderNetwork(Network, ABC):
    """A network that computes statistics with a frozen encoder and predicts from them with ``heads``.

    Its ``forward`` takes a third argument, the speaker offset (size,); None for an unknown speaker.
    """

    supports_profiles: ClassVar[bool] = True

    @property
    @abstractmethod
    def heads(self) -> EncoderHeads:
        """The layers above the statistics."""

    @abstractmethod
    def load_pretrained(self, tensors: Mapping[str, Tensor]) -> None:
        """Copies the encoder's published tensors, given under their published names."""

    @abstractmethod
    def statistics(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Returns the input of ``heads``, (batch, size), for frames (batch, frames, dims) and lengths (batch,)."""

    @abstractmethod
    def single_view_statistics(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Returns the statistics (batch, size) of the unchanged frames, the targets of distillation.

        ``statistics`` may average over several versions of a clip; this does not.
        """
