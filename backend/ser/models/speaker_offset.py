"""Estimates the speaker offset: how far the mean of one speaker's embeddings is from that of all speakers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SMALLEST_VARIANCE = 1e-4  # between speakers, in standardised units
VARIED = 0.5  # clips of at least this variety are taken to cover all emotions of a speaker


class SpeakerOffset(nn.Module):
    """Estimates a speaker offset from a few clips, given the variances of speakers, emotions and clips.

    An embedding is modelled as the sum of its speaker's offset, its emotion's offset and a residual, all normal and
    independent in every dim. The offset of a speaker given n clips is then their mean, shrunk by n / (n + ratio) with
    the ratio of the variances of the two others and of speakers. Where the clips are of few emotions, the offset of the
    predicted emotion is subtracted first; where they are varied, that would only add prediction errors.

    Training calls ``fit``; the estimates are buffers, so a checkpoint contains them.
    """

    def __init__(self, size: int, classes: int):
        super().__init__()
        self.register_buffer("ratio", torch.ones(size))
        self.register_buffer("ratio_within", torch.ones(size))
        self.register_buffer("emotions", torch.zeros(classes, size))

    def fit(self, embeddings: Tensor, targets: Tensor, speakers: Tensor) -> None:
        """Fits the variances.

        Args:
            embeddings: (clips, size), standardised.
            targets: int64 (clips,), class of each clip.
            speakers: int64 (clips,), number of each clip's speaker.
        """
        present = targets.unique()
        self.emotions[present] = torch.stack([embeddings[targets == label].mean(dim=0) for label in present])
        residuals = embeddings - self.emotions[targets]
        counts = torch.bincount(speakers).float()
        sums = torch.zeros(len(counts), embeddings.shape[1]).index_add_(0, speakers, residuals)
        means = sums / counts[:, None]
        within = (residuals - means[speakers]).square().mean(dim=0)
        between = (means.square().mean(dim=0) - within / counts.mean()).clamp_min(SMALLEST_VARIANCE)
        self.ratio.copy_((within + self.emotions[present].var(dim=0)) / between)
        self.ratio_within.copy_(within / between)

    def estimate(self, embeddings: Tensor, probabilities: Tensor) -> Tensor:
        """Returns the offset (size,) of a speaker.

        Args:
            embeddings: (clips, size) of the speaker's clips.
            probabilities: (clips, classes), the network's predictions for them.
        """
        if variety(probabilities) >= VARIED:
            return self.estimate_varied(embeddings)
        residuals = embeddings - probabilities @ self.emotions
        return residuals.mean(dim=0) * len(residuals) / (len(residuals) + self.ratio_within)

    def estimate_varied(self, embeddings: Tensor) -> Tensor:
        """Returns the offset (size,) of a speaker whose clips (clips, size) are of all emotions."""
        return embeddings.mean(dim=0) * len(embeddings) / (len(embeddings) + self.ratio)


def variety(probabilities: Tensor) -> float:
    """Returns how varied the emotions of a speaker's clips are, by the perplexity of their mean.

    Args:
        probabilities: (clips, classes).

    Returns:
        0 for one emotion, 1 for as many as there can be among so many clips.
    """
    mean = probabilities.mean(dim=0)
    perplexity = torch.special.entr(mean).sum().exp()
    return float((perplexity - 1) / (max(2, min(probabilities.shape)) - 1))
