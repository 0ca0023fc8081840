"""The training loss: classes that a clip's corpus does not have are weak negatives."""

from __future__ import annotations

import math

import pytest
import torch

from ser.training.losses import WEAK, weak_negative_cross_entropy

FIRST = torch.tensor([[1.0, 0.0, 0.0]])
LACKING = torch.tensor([[True, True, False]])  # the corpus has no clip of the third class


def gradient(logits: torch.Tensor, possible: torch.Tensor) -> torch.Tensor:
    """Gradient of the loss of a clip of the first class with respect to its logits, (1, classes)."""
    logits = logits.clone().requires_grad_()
    weak_negative_cross_entropy(logits, FIRST, possible).sum().backward()
    return logits.grad


def test_with_all_classes_the_loss_is_the_cross_entropy():
    draw = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(5, 3, generator=draw), torch.rand(5, 3, generator=draw).softmax(dim=1)
    theirs = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    found = weak_negative_cross_entropy(logits, targets, torch.ones(5, 3, dtype=torch.bool))
    torch.testing.assert_close(found, theirs)


def test_a_lacking_class_counts_a_tenth():
    loss = weak_negative_cross_entropy(torch.zeros(1, 3), FIRST, LACKING)
    assert loss.item() == pytest.approx(math.log(1 + 1 + 0.1))
    assert math.exp(WEAK) == pytest.approx(0.1)


def test_a_lacking_class_is_pushed_down_but_less_than_others():
    lacking = gradient(torch.zeros(1, 3), LACKING)[0]
    every = gradient(torch.zeros(1, 3), torch.ones(1, 3, dtype=torch.bool))[0]
    assert 0 < lacking[2] < lacking[1] and lacking[2] < every[2]
    torch.testing.assert_close(lacking.sum(), torch.tensor(0.0))
    likely = gradient(torch.tensor([[0.0, 0.0, 5.0]]), LACKING)[0]
    assert likely[2] > 0.5, "a clip that is answered with a class that its corpus lacks is corrected"
