"""Owns what a network has before its first step: statistics of the training clips and, where its recipe begins with
pretrained tensors, these and the linear layer that is best on top of them.

That layer also learns to hear a voice relative to itself ("calibrate to my voice"): every training clip is shown to it
several times, each time moved by what a few clips of its speaker say about the voice, as a profile will move it later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from ser.audio.synthetic_sounds import SOUNDS, make_sound
from ser.core.settings import load_settings
from ser.data.feature_cache import FrameBank
from ser.models.layers import Standardise
from ser.models.pretrained import load_pretrained
from ser.models.recipe import Recipe, TrainingSettings, get_recipe
from ser.models.speaker_offset import SpeakerOffset
from ser.training.batching import Task
from ser.training.distillation import teach
from ser.training.head_fitting import domains_of, fit_domains, fit_head, fit_intensity, fit_speech_detector
from ser.training.ood_temperature import Clips, fit_ood_temperature

LOWER = "lower"  # the published part, as a bank names what it makes
STATISTICS = "statistics"  # of the published tensors, as a bank names them
SOUNDS_BANK = "sounds"  # that are no speech, as a bank remembers them
SOUNDS_EACH = 40  # of every kind
PROFILE_CLIPS = (1, 3, 5, 10, 20, 60)  # sizes of the profiles that the linear layer is shown
ONE_MOOD = 0.25  # share of the profiles that are of one emotion only
VIEWS = 4  # of every training clip, at least


def begin(
    recipe: Recipe, network: nn.Module, task: Task, settings: TrainingSettings, seed: int
) -> tuple[nn.Module, Task]:
    """Prepares a new network.

    Returns:
        The part of the network that learns, and the task in terms of what that part is given.

    Raises:
        ModelError, DownloadError: the pretrained tensors cannot be had.
    """
    if recipe.pretrained is None:
        _fit_normalisation(network, task)
        if recipe.teacher is not None and task.lessons and settings.lesson_epochs:
            teach(network, get_recipe(recipe.teacher), task.lessons, settings, seed)
        return network, task
    network.load_pretrained(load_pretrained(recipe.pretrained, load_settings().pretrained))
    network.eval()

    def hear(bank: FrameBank) -> Tensor:
        return bank.statistics(STATISTICS, lambda *batch: network.statistics(*batch)[0])

    fit_heads(network.upper, task, hear(task.bank), hear(_sounds(recipe, task.bank))[:, 0], seed)
    if settings.epochs:
        task = replace(task, bank=task.bank.through(LOWER, network.lower, torch.float16))
    return network.upper, task


def finish(recipe: Recipe, network: nn.Module, task: Task, seed: int) -> None:
    """Gives a network whose upper part has learnt the linear layers that are best on what it has become.

    Args:
        recipe: whose network.
        network: the whole of it.
        task: as it was given to ``begin``.
        seed: as for ``begin``.
    """
    if recipe.pretrained is None:
        return
    network.eval()

    def hear(bank: FrameBank) -> Tensor:
        again = replace(bank, file=None, parts=(), memory={})  # what it was before is kept under the same name
        return again.statistics(STATISTICS, lambda *batch: network.statistics(*batch)[0])

    fit_heads(network.upper, task, hear(task.bank), hear(_sounds(recipe, task.bank))[:, 0], seed)


def known_statistics(recipe: Recipe, bank: FrameBank) -> Tensor | None:
    """What ``begin`` found out about a bank, (clips, copies, size), where training leaves the encoder as it is."""
    if recipe.pretrained is None or recipe.training.epochs or STATISTICS not in bank.memory:
        return None
    return bank.memory[STATISTICS].frames.unflatten(0, (len(bank), bank.copies))


def fit_heads(upper: nn.Module, task: Task, statistics: Tensor, sounds: Tensor, seed: int) -> None:
    """Gives a network its standardisation, what it knows about how voices differ, and its linear layers.

    Args:
        upper: the part that learns, see ``Recipe.pretrained``.
        task: the clips, and which of them are learnt from.
        statistics: (clips, copies, size) of the bank's entries.
        sounds: (sounds, size), the same of sounds that are no speech.
        seed: of the profiles that are drawn.
    """
    train = torch.tensor(list(task.train))
    targets, learnt, allowed, groups = (part[train] for part in (task.targets, task.learnt, task.allowed, task.groups))
    corpora = [task.corpora[clip] for clip in task.train] if task.corpora else [""] * len(task.train)
    kinds = domains_of(corpora, len(upper.kind.bias))
    upper.standardise.fit(statistics[train, 0])
    vectors = upper.standardise(statistics[train])  # (train, copies, size)
    views, plain = vectors.transpose(0, 1), vectors[:, 0]
    fit_domains(upper.kind, plain, kinds)
    with torch.no_grad():
        shares = upper.kind(views).softmax(dim=2)
    fit_head(upper.head, views, shares, learnt, allowed, groups)
    if task.speakers:
        names = [task.speakers[clip] for clip in task.train]
        speakers = torch.from_numpy(np.unique(names, return_inverse=True)[1])
        upper.voices.fit(plain, targets, speakers)
        again = torch.arange(max(VIEWS, len(views))) % len(views)
        offsets = torch.stack(_profile_offsets(plain, targets, speakers, upper.voices, len(again), seed))
        fit_head(upper.voiced_head, views[again] - offsets, shares[again], learnt, allowed, groups)
        fit_ood_temperature(upper.caution, Clips(vectors, targets, allowed, groups, kinds, speakers))
    fit_speech_detector(upper.presence, vectors.flatten(0, 1), upper.standardise(sounds))
    if task.intensities is not None:
        fit_intensity(upper.intensity, vectors, task.intensities[train], groups)


def _sounds(recipe: Recipe, bank: FrameBank) -> FrameBank:
    """The frames of sounds that are no speech; made once a process."""
    if SOUNDS_BANK not in bank.memory:
        bank.memory[SOUNDS_BANK] = _sounds_bank(recipe)
    return bank.memory[SOUNDS_BANK]


@torch.inference_mode()
def _sounds_bank(recipe: Recipe) -> FrameBank:
    """The frames of sounds that are no speech."""
    features = recipe.features(recipe.clip_seconds).eval()
    entries = []
    for number, kind in enumerate(SOUNDS):
        for draw in range(SOUNDS_EACH):
            samples = torch.from_numpy(make_sound(kind, recipe.sample_rate, np.random.default_rng((number, draw))))
            entries.append(features(samples[None], torch.tensor([len(samples)]))[0][0])
    offsets = torch.tensor([0, *(len(entry) for entry in entries)]).cumsum(0)
    return FrameBank(torch.cat(entries), offsets, 1, torch.zeros(len(entries), dtype=torch.bool))


def _profile_offsets(
    vectors: Tensor, targets: Tensor, speakers: Tensor, voices: SpeakerOffset, views: int, seed: int
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
                offsets[own] = voices.estimate_varied(vectors[chosen])
        found.append(offsets)
    return found


def _fit_normalisation(network: nn.Module, task: Task) -> None:
    """Gives every ``Standardise`` the statistics of the unchanged training clips."""
    places = [module for module in network.modules() if isinstance(module, Standardise)]
    if places:
        frames = torch.cat([task.bank.entry(clip) for clip in task.train])
        for place in places:
            place.fit(frames)
