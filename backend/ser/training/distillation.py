"""Distils a large pretrained encoder into a small network, and its predictions into the labels.

The teacher is given the unchanged recording, the student augmented copies of it: it thus learns to ignore the room and
the channel. First the student learns to predict the encoder's statistics, without labels; then it is trained on labels
that are mixed with the predictions of the teacher's own head, which is fitted to the same training clips.

Sources: Romero et al. 2015, ICLR, "FitNets: hints for thin deep nets"; Hinton et al. 2015, arXiv:1503.02531,
"Distilling the knowledge in a neural network".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ser.core.settings import load_settings
from ser.data.frame_tensors import FrameBank, pad
from ser.models.encoder import EncoderNetwork
from ser.models.layers import Standardise
from ser.models.network import Network
from ser.models.pretrained import load_pretrained
from ser.models.recipe import Recipe, TrainingSettings
from ser.training.batching import DistillationClips, Task, draw_entry
from ser.training.head_fitting import fit_emotion_head

COMPONENTS = 256  # principal components of the teacher's statistics; they explain about 90 % of the variance
BATCH = 32
STATISTICS = "statistics"  # the teacher's, as a bank names them
TEACHER_SHARE = 0.5  # of the targets; the rest is the label


def distil(
    network: Network, teacher: Recipe, recordings: Sequence[DistillationClips], settings: TrainingSettings, seed: int
) -> None:
    """Trains a new network to predict the teacher's statistics from its own frames.

    Args:
        network: the student; the statistics are predicted from its embedding.
        teacher: a recipe with pretrained tensors, which stay frozen.
        recordings: must not include any test speaker of the student.
        settings: of the student; see ``TrainingSettings.distillation_epochs``.
        seed: of the order, the crops and the last layer.

    Raises:
        ModelError, DownloadError: the teacher's tensors cannot be loaded.
    """
    targets = _components([_teacher_statistics(teacher, part) for part in recordings])
    torch.manual_seed(seed)
    entries = [(part.bank, clip) for part in recordings for clip in part.clips]
    student = _Student(network, _embedding_size(network, entries), targets.shape[1])
    optimizer = torch.optim.AdamW(student.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.distillation_epochs * max(1, len(entries) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, total_steps=steps)
    draw = np.random.default_rng((seed, len(entries)))
    network.train()
    for batch in _batches(entries, settings.distillation_epochs, draw):
        frames, lengths = pad([draw_entry(*entries[i], settings, draw) for i in batch])
        loss = functional.mse_loss(student(frames, lengths), targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def soft_targets(teacher: Recipe, task: Task) -> Tensor:
    """Returns targets that mix the labels of the training clips with the teacher's predictions, (clips, classes).

    Args:
        teacher: as for ``distil``; its head is fitted to the training clips.
        task: of the student, with recordings for distillation, whose first are the labelled clips.

    Raises:
        ModelError, DownloadError: the teacher's tensors cannot be loaded.
    """
    recordings = task.distillation[0]
    network = _load(teacher, task.classes)
    statistics = recordings.teacher_bank.statistics(STATISTICS, network.statistics)
    fit_emotion_head(network.heads, task, statistics)
    train, targets = torch.tensor(list(task.train)), task.learnt.clone()
    with torch.no_grad():
        predicted = network.heads.predict(statistics[train, 0]).logits.softmax(dim=1)
    targets[train] = (1 - TEACHER_SHARE) * targets[train] + TEACHER_SHARE * predicted
    return targets


class _Student(nn.Module):
    """A network with a linear layer on its embedding that predicts the teacher's statistics."""

    def __init__(self, network: Network, size: int, components: int):
        super().__init__()
        self.network = network
        self.last = nn.Linear(size, components)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        return self.last(self.network(frames, lengths).embedding)


def _batches(entries: Sequence, epochs: int, draw: np.random.Generator) -> Iterator[list[int]]:
    """Numbers of the clips of every step, (batch,) each."""
    for _ in range(epochs):
        for part in np.array_split(draw.permutation(len(entries)), max(1, len(entries) // BATCH)):
            yield part.tolist()


@torch.inference_mode()
def _embedding_size(network: Network, entries: Sequence[tuple[FrameBank, int]]) -> int:
    network.eval()
    bank, clip = entries[0]
    return network(*bank.batch([clip])).embedding.shape[1]


def _teacher_statistics(teacher: Recipe, recordings: DistillationClips) -> Tensor:
    """The teacher's statistics (clips, size) of the training clips, cached beside the bank."""
    statistics = recordings.teacher_bank.statistics(STATISTICS, _load(teacher, len(teacher.labels)).statistics)
    return statistics[list(recordings.clips), 0]


def _load(teacher: Recipe, classes: int) -> EncoderNetwork:
    """The teacher with its published tensors and heads that are not fitted."""
    network = teacher.network(classes).eval()
    network.load_pretrained(load_pretrained(teacher.pretrained, load_settings().pretrained))
    return network


def _components(statistics: Sequence[Tensor]) -> Tensor:
    """Principal components (clips, components) of standardised statistics (clips, size), scaled to unit variance."""
    together = torch.cat(list(statistics)).clone()
    standardise = Standardise(together.shape[1])
    standardise.fit(together)
    vectors = standardise(together)
    torch.manual_seed(0)  # the search for the directions starts at random
    _, _, directions = torch.pca_lowrank(vectors, min(COMPONENTS, *vectors.shape), niter=4)
    found = vectors @ directions
    return found / found.std()
