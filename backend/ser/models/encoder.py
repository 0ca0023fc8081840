"""Defines the contract of a network on a frozen pretrained encoder, and the heads above the encoder's statistics."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ser.models.domain_distance import DomainDistance
from ser.models.layers import Standardise
from ser.models.network import Network, NetworkOutput
from ser.models.speaker_offset import FIRST_TEMPERATURE, ROUNDS, SpeakerEstimate, SpeakerOffset, share_of


@dataclass(frozen=True, kw_only=True)
class EncoderHeads:
    """The layers above an encoder's statistics, which training fits in closed form.

    Attributes:
        standardise: scales statistics (batch, statistics); their last part are the embeddings (batch, size).
        head: embeddings -> logits (batch, classes) for an unknown speaker.
        centred_head: the same for embeddings less the speaker's offset.
        speaker_offset: estimates that offset.
        distance: scaled statistics -> distance (batch,) from the training recordings.
        speech: embeddings -> logit (batch, 1) that the clip is speech.
        intensity: embeddings -> logit (batch, 1) of the emotional intensity.
    """

    standardise: Standardise
    head: nn.Linear
    centred_head: nn.Linear
    speaker_offset: SpeakerOffset
    distance: DomainDistance
    speech: nn.Linear
    intensity: nn.Linear

    @property
    def fingerprint(self) -> str:
        """16 hex digits that identify the weights; a speaker's offset is valid with these weights only."""
        return hashlib.sha256(self.head.weight.detach().numpy().tobytes()).hexdigest()[:16]

    def predict(self, statistics: Tensor) -> NetworkOutput:
        """Returns the output for statistics (batch, statistics) of clips of unknown speakers."""
        scaled = self.standardise(statistics)
        embedding = self.embedding(scaled)
        return NetworkOutput(
            logits=self.head(embedding),
            embedding=embedding,
            speech=self.speech(embedding).squeeze(1),
            intensity=torch.sigmoid(self.intensity(embedding)).squeeze(1),
            distance=self.distance(scaled),
        )

    def embedding(self, scaled: Tensor) -> Tensor:
        """Returns the part (..., size) of scaled statistics (..., statistics) that emotions are predicted from."""
        return scaled[..., -self.head.in_features :]

    def estimate_speaker(self, embeddings: Tensor, weights: Tensor | None = None) -> SpeakerEstimate:
        """Estimates a speaker's offset from clips without labels, see ``SpeakerOffset``.

        Args:
            embeddings: (clips, size) of one speaker, one clip or more.
            weights: (clips,), how many clips each counts as, for instance 1 / 3 where three windows overlap; None for
                one each.
        """
        weights = torch.ones(len(embeddings)) if weights is None else weights
        clips = float(weights.sum())
        shares = weights / weights.sum()
        mean = shares @ embeddings
        predicted = torch.softmax(self.head(embeddings) / FIRST_TEMPERATURE, dim=1)
        centred = self.centred_head(embeddings)
        offset = torch.zeros_like(mean)
        for _ in range(ROUNDS):
            offset = self.speaker_offset.shrunk(mean - shares @ predicted @ self.speaker_offset.means, clips)
            predicted = torch.softmax(centred - self.centred_head.weight @ offset, dim=1)
        variety = self.speaker_offset.variety(centred, weights)
        return SpeakerEstimate(offset, share_of(variety, clips))

    def adapt(self, logits: Tensor, embeddings: Tensor, speaker: SpeakerEstimate) -> Tensor:
        """Returns logits (batch, classes) that are adapted to a speaker.

        Args:
            logits: (batch, classes), the plain ones.
            embeddings: (batch, size) of the same clips.
            speaker: whose clips they are.
        """
        adapted = self.centred_head(embeddings - speaker.offset)
        return torch.lerp(torch.log_softmax(logits, dim=1), torch.log_softmax(adapted, dim=1), speaker.share)


class EncoderNetwork(Network, ABC):
    """A network that computes statistics with a frozen encoder and predicts from them with ``heads``."""

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
        """Returns the statistics (batch, statistics) of frames (batch, frames, dims) with lengths (batch,)."""

    def forward(self, frames: Tensor, lengths: Tensor) -> NetworkOutput:
        return self.heads.predict(self.statistics(frames, lengths))
