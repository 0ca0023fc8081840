"""Makes training batches: draws clips and their copies, crops, masks and mixes them, and sets their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ser.core.labels import INTENSITIES
from ser.data.dataset import Data
from ser.data.frame_tensors import FrameBank, pad
from ser.data.splits import speaker_of, speakers_known
from ser.models.recipe import TrainingSettings

BUCKET_BATCHES = 6  # within so many batches clips are sorted by length


@dataclass(frozen=True)
class DistillationClips:
    """Recordings for distillation, labelled or not.

    Attributes:
        bank: the student's frames.
        teacher_bank: the teacher's frames of the same recordings.
        clips: those to train on.
    """

    bank: FrameBank
    teacher_bank: FrameBank
    clips: Sequence[int]


@dataclass(frozen=True)
class Task:
    """A training task.

    Attributes:
        bank: frames of all clips.
        targets: int64 (clips,), the class of each clip.
        classes: number of classes.
        train: clips to train on.
        validation: clips on which the epoch is selected; if empty, the last epoch is used.
        shares: float (clips, classes), soft targets in place of ``targets``; or None.
        corpora: name of each clip's corpus; empty where all are from one.
        speakers: speaker of each clip; empty where unknown.
        distillation: recordings for distillation, for recipes with a teacher.
        intensities: float (clips,), how strongly the emotion is expressed, from 0 to 1, NaN where unknown; or None.
    """

    bank: FrameBank
    targets: Tensor
    classes: int
    train: Sequence[int]
    validation: Sequence[int]
    shares: Tensor | None = None
    corpora: Sequence[str] = ()
    speakers: Sequence[str] = ()
    distillation: Sequence[DistillationClips] = ()
    intensities: Tensor | None = None

    @cached_property
    def allowed(self) -> Tensor:
        """bool (clips, classes): the classes that occur in the corpus of each clip."""
        found = torch.zeros(len(self.targets), self.classes, dtype=torch.bool)
        names = np.asarray(self.corpora or [""] * len(self.targets))
        for name in np.unique(names):
            member = torch.from_numpy(names == name)
            found[member] = functional.one_hot(self.targets[member], self.classes).any(dim=0)
        return found

    @cached_property
    def trained(self) -> Tensor:
        """bool (classes,): the classes of the training clips."""
        return (
            torch.bincount(self.targets[torch.tensor(list(self.train), dtype=torch.long)], minlength=self.classes) > 0
        )

    @cached_property
    def groups(self) -> Tensor:
        """int64 (clips,): clips of the same corpus and class have the same number."""
        numbers = np.unique(np.asarray(self.corpora or [""] * len(self.targets)), return_inverse=True)[1]
        return torch.from_numpy(numbers) * self.classes + self.targets

    @property
    def learnt(self) -> Tensor:
        """float (clips, classes): the training targets, one-hot unless there are shares."""
        return functional.one_hot(self.targets, self.classes).float() if self.shares is None else self.shares


def make_task(data: Data, train: Sequence[int], validation: Sequence[int], *, votes: bool = False) -> Task:
    """Returns the task of training on ``data``; clips without speech are left out of training and validation.

    Args:
        data: labelled clips.
        train: clips to train on.
        validation: clips on which the epoch is selected.
        votes: whether listeners' votes are the targets of clips that have them; metrics always use the labels.
    """
    spoken = data.bank.speech.tolist()
    targets = torch.tensor([data.labels.index(target) for target in data.targets])
    train, validation = ([i for i in part if spoken[i]] for part in (train, validation))
    shares = _vote_shares(data, targets) if votes else None
    corpora = [utterance.corpus for utterance in data.utterances] if len(data.corpora) > 1 else ()
    speakers = [speaker_of(one) for one in data.utterances] if speakers_known(data.utterances) else ()
    return Task(
        data.bank,
        targets,
        len(data.labels),
        train,
        validation,
        shares,
        corpora,
        speakers,
        _distillation_clips(data, train),
        torch.tensor([INTENSITIES.get(utterance.intensity, torch.nan) for utterance in data.utterances]),
    )


def _distillation_clips(data: Data, train: Sequence[int]) -> list[DistillationClips]:
    """The training clips, and all recordings without labels but those of people who are tested or validated on."""
    if data.teacher_bank is None:
        return []
    held_out = {speaker_of(one) for one in data.utterances} - {speaker_of(data.utterances[i]) for i in train}
    spare = [
        DistillationClips(
            one.bank,
            one.teacher_bank,
            [i for i, who in enumerate(one.utterances) if one.bank.speech[i] and speaker_of(who) not in held_out],
        )
        for one in data.unlabelled
    ]
    return [DistillationClips(data.bank, data.teacher_bank, train), *spare]


def _vote_shares(data: Data, targets: Tensor) -> Tensor:
    """(clips, classes): the listeners' votes among the classes, the label where there were none."""
    shares = functional.one_hot(targets, len(data.labels)).double()
    for i, utterance in enumerate(data.utterances):
        votes = torch.tensor([(utterance.soft_labels or {}).get(label, 0.0) for label in data.labels]).double()
        if votes.sum():
            shares[i] = votes / votes.sum()
    return shares.float()


def draw_batches(task: Task, settings: TrainingSettings, draw: np.random.Generator) -> list[np.ndarray]:
    """Returns the clips of every step of an epoch, each (batch,)."""
    train = np.asarray(task.train)
    order = _balanced(train, task, draw) if settings.balanced else draw.permutation(train)
    count = max(1, len(order) // settings.batch_size)
    return _by_length(np.array_split(order, count), task.bank, draw)


def make_batch(
    task: Task, clips: np.ndarray, settings: TrainingSettings, draw: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns frames (batch, frames, dims), lengths (batch,), targets and allowed classes, both (batch, classes)."""
    frames, lengths = pad([draw_entry(task.bank, clip, settings, draw) for clip in clips.tolist()])
    positions = torch.from_numpy(clips)
    allowed = task.allowed[positions]
    targets = _smooth(task.learnt[positions], allowed, settings.label_smoothing)
    if not settings.mixup:
        return frames, lengths, targets, allowed
    return _mix(frames, lengths, targets, allowed, settings.mixup, draw)


def class_weights(task: Task) -> Tensor:
    """(classes,): the inverse of each class's share of the training clips, 1 on average over the clips."""
    counts = torch.bincount(task.targets[torch.tensor(list(task.train))], minlength=task.classes)
    return len(task.train) / (task.classes * counts.clamp_min(1).float())


def draw_entry(bank: FrameBank, clip: int, settings: TrainingSettings, draw: np.random.Generator) -> Tensor:
    """A random copy of a clip, with a random crop of at most ``crop_frames`` and random masks."""
    entry = bank.entry(clip, int(draw.integers(bank.copies)))
    if settings.crop_frames is not None and len(entry) > settings.crop_frames:
        start = int(draw.integers(len(entry) - settings.crop_frames + 1))
        entry = entry[start : start + settings.crop_frames]
    return _blank(entry, settings, draw)


def _smooth(targets: Tensor, allowed: Tensor, share: float) -> Tensor:
    """Spreads a share of the targets over the allowed classes."""
    return (1 - share) * targets + share * allowed / allowed.sum(dim=1, keepdim=True)


def _balanced(train: np.ndarray, task: Task, draw: np.random.Generator) -> np.ndarray:
    """As many clips as ``train`` has, drawn so that every class of every corpus is equally likely."""
    groups = task.groups[torch.from_numpy(train)].numpy()
    weights = 1 / np.bincount(groups)[groups]
    return draw.choice(train, len(train), p=weights / weights.sum())


def _by_length(batches: list[np.ndarray], bank: FrameBank, draw: np.random.Generator) -> list[np.ndarray]:
    """Sorts clips by length within every few batches to reduce padding, and shuffles the batches."""
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
    frames: Tensor, lengths: Tensor, targets: Tensor, allowed: Tensor, alpha: float, draw: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mixup (Zhang et al. 2018, ICLR): a weighted mean of pairs of clips and of their targets."""
    share = float(draw.beta(alpha, alpha))
    partner = torch.from_numpy(draw.permutation(len(frames)))
    mixed = share * frames + (1 - share) * frames[partner]
    lengths, allowed = torch.maximum(lengths, lengths[partner]), allowed | allowed[partner]
    return mixed, lengths, share * targets + (1 - share) * targets[partner], allowed
