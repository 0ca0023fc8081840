"""Linear probes: regularised logistic regression with weak negatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from ser.training.linear_probe import fit_probe


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
    weight, bias = fit_probe(points, one_hot, one_hot.bool() | True, torch.ones(600), penalty=1 / (2 * 0.05 * 600))
    theirs = LogisticRegression(C=0.05, tol=1e-8, max_iter=1000).fit(points.numpy(), targets.numpy())
    assert weight.numpy() == pytest.approx(theirs.coef_, abs=2e-3)
    assert (bias - bias.mean()).numpy() == pytest.approx(theirs.intercept_ - theirs.intercept_.mean(), abs=2e-3)


def test_classes_missing_from_a_corpus_are_weak_negatives(cloud):
    points, targets = cloud
    one_hot = torch.nn.functional.one_hot(targets, 3).float()
    lacking = targets != 2
    everything = torch.ones(600, 3, dtype=torch.bool)
    possible = everything.clone()
    possible[lacking, 2] = False
    (_, naive), (weight, weak) = (
        fit_probe(points, one_hot, known, torch.ones(600), penalty=1 / 1200) for known in (everything, possible)
    )
    assert weak[2] - weak[0] > naive[2] - naive[0] + 0.5, "the class is ruled out less"
    assert weight[2, 2] > 0.5, "but it is still told apart"


def test_weights_move_the_decision_boundary(cloud):
    points, targets = cloud
    one_hot, every = torch.nn.functional.one_hot(targets, 3).float(), torch.ones(600, 3, dtype=torch.bool)
    heavy = torch.where(targets == 0, 5.0, 1.0)
    (_, plain), (_, moved) = (fit_probe(points, one_hot, every, weights) for weights in (torch.ones(600), heavy))
    assert moved[0] - moved[1] > plain[0] - plain[1] + 0.5
