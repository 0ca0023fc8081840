"""Owns what a small network is taught before it sees a label: to hear in a recording what a large pretrained one hears.

The teacher answers to the unchanged recording, the pupil is given changed copies of it: it learns what is said by the
voice, not by the room or the line.

Source: Romero et al. 2015, ICLR, "FitNets: hints for thin deep nets".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ser.core.settings import load_settings
from ser.data.frame_tensors import FrameBank, pad
from ser.models.layers import Standardise
from ser.models.pretrained import load_pretrained
from ser.models.recipe import Recipe, TrainingSettings
from ser.training.batching import Lessons, draw_entry

COMPONENTS = 256  # principal components of what the teacher hears; they hold about nine tenths of its variance
BATCH = 32
STATISTICS = "lesson"  # the teacher's statistics, as a bank names them


def teach(
    network: nn.Module, teacher: Recipe, lessons: Sequence[Lessons], settings: TrainingSettings, seed: int
) -> None:
    """Trains a new network to predict the teacher's statistics from its own frames.

    Args:
        network: the pupil; its embedding is what must suffice.
        teacher: a recipe with pretrained tensors, which stay as they were published.
        lessons: the recordings, without those of any speaker that the pupil will be tested on.
        settings: the pupil's; see ``TrainingSettings.lesson_epochs``.
        seed: of the order, the cuts and the last layer.

    Raises:
        ModelError, DownloadError: the teacher's tensors cannot be had.
    """
    targets = _components([_heard(teacher, lesson) for lesson in lessons])
    torch.manual_seed(seed)
    entries = [(lesson.bank, clip) for lesson in lessons for clip in lesson.clips]
    pupil = _Pupil(network, _embedding_size(network, entries), targets.shape[1])
    optimizer = torch.optim.AdamW(pupil.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.lesson_epochs * max(1, len(entries) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, total_steps=steps)
    draw = np.random.default_rng((seed, len(entries)))
    network.train()
    for batch in _batches(entries, settings.lesson_epochs, draw):
        frames, lengths = pad([draw_entry(*entries[i], settings, draw) for i in batch])
        loss = functional.mse_loss(pupil(frames, lengths), targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


class _Pupil(nn.Module):
    """A network with a linear layer on its embedding that says what the teacher hears."""

    def __init__(self, network: nn.Module, size: int, components: int):
        super().__init__()
        self.network = network
        self.last = nn.Linear(size, components)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        return self.last(self.network(frames, lengths)[1])


def _batches(entries: Sequence, epochs: int, draw: np.random.Generator) -> Iterator[list[int]]:
    """Numbers of the clips of every step, (batch,) each."""
    for _ in range(epochs):
        for part in np.array_split(draw.permutation(len(entries)), max(1, len(entries) // BATCH)):
            yield part.tolist()


@torch.inference_mode()
def _embedding_size(network: nn.Module, entries: Sequence[tuple[FrameBank, int]]) -> int:
    network.eval()
    bank, clip = entries[0]
    return network(*bank.batch([clip]))[1].shape[1]


def _heard(teacher: Recipe, lesson: Lessons) -> Tensor:
    """The teacher's statistics (clips, size) of the lesson's clips, kept beside the bank."""
    network = teacher.network(len(teacher.labels)).eval()
    network.load_pretrained(load_pretrained(teacher.pretrained, load_settings().pretrained))
    return lesson.heard.statistics(STATISTICS, lambda *batch: network.upper.statistics(*network.lower(*batch))[0])[
        list(lesson.clips), 0
    ]


def _components(heard: Sequence[Tensor]) -> Tensor:
    """Principal components (clips, components) of standardised statistics (clips, size), one variance on average."""
    together = torch.cat(list(heard)).clone()
    standardise = Standardise(together.shape[1])
    standardise.fit(together)
    vectors = standardise(together)
    torch.manual_seed(0)  # the directions are found from a random beginning
    _, _, directions = torch.pca_lowrank(vectors, min(COMPONENTS, *vectors.shape), niter=4)
    found = vectors @ directions
    return found / found.std()
