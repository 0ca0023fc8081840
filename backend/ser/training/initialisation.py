"""Initialises a network before its first training step.

This fits the normalisation to the training clips and, for a recipe with a teacher, runs the distillation. For a network
on a frozen encoder it loads the published tensors and fits all heads in closed form, which completes the training.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ser.audio.synthetic_sounds import SOUNDS, make_sound
from ser.core.settings import load_settings
from ser.data.frame_tensors import FrameBank
from ser.models.layers import Standardise
from ser.models.network import Network
from ser.models.pretrained import load_pretrained
from ser.models.recipe import Recipe, TrainingSettings, get_recipe
from ser.training.batching import Task
from ser.training.distillation import distil
from ser.training.head_fitting import fit_heads

STATISTICS = "statistics"  # of the frozen encoder, as a bank names them
SOUNDS_BANK = "sounds"  # that are not speech, as a bank names them
SOUNDS_EACH = 40  # per type of sound


def initialise(recipe: Recipe, network: Network, task: Task, settings: TrainingSettings, seed: int) -> None:
    """Initialises a new network.

    Args:
        recipe: whose network.
        network: with random weights.
        task: the clips; only those of ``task.train`` are used.
        settings: of the training.
        seed: of the distillation.

    Raises:
        ModelError, DownloadError: the pretrained tensors cannot be loaded.
    """
    if recipe.pretrained is None:
        _fit_normalisation(network, task)
        if recipe.teacher is not None and task.distillation and settings.distillation_epochs:
            distil(network, get_recipe(recipe.teacher), task.distillation, settings, seed)
        return
    network.load_pretrained(load_pretrained(recipe.pretrained, load_settings().pretrained))
    network.eval()
    statistics = task.bank.statistics(STATISTICS, network.statistics)
    sounds = _sounds(recipe, task.bank).statistics(STATISTICS, network.statistics)[:, 0]
    fit_heads(network.heads, task, statistics, sounds)


def known_statistics(recipe: Recipe, bank: FrameBank) -> Tensor | None:
    """Returns the encoder's statistics of a bank, (clips, copies, size), where ``initialise`` has computed them."""
    return None if recipe.pretrained is None else bank.memory.get(STATISTICS)


def _sounds(recipe: Recipe, bank: FrameBank) -> FrameBank:
    """The frames of sounds that are not speech; computed once for a bank."""
    if SOUNDS_BANK not in bank.memory:
        bank.memory[SOUNDS_BANK] = _sounds_bank(recipe)
    return bank.memory[SOUNDS_BANK]


@torch.inference_mode()
def _sounds_bank(recipe: Recipe) -> FrameBank:
    """The frames of sounds that are not speech."""
    features = recipe.features(recipe.clip_seconds).eval()
    entries = []
    for number, kind in enumerate(SOUNDS):
        for draw in range(SOUNDS_EACH):
            samples = torch.from_numpy(make_sound(kind, recipe.sample_rate, np.random.default_rng((number, draw))))
            entries.append(features(samples[None], torch.tensor([len(samples)]))[0][0])
    offsets = torch.tensor([0, *(len(entry) for entry in entries)]).cumsum(0)
    return FrameBank(torch.cat(entries), offsets, 1, torch.zeros(len(entries), dtype=torch.bool))


def _fit_normalisation(network: Network, task: Task) -> None:
    """Fits every ``Standardise`` to the unchanged training clips."""
    places = [module for module in network.modules() if isinstance(module, Standardise)]
    if places:
        frames = torch.cat([task.bank.entry(clip) for clip in task.train])
        for place in places:
            place.fit(frames)
