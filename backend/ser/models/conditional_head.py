"""Defines the linear head that is conditional on the domain, and the out-of-distribution temperature.

A domain is a recording condition, such as a studio, a web camera or a telephone; each training corpus is one. Both
layers take vectors (batch, size), one per recording, and domain shares (batch, domains): the probability that a
recording is from each domain.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST_SPREAD = 0.05  # of a domain in any direction, as a share of its average spread
USUAL_QUANTILE = 0.9  # this share of a domain's recordings is at most at the usual distance from its centre


class ConditionalHead(nn.Module):
    """A shared linear layer plus one linear layer per domain, weighted by the domain shares of a recording.

    Domains need different decision boundaries, and the domain can be recognised from the recording. All layers are
    trained together, so a recording from an unknown domain gets a mixture.

    Source: Daume 2007, ACL, "Frustratingly easy domain adaptation", with predicted instead of given domains.
    """

    def __init__(self, size: int, classes: int, domains: int):
        super().__init__()
        self.shared = nn.Linear(size, classes)
        self.added = nn.Parameter(torch.zeros(domains, classes, size))

    def forward(self, vectors: Tensor, shares: Tensor) -> Tensor:
        """Returns logits (batch, classes) of vectors (batch, size) with domain shares (batch, domains)."""
        added = functional.linear(vectors, self.added.flatten(0, 1)).unflatten(1, self.added.shape[:2])
        return self.shared(vectors) + (shares[:, :, None] * added).sum(dim=1)


class OodTemperature(nn.Module):
    """The out-of-distribution temperature: grows with the distance of a recording from every domain.

    The distance is to the centre of the nearest domain, along the directions in which the training recordings vary
    most, each in units of the spread within a domain, and relative to the usual distance in that domain. Without it,
    confidence on out-of-distribution recordings is far too high. A domain's own temperature applies within it.

    Training calls ``fit`` and sets ``by_kind`` (log temperature by domain) and ``slope``; all are buffers, so a
    checkpoint contains them. Until then the temperature is 1 for every recording.

    Source: Lee et al. 2018, NeurIPS, "A simple unified framework for detecting out-of-distribution samples and
    adversarial attacks", with domains in place of classes.
    """

    def __init__(self, size: int, domains: int, directions: int):
        super().__init__()
        self.register_buffer("whitening", torch.zeros(size, directions))
        self.register_buffer("middles", torch.zeros(domains, directions))
        self.register_buffer("usual", torch.ones(domains))
        self.register_buffer("by_kind", torch.zeros(domains))  # log temperature of each domain
        self.register_buffer("slope", torch.zeros(()))  # log temperature per usual distance beyond the usual one

    def forward(self, vectors: Tensor, shares: Tensor) -> Tensor:
        """Returns the temperature (batch, 1) of vectors (batch, size) with domain shares (batch, domains)."""
        excess = (self.distance(vectors) - 1).clamp_min(0)
        return torch.exp(shares @ self.by_kind + self.slope * excess)[:, None]

    def distance(self, vectors: Tensor) -> Tensor:
        """Returns the distance (batch,) of vectors (batch, size) to the nearest domain; 1 is usual within it."""
        return (self._distances(vectors) / self.usual).amin(dim=1)

    def fit(self, views: Tensor, domains: Tensor) -> None:
        """Fits centres, spread and usual distances.

        Args:
            views: (clips, views, size), standardised; the first view is the unchanged recording, the others are
                augmented and count as equally usual.
            domains: int64 (clips,), number of each clip's domain.
        """
        every, owners = views.flatten(0, 1), domains.repeat_interleave(views.shape[1])
        count = min(self.whitening.shape[1], *every.shape)
        with torch.random.fork_rng(devices=[]):  # the search starts at random and must not change the draws of others
            torch.manual_seed(0)
            directions = torch.pca_lowrank(every, count, center=False, niter=4)[2]
        found = every @ directions
        present, numbers = owners.unique(return_inverse=True)
        centres = torch.stack([found[owners == domain].mean(dim=0) for domain in present])
        covariance = (found - centres[numbers]).T.cov(correction=0)
        covariance += SMALLEST_SPREAD * covariance.diagonal().mean() * torch.eye(count)
        whitening = torch.linalg.cholesky(torch.linalg.inv(covariance))
        self.whitening[:, :count] = directions @ whitening
        self.middles[:, :count] = centres[0] @ whitening  # a domain without a recording equals the first
        self.middles[present, :count] = centres @ whitening
        distances = self._distances(views[:, 0])
        self.usual.fill_(distances[domains == present[0], present[0]].quantile(USUAL_QUANTILE))
        for domain in present:
            self.usual[domain] = distances[domains == domain, domain].quantile(USUAL_QUANTILE)

    def _distances(self, vectors: Tensor) -> Tensor:
        """Distances to the centre of each domain, (batch, domains)."""
        offsets = (vectors @ self.whitening)[:, None] - self.middles
        return torch.linalg.vector_norm(offsets, dim=2) / math.sqrt(offsets.shape[2])
