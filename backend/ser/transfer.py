"""Owns what a network has before its first step: statistics of the training clips and, where its recipe begins with
pretrained tensors, these and the linear layer that is best on top of them.

That layer also learns to hear a voice relative to itself ("calibrate to my voice"): every training clip is shown to it
several times, each time moved by what a few clips of its speaker say about the voice, as a profile will move it later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ser.bank import FrameBank
from ser.batches import Task
from ser.distillation import hear, teach
from ser.layers import GatedLinear, Standardise, Voices
from ser.nonspeech import SOUNDS, make_sound
from ser.pretrained import load_pretrained
from ser.probe import INVERSE_PENALTY, fit_gated_probe, fit_probe
from ser.recipe import Recipe, TrainingSettings, get_recipe
from ser.settings import load_settings

BATCH = 64
LOWER = "lower"  # the published part, as a bank names what it makes
SOUNDS_BANK = "sounds"  # that are no speech, as a bank remembers them
SOUNDS_EACH = 40  # of every kind
PROFILE_CLIPS = (1, 3, 5, 10, 20, 60)  # sizes of the profiles that the linear layer is shown
GATE_INVERSE_PENALTY = 0.001  # corpora are told apart easily
NEVER = -1e4  # logit of a kind of recording that there is none of
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
        if recipe.teacher is not None and task.lessons:
            teach(network, get_recipe(recipe.teacher), task.lessons, settings, seed)
        return network, task
    network.load_pretrained(load_pretrained(recipe.pretrained, load_settings().pretrained))
    network.eval()
    if SOUNDS_BANK not in task.bank.memory:
        task.bank.memory[SOUNDS_BANK] = _sounds_bank(recipe)
    sounds = task.bank.memory[SOUNDS_BANK]
    fit_head(network.upper, task, hear(network, task.bank), hear(network, sounds)[:, 0], seed)
    if settings.epochs:
        bank = task.bank.through(LOWER, network.lower, torch.float16)
        bank.memory[SOUNDS_BANK] = sounds.through(LOWER, network.lower, torch.float16)
        task = replace(task, bank=bank)
    return network.upper, task


def finish(recipe: Recipe, network: nn.Module, task: Task, seed: int) -> None:
    """Gives the part that has learnt the linear layers that are best on what it has become."""
    if recipe.pretrained is not None:
        sounds = entry_statistics(network, task.bank.memory[SOUNDS_BANK])[:, 0]
        fit_head(network, task, entry_statistics(network, task.bank), sounds, seed)


def fit_head(network: nn.Module, task: Task, statistics: Tensor, sounds: Tensor, seed: int) -> None:
    """Gives a network its standardisation, what it knows about how voices differ, and its linear layer.

    Args:
        network: the part that learns, see ``Recipe.pretrained``.
        task: the clips, and which of them are learnt from.
        statistics: (clips, copies, size) of the bank's entries.
        sounds: (sounds, size), the same of sounds that are no speech.
        seed: of the profiles that are drawn.
    """
    train = torch.tensor(list(task.train))
    network.standardise.fit(statistics[train, 0])
    vectors = network.standardise(statistics[train])  # (train, copies, size)
    views = vectors.transpose(0, 1)  # (copies, train, size)
    _fit_gate(network.head, task, vectors[:, 0])
    network.voiced_head.gate.load_state_dict(network.head.gate.state_dict())
    _fit_answer(network.head, task, views, views)
    if task.speakers:
        names = [task.speakers[clip] for clip in task.train]
        speakers = torch.from_numpy(np.unique(names, return_inverse=True)[1])
        network.voices.fit(vectors[:, 0], task.targets[train], speakers)
        recordings = views[torch.arange(max(VIEWS, len(views))) % len(views)]
        offsets = _profile_offsets(vectors[:, 0], task.targets[train], speakers, network.voices, len(recordings), seed)
        _fit_answer(network.voiced_head, task, recordings - torch.stack(offsets), recordings)
    _fit_intensity(network, task, vectors)
    _fit_presence(network, vectors.flatten(0, 1), network.standardise(sounds))


def _fit_gate(head: GatedLinear, task: Task, vectors: Tensor) -> None:
    """Gives a layer what tells the corpora apart, from vectors (train, size); with one corpus all are of one kind."""
    with torch.no_grad():
        head.gate.weight.zero_()
        head.gate.bias.fill_(NEVER)
        head.gate.bias[0] = 0.0
    numbers = np.unique([task.corpora[clip] for clip in task.train], return_inverse=True)[1] if task.corpora else [0]
    kinds = len(head.gate.bias)
    if not 1 < max(numbers) + 1 <= kinds:
        return
    targets = functional.one_hot(torch.tensor(numbers), kinds).float()
    present = targets.any(dim=0).expand_as(targets).bool()
    even = torch.ones(len(vectors))
    weight, bias = fit_probe(vectors, targets, present, even, inverse_penalty=GATE_INVERSE_PENALTY)
    with torch.no_grad():
        head.gate.weight.copy_(weight)
        head.gate.bias.copy_(bias.masked_fill(~present[0], NEVER))


def _fit_answer(head: GatedLinear, task: Task, views: Tensor, recordings: Tensor) -> None:
    """Gives a layer the weights that answer best to views (views, train, size) of recordings (views, train, size).

    What is shared counts as much as what is added, so that with one corpus both are the same and nothing is gained.
    """
    train = torch.tensor(list(task.train))
    targets, allowed, groups = (
        part[train].repeat(len(views), *[1] * (part.ndim - 1)) for part in (task.learnt, task.allowed, task.groups)
    )
    weights = 1 / torch.bincount(groups)[groups].float()
    with torch.no_grad():
        shares = head.gate(recordings.flatten(0, 1)).softmax(dim=1)
    shares = torch.cat([torch.ones(len(shares), 1), shares], dim=1) * math.sqrt(0.5)
    penalty = INVERSE_PENALTY / len(views)
    found, bias = fit_gated_probe(
        views.flatten(0, 1), shares, targets, allowed, weights / weights.mean(), inverse_penalty=penalty
    )
    found = found * math.sqrt(0.5)
    with torch.no_grad():
        head.shared.weight.copy_(found[0])
        head.shared.bias.copy_(bias)
        head.added.copy_(found[1:])


def _fit_presence(network: nn.Module, speech: Tensor, sounds: Tensor) -> None:
    """Gives a network the layer that tells speech (clips, size) from sounds that are none (sounds, size)."""
    views = torch.cat([speech, sounds])
    spoken = torch.arange(len(views)) < len(speech)
    targets = torch.stack([~spoken, spoken], dim=1).float()
    weights = len(views) / (2 * targets.sum(dim=0))[spoken.long()]  # both count the same
    weight, bias = fit_probe(views, targets, targets >= 0, weights)
    with torch.no_grad():
        network.presence.weight.copy_(weight[1:] - weight[:1])
        network.presence.bias.copy_(bias[1:] - bias[:1])


def _fit_intensity(network: nn.Module, task: Task, vectors: Tensor) -> None:
    """Gives a network the layer that says how strongly an emotion is expressed, from vectors (train, copies, size).

    Only emotions that a corpus has in several intensities count: what is always mild, such as neutral, would teach
    which emotion it is instead.
    """
    if task.intensities is None:
        return
    train = torch.tensor(list(task.train))
    known, groups = task.intensities[train], task.groups[train]
    stated = ~known.isnan()
    varied = [group for group in groups.unique().tolist() if len(known[(groups == group) & stated].unique()) > 1]
    chosen = torch.isin(groups, torch.tensor(varied, dtype=torch.long)) & stated
    if not chosen.any():
        return
    levels = known[chosen].repeat_interleave(vectors.shape[1])
    targets = torch.stack([1 - levels, levels], dim=1)
    everything = torch.ones_like(targets, dtype=torch.bool)
    penalty = INVERSE_PENALTY / vectors.shape[1]
    views = vectors[chosen].flatten(0, 1)
    weight, bias = fit_probe(views, targets, everything, torch.ones_like(levels), inverse_penalty=penalty)
    with torch.no_grad():
        network.intensity.weight.copy_(weight[1:] - weight[:1])
        network.intensity.bias.copy_(bias[1:] - bias[:1])


@torch.inference_mode()
def entry_statistics(network: nn.Module, bank: FrameBank) -> Tensor:
    """What the part that learns makes of every entry of a bank before its standardisation: (clips, copies, size)."""
    network.eval()
    order, batches = bank.by_length(BATCH)
    found = torch.cat([network.statistics(*batch)[0] for batch in batches])
    return found[order.argsort()].unflatten(0, (len(bank), bank.copies)).clone()


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
