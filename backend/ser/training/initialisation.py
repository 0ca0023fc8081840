"""Initialises a network before its first training step.

This fits the normalisation to the training clips and, for a recipe with a teacher, runs the distillation. For a network
on a frozen encoder it loads the published tensors and fits all heads in closed form, which completes the training. The
head for speaker profiles is fitted to several views of every training clip, each minus the speaker offset that is
estimated from a few clips of its speaker, as with a profile.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ser.audio.synthetic_sounds import SOUNDS, make_sound
from ser.core.settings import load_settings
from ser.data.frame_tensors import FrameBank
from ser.models.encoder import EncoderHeads
from ser.models.layers import Standardise
from ser.models.network import Network
from ser.models.pretrained import load_pretrained
from ser.models.recipe import Recipe, TrainingSettings, get_recipe
from ser.models.speaker_offset import SpeakerOffset
from ser.training.batching import Task
from ser.training.distillation import distil
from ser.training.head_fitting import domains_of, fit_domains, fit_head, fit_intensity, fit_speech_detector
from ser.training.ood_temperature import Clips, fit_ood_temperature

STATISTICS = "statistics"  # of the frozen encoder, as a bank names them
SOUNDS_BANK = "sounds"  # that are not speech, as a bank names them
SOUNDS_EACH = 40  # per type of sound
PROFILE_CLIPS = (1, 3, 5, 10, 20, 60)  # sizes of the profiles that the offset head is trained with
ONE_EMOTION = 0.25  # share of the profiles that are of one emotion only
VIEWS = 4  # of every training clip, at least


def initialise(recipe: Recipe, network: Network, task: Task, settings: TrainingSettings, seed: int) -> None:
    """Initialises a new network.

    Args:
        recipe: whose network.
        network: with random weights.
        task: the clips; only those of ``task.train`` are used.
        settings: of the training.
        seed: of the distillation and of the profiles that are drawn.

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
    fit_heads(network.heads, task, statistics, sounds, seed)


def known_statistics(recipe: Recipe, bank: FrameBank) -> Tensor | None:
    """Returns the encoder's statistics of a bank, (clips, copies, size), where ``initialise`` has computed them."""
    return None if recipe.pretrained is None else bank.memory.get(STATISTICS)


def fit_heads(heads: EncoderHeads, task: Task, statistics: Tensor, sounds: Tensor, seed: int) -> None:
    """Fits every head to the training clips.

    Args:
        heads: get the weights.
        task: the clips, and which of them are for training.
        statistics: (clips, copies, size) of the bank's entries.
        sounds: (sounds, size), statistics of sounds that are not speech.
        seed: of the profiles that are drawn.
    """
    train = torch.tensor(list(task.train))
    targets, learnt, allowed, groups = (part[train] for part in (task.targets, task.learnt, task.allowed, task.groups))
    corpora = [task.corpora[clip] for clip in task.train] if task.corpora else [""] * len(task.train)
    domains = domains_of(corpora, len(heads.domain.bias))
    heads.standardise.fit(statistics[train, 0])
    vectors = heads.standardise(statistics[train])  # (train, copies, size)
    views, plain = vectors.transpose(0, 1), vectors[:, 0]
    fit_domains(heads.domain, plain, domains)
    with torch.no_grad():
        shares = heads.domain(views).softmax(dim=2)
    fit_head(heads.head, views, shares, learnt, allowed, groups)
    if task.speakers:
        names = [task.speakers[clip] for clip in task.train]
        speakers = torch.from_numpy(np.unique(names, return_inverse=True)[1])
        heads.speaker_offset.fit(plain, targets, speakers)
        again = torch.arange(max(VIEWS, len(views))) % len(views)
        offsets = torch.stack(_profile_offsets(plain, targets, speakers, heads.speaker_offset, len(again), seed))
        fit_head(heads.offset_head, views[again] - offsets, shares[again], learnt, allowed, groups)
        fit_ood_temperature(heads.temperature, Clips(vectors, targets, allowed, groups, domains, speakers))
    fit_speech_detector(heads.speech, vectors.flatten(0, 1), heads.standardise(sounds))
    if task.intensities is not None:
        fit_intensity(heads.intensity, vectors, task.intensities[train], groups)


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


def _profile_offsets(
    vectors: Tensor, targets: Tensor, speakers: Tensor, speaker_offset: SpeakerOffset, views: int, seed: int
) -> Sequence[Tensor]:
    """``views`` times (clips, size): speaker offsets estimated from a few clips of each speaker."""
    draw = np.random.default_rng(seed)
    found = []
    for view in range(views):
        offsets = torch.zeros_like(vectors)
        for speaker in speakers.unique():
            own = torch.nonzero(speakers == speaker)[:, 0].numpy()
            clips = draw.choice(PROFILE_CLIPS) if view else PROFILE_CLIPS[-1]
            alike = targets[own].numpy() == int(targets[draw.choice(own)])
            among = own[alike] if view and draw.random() < ONE_EMOTION else own
            chosen = draw.permutation(among)[:clips]
            if len(chosen):
                offsets[own] = speaker_offset.estimate_varied(vectors[chosen])
        found.append(offsets)
    return found


def _fit_normalisation(network: Network, task: Task) -> None:
    """Fits every ``Standardise`` to the unchanged training clips."""
    places = [module for module in network.modules() if isinstance(module, Standardise)]
    if places:
        frames = torch.cat([task.bank.entry(clip) for clip in task.train])
        for place in places:
            place.fit(frames)
