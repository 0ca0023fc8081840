"""Owns what a network has before its first step: statistics of the training clips and, where its recipe begins with
pretrained tensors, these and the linear layer that is best on top of them.

That layer also learns to hear a voice relative to itself ("calibrate to my voice"): every training clip is shown to it
several times, each time moved by what a few clips of its speaker say about the voice, as a profile will move it later.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ser.bank import FrameBank, pad
from ser.batches import Task
from ser.layers import Standardise, Voices
from ser.pretrained import load_pretrained
from ser.probe import INVERSE_PENALTY, fit_probe
from ser.recipe import Recipe
from ser.settings import load_settings

BATCH = 64
PROFILE_CLIPS = (0, 1, 3, 5, 10, 20, 60)  # sizes of the profiles that the linear layer is shown
ONE_MOOD = 0.25  # share of the profiles that are of one emotion only
VIEWS = 4  # of every training clip, at least


def begin(recipe: Recipe, network: nn.Module, task: Task, seed: int) -> None:
    """Prepares a new network.

    Raises:
        ModelError, DownloadError: the pretrained tensors cannot be had.
    """
    if recipe.pretrained is None:
        _fit_normalisation(network, task)
        return
    network.load_pretrained(load_pretrained(recipe.pretrained, load_settings().pretrained))
    fit_head(network, task, _pretrained_statistics(recipe, network, task.bank), seed)


def fit_head(network: nn.Module, task: Task, statistics: Tensor, seed: int) -> None:
    """Gives a network its standardisation, what it knows about how voices differ, and its linear layer.

    Args:
        network: see ``Recipe.pretrained``.
        task: the clips, and which of them are learnt from.
        statistics: (clips, copies, size) of the bank's entries.
        seed: of the profiles that are drawn.
    """
    train = torch.tensor(list(task.train))
    network.standardise.fit(statistics[train, 0])
    vectors = network.standardise(statistics[train])  # (train, copies, size)
    copies = vectors.shape[1]
    offsets: Sequence[Tensor] = [torch.zeros_like(vectors[:, 0])] * vectors.shape[1]
    if task.speakers:
        names = [task.speakers[clip] for clip in task.train]
        speakers = torch.from_numpy(np.unique(names, return_inverse=True)[1])
        network.voices.fit(vectors[:, 0], task.targets[train], speakers)
        offsets = _profile_offsets(
            vectors[:, 0], task.targets[train], speakers, network.voices, max(VIEWS, copies), seed
        )
    views = torch.cat([vectors[:, view % copies] - offset for view, offset in enumerate(offsets)])
    repeated = [part[train].repeat(len(offsets), *[1] * (part.ndim - 1)) for part in _parts(task)]
    weights = 1 / torch.bincount(repeated[2])[repeated[2]].float()
    penalty = INVERSE_PENALTY / len(offsets)
    weight, bias = fit_probe(views, *repeated[:2], weights / weights.mean(), inverse_penalty=penalty)
    with torch.no_grad():
        network.head.weight.copy_(weight)
        network.head.bias.copy_(bias)


def _parts(task: Task) -> tuple[Tensor, Tensor, Tensor]:
    return task.learnt, task.allowed, task.groups


@torch.inference_mode()
def entry_statistics(network: nn.Module, bank: FrameBank) -> Tensor:
    """What the network makes of every entry of a bank before its standardisation: (clips, copies, size)."""
    network.eval()
    entries = [bank.entry(clip, copy) for clip in range(len(bank)) for copy in range(bank.copies)]
    order = sorted(range(len(entries)), key=lambda i: len(entries[i]))
    parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    found = torch.cat([network.statistics(*pad([entries[i] for i in part])) for part in parts])
    return found[torch.tensor(order).argsort()].unflatten(0, (len(bank), bank.copies)).clone()


def _pretrained_statistics(recipe: Recipe, network: nn.Module, bank: FrameBank) -> Tensor:
    """The same of a network whose pretrained part is as it was published; computed once a process."""
    if recipe.name not in bank.memory:
        bank.memory[recipe.name] = entry_statistics(network, bank)
    return bank.memory[recipe.name]


def _profile_offsets(
    vectors: Tensor, targets: Tensor, speakers: Tensor, voices: Voices, views: int, seed: int
) -> Sequence[Tensor]:
    """``views`` times (clips, size): where a profile from a few clips of each speaker puts the middle of the voice."""
    draw = np.random.default_rng(seed)
    found = []
    for view in range(views):
        offsets = torch.zeros_like(vectors)
        for speaker in speakers.unique():
            own = torch.nonzero(speakers == speaker)[:, 0].numpy()
            clips = draw.choice(PROFILE_CLIPS) if view else PROFILE_CLIPS[-1]
            mood = targets[own].numpy() == int(targets[draw.choice(own)])
            among = own[mood] if view and draw.random() < ONE_MOOD else own
            chosen = draw.permutation(among)[:clips]
            if len(chosen):
                offsets[own] = voices.varied(vectors[chosen])
        found.append(offsets)
    return found


def _fit_normalisation(network: nn.Module, task: Task) -> None:
    """Gives every ``Standardise`` the statistics of the unchanged training clips."""
    places = [module for module in network.modules() if isinstance(module, Standardise)]
    if places:
        frames = torch.cat([task.bank.entry(clip) for clip in task.train])
        for place in places:
            place.fit(frames)
