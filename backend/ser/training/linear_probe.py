"""Fits linear probes: multinomial logistic regression on fixed vectors, by L-BFGS instead of epochs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ser.training.losses import WEAK, weak_negative_cross_entropy

PENALTY = 0.1  # of the squared weights, beside the mean loss, for standardised vectors
ITERATIONS = 80


def fit_probe(
    vectors: Tensor, targets: Tensor, possible: Tensor, weights: Tensor, *, penalty: float = PENALTY, weak: float = WEAK
) -> tuple[Tensor, Tensor]:
    """Multinomial logistic regression with an L2 penalty on everything but the bias, by L-BFGS.

    Args:
        vectors: (clips, size), standardised.
        targets: float (clips, classes), shares that sum to 1.
        possible: bool (clips, classes): the classes that a clip could have had in its corpus.
        weights: float (clips,): weight of a clip in the loss, 1 on average.
        penalty: larger values mean more regularisation.
        weak: shift of the logits of classes that are not possible, see ``weak_negative_cross_entropy``.

    Returns:
        Weight (classes, size) and bias (classes,).
    """
    weight = torch.zeros(targets.shape[1], vectors.shape[1], requires_grad=True)
    bias = torch.zeros(targets.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        errors = weak_negative_cross_entropy(functional.linear(vectors, weight, bias), targets, possible, weak)
        value = (weights * errors).mean() + penalty * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weight.detach(), bias.detach()
