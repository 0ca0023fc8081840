"""Owns what a training step gets: which clips, in which of their copies, cut and blanked how, and their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ser.bank import FrameBank, pad
from ser.dataset import Data
from ser.recipe import TrainingSettings

BUCKET_BATCHES = 6  # within so many batches clips are sorted by length


@dataclass(frozen=True)
class Task:
    """What to learn.

    Attributes:
        bank: frames of all clips.
        targets: int64 (clips,), the class of each clip.
        classes: number of classes.
        train: clips to learn from.
        validation: clips that choose the epoch; may be empty, then the last epoch is taken.
        shares: float (clips, classes), what is learnt in place of ``targets`` where listeners disagreed; or None.
    """

    bank: FrameBank
    targets: Tensor
    classes: int
    train: Sequence[int]
    validation: Sequence[int]
    shares: Tensor | None = None

    @property
    def learnt(self) -> Tensor:
        """float (clips, classes): what the network is to answer, one-hot unless there are shares."""
        return functional.one_hot(self.targets, self.classes).float() if self.shares is None else self.shares


def make_task(data: Data, train: Sequence[int], validation: Sequence[int], *, votes: bool = False) -> Task:
    """Returns the task of learning ``data``; clips without speech are neither learnt from nor chosen by.

    Args:
        data: labelled clips.
        train: clips to learn from.
        validation: clips that choose the epoch.
        votes: whether a clip that listeners judged is learnt with their votes; the figures stay about the labels.
    """
    spoken = data.bank.speech.tolist()
    targets = torch.tensor([data.labels.index(target) for target in data.targets])
    train, validation = ([i for i in part if spoken[i]] for part in (train, validation))
    return Task(data.bank, targets, len(data.labels), train, validation, _vote_shares(data, targets) if votes else None)


def _vote_shares(data: Data, targets: Tensor) -> Tensor:
    """(clips, classes): the listeners' votes among the classes, the label where there were none."""
    shares = functional.one_hot(targets, len(data.labels)).double()
    for i, utterance in enumerate(data.utterances):
        heard = torch.tensor([(utterance.soft_labels or {}).get(label, 0.0) for label in data.labels]).double()
        if heard.sum():
            shares[i] = heard / heard.sum()
    return shares.float()


def draw_batches(task: Task, settings: TrainingSettings, draw: np.random.Generator) -> list[np.ndarray]:
    """Returns the clips of every step of an epoch, each (batch,)."""
    train = np.asarray(task.train)
    order = _balanced(train, task, draw) if settings.balanced else draw.permutation(train)
    count = max(1, len(order) // settings.batch_size)
    return _by_length(np.array_split(order, count), task.bank, draw)


def make_batch(
    task: Task, clips: np.ndarray, settings: TrainingSettings, draw: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns frames (batch, frames, dims), lengths (batch,) and targets (batch, classes) of one step."""
    frames, lengths = pad([_draw_entry(task.bank, clip, settings, draw) for clip in clips.tolist()])
    targets = task.learnt[torch.from_numpy(clips)]
    return _mix(frames, lengths, targets, settings.mixup, draw) if settings.mixup else (frames, lengths, targets)


def class_weights(task: Task) -> Tensor:
    """(classes,): the inverse of each class's share of the training clips, 1 on average over the clips."""
    counts = torch.bincount(task.targets[torch.tensor(list(task.train))], minlength=task.classes)
    return len(task.train) / (task.classes * counts.clamp_min(1).float())


def _draw_entry(bank: FrameBank, clip: int, settings: TrainingSettings, draw: np.random.Generator) -> Tensor:
    """A random copy of a clip, cut to a random stretch of at most ``crop_frames``, with parts blanked."""
    entry = bank.entry(clip, int(draw.integers(bank.copies)))
    if settings.crop_frames is not None and len(entry) > settings.crop_frames:
        start = int(draw.integers(len(entry) - settings.crop_frames + 1))
        entry = entry[start : start + settings.crop_frames]
    return _blank(entry, settings, draw)


def _balanced(train: np.ndarray, task: Task, draw: np.random.Generator) -> np.ndarray:
    """As many clips as ``train`` has, drawn so that every class is equally likely."""
    targets = task.targets[torch.from_numpy(train)].numpy()
    weights = 1 / np.bincount(targets)[targets]
    return draw.choice(train, len(train), p=weights / weights.sum())


def _by_length(batches: list[np.ndarray], bank: FrameBank, draw: np.random.Generator) -> list[np.ndarray]:
    """Sorts clips by length within every few batches, so that less time goes into padding, and mixes the batches."""
    sizes = (bank.offsets[1:] - bank.offsets[:-1])[:: bank.copies].numpy()
    sorted_batches = []
    for start in range(0, len(batches), BUCKET_BATCHES):
        bucket = batches[start : start + BUCKET_BATCHES]
        clips = np.concatenate(bucket)
        clips = clips[np.argsort(sizes[clips], kind="stable")]
        sorted_batches += np.split(clips, np.cumsum([len(batch) for batch in bucket])[:-1])
    return [sorted_batches[i] for i in draw.permutation(len(sorted_batches))]


def _blank(entry: Tensor, settings: TrainingSettings, draw: np.random.Generator) -> Tensor:
    """Sets a random stretch of frames and band of dims to zero (SpecAugment, Park et al. 2019, Interspeech)."""
    if not settings.time_mask_frames and not settings.dim_mask:
        return entry
    entry = entry.clone()
    for axis, largest in enumerate((settings.time_mask_frames, settings.dim_mask)):
        size = int(draw.integers(min(largest, entry.shape[axis] // 2) + 1))
        entry.narrow(axis, int(draw.integers(entry.shape[axis] - size + 1)), size).zero_()
    return entry


def _mix(
    frames: Tensor, lengths: Tensor, targets: Tensor, alpha: float, draw: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Mixup (Zhang et al. 2018, ICLR): a weighted mean of pairs of clips and of their targets."""
    share = float(draw.beta(alpha, alpha))
    partner = torch.from_numpy(draw.permutation(len(frames)))
    mixed = share * frames + (1 - share) * frames[partner]
    return mixed, torch.maximum(lengths, lengths[partner]), share * targets + (1 - share) * targets[partner]
