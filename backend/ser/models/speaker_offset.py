"""Adapts to a speaker without labels: estimates how far a speaker's embeddings are from those of all speakers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

SMALLEST_VARIANCE = 1e-4  # between speakers, in standardised units
FIT_ROUNDS = 8  # of alternating least squares
FIRST_TEMPERATURE = 1.5  # softens the predictions that the first estimate is made from
ROUNDS = 4  # of estimating the offset and predicting with it
HALF_WAY_CLIPS = 5  # after so many clips the adapted prediction weighs as much as the plain one
FULL_VARIETY = 0.5  # of the spread between emotions; clips that vary so much are taken to be of many emotions


@dataclass(frozen=True)
class SpeakerEstimate:
    """What is known about a speaker.

    Attributes:
        offset: (size,), of the speaker's embeddings from those of all speakers.
        share: weight of the adapted prediction, 0 to 1; the rest is the weight of the plain one.
    """

    offset: Tensor
    share: float


class SpeakerOffset(nn.Module):
    """Estimates a speaker's offset from a few clips without labels.

    An embedding is modelled as the sum of its speaker's offset, its emotion's mean and a residual, independent in every
    dim. Given predictions p, the offset is the mean of embedding - p @ means, shrunk by n / (n + ratio) with the ratio
    of the variances within and between speakers; the predictions are then made anew with the offset subtracted, and so
    on. The more the clips vary, the more the estimate is trusted: a single mood cannot be told from a speaker's way of
    talking. Unlike the predictions, that spread does not depend on the offset.

    Training calls ``fit``; the estimates are buffers, so a checkpoint contains them.

    Source: the offset is a best linear unbiased prediction of a random effect (Henderson 1975, Biometrics 31(2)), with
    predicted instead of given classes as in expectation-maximisation.
    """

    def __init__(self, size: int, classes: int):
        super().__init__()
        self.register_buffer("ratio", torch.ones(size))
        self.register_buffer("means", torch.zeros(classes, size))
        self.register_buffer("spread_within", torch.zeros(()))  # of the logits of one speaker and emotion
        self.register_buffer("spread_between", torch.ones(()))  # of the mean logits of one speaker's emotions

    def fit(self, embeddings: Tensor, targets: Tensor, speakers: Tensor) -> Tensor:
        """Fits the means of emotions and the ratio of variances.

        Args:
            embeddings: (clips, size), standardised.
            targets: int64 (clips,), class of each clip.
            speakers: int64 (clips,), number of each clip's speaker.

        Returns:
            The embeddings less the shrunk offsets of their speakers, (clips, size).
        """
        counts = torch.bincount(speakers).float()[:, None]
        sizes = torch.bincount(targets, minlength=len(self.means)).float()[:, None].clamp_min(1)
        offsets, means = torch.zeros(len(counts), embeddings.shape[1]), torch.zeros_like(self.means)
        for _ in range(FIT_ROUNDS):
            means = torch.zeros_like(means).index_add_(0, targets, embeddings - offsets[speakers]) / sizes
            offsets = torch.zeros_like(offsets).index_add_(0, speakers, embeddings - means[targets]) / counts
        within = (embeddings - offsets[speakers] - means[targets]).square().mean(dim=0)
        between = (offsets - offsets.mean(dim=0)).square().mean(dim=0) - within / counts.mean()
        self.means.copy_(means)
        self.ratio.copy_(within / between.clamp_min(SMALLEST_VARIANCE))
        return embeddings - (offsets * counts / (counts + self.ratio))[speakers]

    def fit_spread(self, logits: Tensor, targets: Tensor, speakers: Tensor) -> None:
        """Fits how much the logits of one speaker vary.

        Args:
            logits: (clips, classes) of ``EncoderHeads.centred_head``.
            targets, speakers: as for ``fit``.
        """
        within, between = [], []
        for speaker in speakers.unique():
            own, labels = logits[speakers == speaker], targets[speakers == speaker]
            moods = [own[labels == label] for label in labels.unique()]
            within += [_spread(mood) for mood in moods if len(mood) > 1]
            if len(moods) > 1:
                between.append(_spread(torch.stack([mood.mean(dim=0) for mood in moods])))
        if within and between:
            self.spread_within.copy_(torch.stack(within).mean())
            self.spread_between.copy_(torch.stack(between).mean().clamp_min(1e-6))

    def variety(self, logits: Tensor, weights: Tensor | None = None) -> float:
        """Returns how varied a speaker's clips are: 0 for a single emotion, 1 for many.

        Args:
            logits: (clips, classes) of ``EncoderHeads.centred_head``; adding an offset to all does not matter.
            weights: (clips,), how much each clip counts; None for one each.
        """
        if len(logits) < 2:
            return 0.0
        excess = _spread(logits, weights) - self.spread_within
        return float((excess / (FULL_VARIETY * self.spread_between)).clamp(0, 1))

    def shrunk(self, residual: Tensor, clips: float) -> Tensor:
        """Returns the offset (size,) given the mean residual (size,) of so many clips."""
        return residual * (clips / (clips + self.ratio))


def share_of(variety: float, clips: float) -> float:
    """Returns the weight of the adapted prediction, 0 to 1, after so many clips of a variety between 0 and 1."""
    return variety * clips / (clips + HALF_WAY_CLIPS)


def _spread(logits: Tensor, weights: Tensor | None = None) -> Tensor:
    """The total variance of logits (clips, classes) that are centred over the classes."""
    centred = logits - logits.mean(dim=1, keepdim=True)
    counts = torch.ones(len(logits)) if weights is None else weights
    mean = (counts[:, None] * centred).sum(dim=0) / counts.sum()
    squares = (counts[:, None] * (centred - mean).square()).sum()
    freedom = counts.sum() - counts.square().sum() / counts.sum()  # clips - 1 where all count the same
    return squares / freedom.clamp_min(1e-6)
