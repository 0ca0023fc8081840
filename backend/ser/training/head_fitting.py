"""Fits the heads on top of a frozen encoder's statistics in closed form, without epochs.

Every head is a linear probe on the principal components of the training vectors, which is many times quicker than on
the vectors themselves and as accurate; its weights are then those of the vectors again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ser.models.encoder import EncoderHeads
from ser.training.batching import Task
from ser.training.linear_probe import PENALTY, fit_probe

COMPONENTS = 1024
DETECTOR_PENALTY = 0.004  # of the heads with two classes that are easy to tell apart


def fit_heads(heads: EncoderHeads, task: Task, statistics: Tensor, sounds: Tensor) -> None:
    """Fits every head to the training clips and their augmented copies.

    Args:
        heads: get the weights.
        task: the clips, and which of them are for training.
        statistics: (clips, copies, statistics) of the bank's entries; copy 0 is the unchanged recording.
        sounds: (sounds, statistics), of sounds that are not speech.
    """
    train = torch.tensor(list(task.train))
    heads.standardise.fit(statistics[train, 0])
    scaled = heads.standardise(statistics[train])  # (train, copies, statistics)
    heads.distance.fit(scaled[:, 0], domains_of(_of(task.corpora, task.train), len(heads.distance.centres)))
    vectors = heads.embedding(scaled)  # (train, copies, size)
    basis = _principal_components(vectors[:, 0])
    low = vectors @ basis  # (train, copies, components)
    _fit_emotions(heads.head, low, basis, task, train)
    _fit_centred(heads, vectors, basis, task, train)
    fit_speech_detector(heads.speech, low.flatten(0, 1), heads.embedding(heads.standardise(sounds)) @ basis, basis)
    if task.intensities is not None:
        fit_intensity(heads.intensity, low, task.intensities[train], task.groups[train], basis)


def fit_emotion_head(heads: EncoderHeads, task: Task, statistics: Tensor) -> None:
    """Fits the head for unknown speakers alone, and what it needs; arguments as for ``fit_heads``."""
    train = torch.tensor(list(task.train))
    heads.standardise.fit(statistics[train, 0])
    vectors = heads.embedding(heads.standardise(statistics[train]))
    basis = _principal_components(vectors[:, 0])
    _fit_emotions(heads.head, vectors @ basis, basis, task, train)


def _fit_emotions(layer: nn.Linear, low: Tensor, basis: Tensor, task: Task, train: Tensor) -> None:
    """Fits a layer to (clips, copies, components); every class of every corpus has the same weight."""
    groups, copies = task.groups[train], low.shape[1]
    weights = 1 / torch.bincount(groups)[groups].float()
    targets, possible, weights = (
        part.repeat_interleave(copies, dim=0)
        for part in (task.learnt[train], task.allowed[train], weights / weights.mean())
    )
    _copy(layer, *fit_probe(low.flatten(0, 1), targets, possible, weights), basis)


def _fit_centred(heads: EncoderHeads, vectors: Tensor, basis: Tensor, task: Task, train: Tensor) -> None:
    """Fits the head for embeddings less the speaker's offset, and what the estimate of that offset needs.

    Where speakers are unknown every clip counts as one speaker's, and the head is that for unknown speakers.
    """
    names = _of(task.speakers, task.train)
    speakers = torch.from_numpy(np.unique(names, return_inverse=True)[1])
    targets = task.targets[train]
    offsets = vectors[:, 0] - heads.speaker_offset.fit(vectors[:, 0], targets, speakers)
    _fit_emotions(heads.centred_head, (vectors - offsets[:, None]) @ basis, basis, task, train)
    with torch.no_grad():
        heads.speaker_offset.fit_spread(heads.centred_head(vectors[:, 0]), targets, speakers)


def domains_of(corpora: Sequence[str], most: int) -> Tensor:
    """Returns the number of each clip's domain, int64 (clips,): its corpus, or 0 for all if there are too many."""
    numbers = np.unique(np.asarray(corpora), return_inverse=True)[1]
    return torch.from_numpy(numbers) if numbers.max(initial=0) < most else torch.zeros(len(numbers), dtype=torch.long)


def fit_speech_detector(layer: nn.Linear, speech: Tensor, sounds: Tensor, basis: Tensor) -> None:
    """Fits a layer that separates speech (clips, components) from other sounds (sounds, components)."""
    low = torch.cat([speech, sounds])
    spoken = torch.arange(len(low)) < len(speech)
    targets = torch.stack([~spoken, spoken], dim=1).float()
    weights = len(low) / (2 * targets.sum(dim=0))[spoken.long()]  # both classes weigh the same
    _copy_difference(layer, *fit_probe(low, targets, targets >= 0, weights, penalty=DETECTOR_PENALTY), basis)


def fit_intensity(layer: nn.Linear, low: Tensor, levels: Tensor, groups: Tensor, basis: Tensor) -> None:
    """Fits a layer that predicts how strongly an emotion is expressed.

    Only emotions that a corpus has in several intensities are used: from one that is always mild, such as neutral, the
    layer would learn the emotion instead.

    Args:
        layer: gets the weights; stays as it is where no emotion has several intensities.
        low: (clips, copies, components).
        levels: (clips,), 0 to 1, NaN where unknown.
        groups: int64 (clips,), corpus and emotion.
        basis: (size, components).
    """
    stated = ~levels.isnan()
    varied = [group for group in groups.unique().tolist() if len(levels[(groups == group) & stated].unique()) > 1]
    chosen = torch.isin(groups, torch.tensor(varied, dtype=torch.long)) & stated
    if not chosen.any():
        return
    repeated = levels[chosen].repeat_interleave(low.shape[1])
    targets = torch.stack([1 - repeated, repeated], dim=1)
    found = fit_probe(low[chosen].flatten(0, 1), targets, targets >= 0, torch.ones_like(repeated), penalty=PENALTY)
    _copy_difference(layer, *found, basis)


def _of(names: Sequence[str], clips: Sequence[int]) -> list[str]:
    """The names of clips; one name for all where there are none."""
    return [names[clip] for clip in clips] if names else [""] * len(clips)


def _principal_components(vectors: Tensor) -> Tensor:
    """(size, components): the directions in which vectors (clips, size) vary most."""
    with torch.random.fork_rng(devices=[]):  # the search starts at random and must not change the draws of others
        torch.manual_seed(0)
        return torch.pca_lowrank(vectors, min(COMPONENTS, *vectors.shape), center=False, niter=1)[2]


def _copy(layer: nn.Linear, weight: Tensor, bias: Tensor, basis: Tensor) -> None:
    with torch.no_grad():
        layer.weight.copy_(weight @ basis.T)
        layer.bias.copy_(bias)


def _copy_difference(layer: nn.Linear, weight: Tensor, bias: Tensor, basis: Tensor) -> None:
    """Writes the difference of two classes into a layer with one logit."""
    _copy(layer, weight[1:] - weight[:1], bias[1:] - bias[:1], basis)
