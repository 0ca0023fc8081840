"""Torch blocks that adapt an answer to recording and speaker: what a kind of recording adds, how sure one may be of it,
and where the middle of a voice lies. They work on vectors (batch, size), one for each recording.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST_VARIANCE = 1e-4  # of voices, in standardised units
SMALLEST_SPREAD = 0.05  # of recordings of a kind in any direction, as a share of what it is on average
USUAL = 0.9  # of the recordings of a kind are at most so far from its middle as is usual
VARIED = 0.5  # clips of at least so much variety are taken for all there is of a voice


class GatedLinear(nn.Module):
    """A linear layer that has something to add for each kind of recording, as far as a recording is of that kind.

    A studio, a web camera and a telephone need different boundaries between emotions, and a recording shows where it is
    from. What all kinds share and what each adds are learnt together, so a recording of no known kind gets a mixture.

    Source: Daume 2007, ACL, "Frustratingly easy domain adaptation", with kinds that are recognised instead of given.
    """

    def __init__(self, size: int, classes: int, kinds: int):
        super().__init__()
        self.shared = nn.Linear(size, classes)
        self.added = nn.Parameter(torch.zeros(kinds, classes, size))

    def forward(self, vectors: Tensor, shares: Tensor) -> Tensor:
        """Returns (batch, classes) of vectors (batch, size) that are of each kind to a share (batch, kinds)."""
        added = functional.linear(vectors, self.added.flatten(0, 1)).unflatten(1, self.added.shape[:2])
        return self.shared(vectors) + (shares[:, :, None] * added).sum(dim=1)


class Caution(nn.Module):
    """By how much logits are too large: by the kind of recording, and the more the less it is like those of training.

    Unlike is the distance to the middle of the nearest kind of training recordings, in the directions in which they
    differ most, each in units of how far recordings of a kind lie apart there, and as a multiple of the distance that
    is usual for that kind. Confidence on recordings from elsewhere is too high by far, and this distance shows it.

    Training calls ``learn``; what is known are buffers, so a checkpoint carries it. It begins with 1 for everything.

    Source: Lee et al. 2018, NeurIPS, "A simple unified framework for detecting out-of-distribution samples and
    adversarial attacks", with kinds of recordings in place of classes.
    """

    def __init__(self, size: int, kinds: int, directions: int):
        super().__init__()
        self.register_buffer("whitening", torch.zeros(size, directions))
        self.register_buffer("middles", torch.zeros(kinds, directions))
        self.register_buffer("usual", torch.ones(kinds))
        self.register_buffer("by_kind", torch.zeros(kinds))
        self.register_buffer("slope", torch.zeros(()))

    def forward(self, vectors: Tensor, shares: Tensor) -> Tensor:
        """Returns what logits are to be divided by, (batch, 1), for vectors (batch, size) of kinds (batch, kinds)."""
        excess = (self.unlike(vectors) - 1).clamp_min(0)
        return torch.exp(shares @ self.by_kind + self.slope * excess)[:, None]

    def unlike(self, vectors: Tensor) -> Tensor:
        """Returns how far vectors (batch, size) are from the nearest kind (batch,); 1 is as far as is usual in it."""
        return (self._distances(vectors) / self.usual).amin(dim=1)

    def learn(self, views: Tensor, kinds: Tensor) -> None:
        """Takes what recordings of kinds (clips,) are like from views (clips, views, size), standardised.

        The first view is the recording as it is; the others, which are changed, are as little unlike.
        """
        every, owners = views.flatten(0, 1), kinds.repeat_interleave(views.shape[1])
        count = min(self.whitening.shape[1], *every.shape)
        with torch.random.fork_rng(devices=[]):  # directions are found from a random beginning, which is no one else's
            torch.manual_seed(0)
            directions = torch.pca_lowrank(every, count, center=False, niter=4)[2]
        found = every @ directions
        present, numbers = owners.unique(return_inverse=True)
        middles = torch.stack([found[owners == kind].mean(dim=0) for kind in present])
        covariance = (found - middles[numbers]).T.cov(correction=0)
        covariance += SMALLEST_SPREAD * covariance.diagonal().mean() * torch.eye(count)
        whitening = torch.linalg.cholesky(torch.linalg.inv(covariance))
        self.whitening[:, :count] = directions @ whitening
        self.middles[:, :count] = middles[0] @ whitening  # a kind that there is none of is like the first
        self.middles[present, :count] = middles @ whitening
        distances = self._distances(views[:, 0])
        self.usual.fill_(distances[kinds == present[0], present[0]].quantile(USUAL))
        for kind in present:
            self.usual[kind] = distances[kinds == kind, kind].quantile(USUAL)

    def _distances(self, vectors: Tensor) -> Tensor:
        """To the middle of each kind, (batch, kinds)."""
        offsets = (vectors @ self.whitening)[:, None] - self.middles
        return torch.linalg.vector_norm(offsets, dim=2) / math.sqrt(offsets.shape[2])


class Voices(nn.Module):
    """What is known about how voices differ, and where a few clips put the middle of one voice.

    A clip's vector is taken for the sum of its speaker's offset, its emotion's offset and a rest, all normal and
    independent in every dim. The offset of a speaker given n clips is then their mean, shrunk by n / (n + ratio) with
    the ratio of the variances of the two others and of speakers. Where the clips are of few emotions, what the network
    takes for their emotion is taken off first; where they are varied that would only add its errors.

    Training calls ``fit``; what is known are buffers, so a checkpoint carries it.
    """

    def __init__(self, size: int, classes: int):
        super().__init__()
        self.register_buffer("ratio", torch.ones(size))
        self.register_buffer("ratio_within", torch.ones(size))
        self.register_buffer("emotions", torch.zeros(classes, size))

    def fit(self, vectors: Tensor, targets: Tensor, speakers: Tensor) -> None:
        """Takes vectors (clips, size) in standardised units, classes (clips,) and numbers of speakers (clips,)."""
        present = targets.unique()
        self.emotions[present] = torch.stack([vectors[targets == label].mean(dim=0) for label in present])
        residuals = vectors - self.emotions[targets]
        counts = torch.bincount(speakers).float()
        sums = torch.zeros(len(counts), vectors.shape[1]).index_add_(0, speakers, residuals)
        means = sums / counts[:, None]
        within = (residuals - means[speakers]).square().mean(dim=0)
        between = (means.square().mean(dim=0) - within / counts.mean()).clamp_min(SMALLEST_VARIANCE)
        self.ratio.copy_((within + self.emotions[present].var(dim=0)) / between)
        self.ratio_within.copy_(within / between)

    def offset(self, vectors: Tensor, probabilities: Tensor) -> Tensor:
        """Returns the offset (size,) of a speaker from clips (clips, size) and what they were taken for."""
        if variety(probabilities) >= VARIED:
            return self.varied(vectors)
        rest = vectors - probabilities @ self.emotions
        return rest.mean(dim=0) * len(rest) / (len(rest) + self.ratio_within)

    def varied(self, vectors: Tensor) -> Tensor:
        """Returns the offset (size,) of a speaker whose clips (clips, size) are of all emotions."""
        return vectors.mean(dim=0) * len(vectors) / (len(vectors) + self.ratio)


def variety(probabilities: Tensor) -> float:
    """How varied the emotions of a speaker's clips (clips, classes) are: 0 for one emotion, 1 for as many as there
    can be among them; the perplexity of their mean."""
    mean = probabilities.mean(dim=0)
    perplexity = torch.special.entr(mean).sum().exp()
    return float((perplexity - 1) / (max(2, min(probabilities.shape)) - 1))
