"""Linear probes: regularised logistic regression, with and without domain gates."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from ser.training.linear_probe import fit_gated_probe, fit_probe


@pytest.fixture
def cloud() -> tuple[torch.Tensor, torch.Tensor]:
    """600 points of 8 dims in three overlapping classes."""
    draw = np.random.default_rng(0)
    targets = draw.integers(0, 3, 600)
    points = draw.normal(0, 1, (600, 8)) + 1.2 * np.eye(8)[targets]
    return torch.from_numpy(points).float(), torch.from_numpy(targets)


def test_the_probe_equals_logistic_regression(cloud):
    points, targets = cloud
    one_hot = torch.nn.functional.one_hot(targets, 3).float()
    weight, bias = fit_probe(points, one_hot, one_hot.bool() | True, torch.ones(600), inverse_penalty=0.05)
    theirs = LogisticRegression(C=0.05, tol=1e-8, max_iter=1000).fit(points.numpy(), targets.numpy())
    assert weight.numpy() == pytest.approx(theirs.coef_, abs=2e-3)
    assert (bias - bias.mean()).numpy() == pytest.approx(theirs.intercept_ - theirs.intercept_.mean(), abs=2e-3)


def test_classes_missing_from_a_corpus_are_not_penalised(cloud):
    points, targets = cloud
    one_hot = torch.nn.functional.one_hot(targets, 3).float()
    lacking = targets != 2
    everything = torch.ones(600, 3, dtype=torch.bool)
    masked = everything.clone()
    masked[lacking, 2] = False
    naive, _ = fit_probe(points, one_hot, everything, torch.ones(600), inverse_penalty=1.0)
    fair, _ = fit_probe(points, one_hot, masked, torch.ones(600), inverse_penalty=1.0)
    assert naive[2, 2] > 0.5 > abs(fair[0, 2])


def test_weights_move_the_decision_boundary(cloud):
    points, targets = cloud
    one_hot, every = torch.nn.functional.one_hot(targets, 3).float(), torch.ones(600, 3, dtype=torch.bool)
    heavy = torch.where(targets == 0, 5.0, 1.0)
    (_, plain), (_, moved) = (fit_probe(points, one_hot, every, weights) for weights in (torch.ones(600), heavy))
    assert moved[0] - moved[1] > plain[0] - plain[1] + 0.5


def test_domains_can_have_opposite_decision_boundaries(cloud):
    points, targets = cloud
    domains = torch.arange(600) % 2
    targets = torch.where(domains.bool(), 2 - targets, targets)  # the classes are swapped in the second domain
    one_hot = torch.nn.functional.one_hot(targets, 3).float()
    gates = torch.cat([torch.ones(600, 1), torch.nn.functional.one_hot(domains, 2)], dim=1)
    every, even = one_hot.bool() | True, torch.ones(600)
    weight, bias = fit_gated_probe(points, gates, one_hot, every, even, inverse_penalty=1.0)
    alone, alone_bias = fit_probe(points, one_hot, every, even, inverse_penalty=1.0)
    gated = (torch.einsum("nk,kcd,nd->nc", gates, weight, points) + bias).argmax(dim=1)
    plain = (points @ alone.T + alone_bias).argmax(dim=1)
    assert (gated == targets).float().mean() > (plain == targets).float().mean() + 0.1
