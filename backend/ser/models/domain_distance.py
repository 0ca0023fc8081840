"""Measures how unlike the training recordings a recording is: its distance from the nearest training domain.

A domain is a recording condition, such as a studio, a web camera or a telephone; each training corpus is one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SMALLEST_SPREAD = 0.05  # of a domain in any direction, as a share of its average spread
USUAL_QUANTILE = 0.95  # this share of a domain's recordings is at most at distance 1


class DomainDistance(nn.Module):
    """The Mahalanobis distance of vectors to the nearest training domain, in units of what is usual within that domain.

    Each domain is a normal distribution in the directions in which the training recordings vary most. A distance above
    1 means that a recording is unlike anything in training; a model's confidence is then less reliable.

    Training calls ``fit``; the estimates are buffers, so a checkpoint contains them. Until then every distance is 0.

    Source: Lee et al. 2018, NeurIPS, "A simple unified framework for detecting out-of-distribution samples and
    adversarial attacks", with domains in place of classes.

    Args:
        size: of a vector.
        domains: the most that can be fitted.
        directions: number of principal components.
    """

    def __init__(self, size: int, domains: int, directions: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.register_buffer("directions", torch.zeros(size, directions))
        self.register_buffer("centres", torch.zeros(domains, directions))
        self.register_buffer("whitening", torch.zeros(domains, directions, directions))

    def forward(self, vectors: Tensor) -> Tensor:
        """Returns the distance (batch,) of vectors (batch, size) to the nearest domain."""
        return self._distances(vectors).amin(dim=1)

    def fit(self, vectors: Tensor, domains: Tensor) -> None:
        """Fits a normal distribution to every domain.

        Args:
            vectors: (clips, size), of unchanged recordings.
            domains: int64 (clips,), number of each clip's domain.
        """
        self.mean.copy_(vectors.mean(dim=0))
        self.scale.copy_(vectors.std(dim=0, correction=0).clamp_min(1e-5))
        scaled = (vectors - self.mean) / self.scale
        count = min(self.directions.shape[1], *scaled.shape)
        with torch.random.fork_rng(devices=[]):  # the search starts at random and must not change the draws of others
            torch.manual_seed(0)
            self.directions[:, :count] = torch.pca_lowrank(scaled, count, center=False, niter=4)[2]
        found = scaled @ self.directions
        present = domains.unique().tolist()
        for domain in present:
            own = found[domains == domain]
            self.centres[domain] = own.mean(dim=0)
            self.whitening[domain] = _whitening(own, count)
            usual = self._distances(vectors[domains == domain])[:, domain].quantile(USUAL_QUANTILE)
            self.whitening[domain] /= usual.clamp_min(1e-5)
        for domain in set(range(len(self.centres))) - set(present):  # without a recording: equals the first
            self.centres[domain], self.whitening[domain] = self.centres[present[0]], self.whitening[present[0]]

    def _distances(self, vectors: Tensor) -> Tensor:
        """Distances to each domain, (batch, domains)."""
        found = ((vectors - self.mean) / self.scale) @ self.directions  # (batch, directions)
        offsets = found[:, None] - self.centres  # (batch, domains, directions)
        return torch.linalg.vector_norm(torch.einsum("bdi,dij->bdj", offsets, self.whitening), dim=2)


def _whitening(vectors: Tensor, count: int) -> Tensor:
    """(directions, directions): maps vectors (clips, directions), zero beyond ``count``, to unit covariance."""
    covariance = vectors[:, :count].T.cov(correction=0).reshape(count, count)
    covariance = covariance + (SMALLEST_SPREAD * covariance.diagonal().mean() + 1e-9) * torch.eye(count)
    found = torch.zeros(vectors.shape[1], vectors.shape[1])
    found[:count, :count] = torch.linalg.cholesky(torch.linalg.inv(covariance))
    return found
