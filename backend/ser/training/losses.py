"""Computes the training losses."""

from __future__ import annotations

from torch import Tensor

NEVER = -1e4  # logit of a class that is not allowed; finite, as its target may be 0 and 0 times infinity is not


def masked_cross_entropy(logits: Tensor, targets: Tensor, allowed: Tensor) -> Tensor:
    """Returns the cross entropy over the classes that are possible.

    Args:
        logits: (batch, classes).
        targets: float (batch, classes), shares that sum to 1.
        allowed: bool (batch, classes), the classes that a clip could have had in its corpus.

    Returns:
        (batch,), in nat.
    """
    likelihood = logits.masked_fill(~allowed, NEVER).log_softmax(dim=1)
    return -(targets * likelihood).sum(dim=1)
