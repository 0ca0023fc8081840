"""Fits linear probes: multinomial logistic regression on fixed vectors, by L-BFGS instead of epochs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ser.training.losses import masked_cross_entropy

INVERSE_PENALTY = 0.01  # C of the usual logistic regression, for standardised vectors
ITERATIONS = 200


def fit_probe(
    vectors: Tensor, targets: Tensor, allowed: Tensor, weights: Tensor, *, inverse_penalty: float = INVERSE_PENALTY
) -> tuple[Tensor, Tensor]:
    """Multinomial logistic regression with an L2 penalty on everything but the bias, by L-BFGS.

    Args:
        vectors: (clips, size), standardised.
        targets: float (clips, classes), shares that sum to 1.
        allowed: bool (clips, classes): the classes that a clip could have had in its corpus.
        weights: float (clips,): weight of a clip in the loss, 1 on average.
        inverse_penalty: larger values mean less regularisation.

    Returns:
        Weight (classes, size) and bias (classes,).
    """
    gates = torch.ones(len(vectors), 1)
    weight, bias = fit_gated_probe(vectors, gates, targets, allowed, weights, inverse_penalty=inverse_penalty)
    return weight[0], bias


def fit_gated_probe(
    vectors: Tensor, gates: Tensor, targets: Tensor, allowed: Tensor, weights: Tensor, *, inverse_penalty: float
) -> tuple[Tensor, Tensor]:
    """Like ``fit_probe``, with several weight matrices of which each clip uses a mixture.

    Args:
        gates: (clips, parts), share of each weight matrix in the mixture.

    Returns:
        Weight (parts, classes, size) and bias (classes,).
    """
    parts, classes = gates.shape[1], targets.shape[1]
    weight = torch.zeros(parts, classes, vectors.shape[1], requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        each = functional.linear(vectors, weight.flatten(0, 1)).unflatten(1, (parts, classes))
        errors = masked_cross_entropy((gates[:, :, None] * each).sum(dim=1) + bias, targets, allowed)
        value = (weights * errors).mean() + weight.square().sum() / (2 * inverse_penalty * len(vectors))
        value.backward()
        return value

    optimizer.step(loss)
    return weight.detach(), bias.detach()
