"""Computes the training losses."""

from __future__ import annotations

import math

from torch import Tensor

WEAK = math.log(0.1)  # added to the logits of classes that a clip's corpus does not have


def weak_negative_cross_entropy(logits: Tensor, targets: Tensor, possible: Tensor, weak: float = WEAK) -> Tensor:
    """Returns the cross entropy in which classes that a clip's corpus does not have are weak negatives.

    A network that is never told that these classes are wrong answers with them; one that is told fully learns to
    recognise the corpus instead of the emotion. Shifting their logits lies between.

    Args:
        logits: (batch, classes).
        targets: float (batch, classes), shares that sum to 1.
        possible: bool (batch, classes), the classes that occur in the corpus of each clip.
        weak: added to the logits of the other classes.

    Returns:
        (batch,), in nat.
    """
    likelihood = (logits + weak * ~possible).log_softmax(dim=1)
    return -(targets * likelihood).sum(dim=1)
