"""Loss functions restricted to allowed classes."""

from __future__ import annotations

import math

import pytest
import torch

from ser.training.losses import masked_cross_entropy


def test_classes_that_are_not_allowed_do_not_affect_the_loss():
    logits = torch.tensor([[1.0, 1.0, 50.0]])
    loss = masked_cross_entropy(logits, torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[True, True, False]]))
    assert loss.item() == pytest.approx(math.log(2))


def test_with_all_classes_the_loss_is_the_cross_entropy():
    draw = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(5, 3, generator=draw), torch.rand(5, 3, generator=draw).softmax(dim=1)
    theirs = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(masked_cross_entropy(logits, targets, torch.ones(5, 3, dtype=torch.bool)), theirs)
