"""Stores the frames of many clips in one tensor, pads them into batches, and keeps statistics computed from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

STATISTICS_BATCH = 64  # entries per call of a function

Statistics = Callable[[Tensor, Tensor], Tensor]
"""Padded entries (batch, frames, dims) and their lengths (batch,) -> a vector for each, (batch, size)."""


@dataclass(frozen=True)
class FrameBank:
    """The frames of many clips, one after the other; clip i has ``copies`` entries, the original first.

    Attributes:
        frames: float32 or float16 (total frames, dims).
        offsets: int64 (clips * copies + 1,): where each entry starts.
        copies: entries per clip.
        speech: bool (clips,): whether the clip contains any speech.
        memory: what was computed from the frames so far, by name; in memory only.
    """

    frames: Tensor
    offsets: Tensor
    copies: int
    speech: Tensor
    memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.speech)

    def entry(self, clip: int, copy: int = 0) -> Tensor:
        """Returns float32 (frames, dims) of one copy of a clip; copy 0 is the original."""
        index = clip * self.copies + copy
        return self.frames[self.offsets[index] : self.offsets[index + 1]].float()

    def batch(self, clips: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Returns the originals as frames (batch, frames, dims) padded with zeros, and lengths (batch,)."""
        return pad([self.entry(clip) for clip in clips])

    def by_length(self, size: int) -> tuple[Tensor, Iterator[tuple[Tensor, Tensor]]]:
        """Returns the numbers of all entries, shortest first, and the padded entries in that order, ``size`` at a time.

        The number of an entry is clip * copies + copy.
        """
        order = self.offsets.diff().argsort(stable=True)
        parts = order.split(size)
        return order, (pad([self.entry(*divmod(number, self.copies)) for number in part.tolist()]) for part in parts)

    def statistics(self, name: str, function: Statistics) -> Tensor:
        """Returns one vector for every entry, (clips, copies, size); computed once.

        Args:
            name: of the function; another function needs another name.
            function: see ``Statistics``.
        """
        if name not in self.memory:
            self.memory[name] = self._statistics(name, function)
        return self.memory[name]

    def _statistics(self, name: str, function: Statistics) -> Tensor:
        """Computes what ``statistics`` keeps; a subclass may read it from elsewhere."""
        return self._compute(function)

    @torch.inference_mode()
    def _compute(self, function: Statistics) -> Tensor:
        order, batches = self.by_length(STATISTICS_BATCH)
        vectors = torch.cat([function(*batch) for batch in batches])
        return vectors[order.argsort()].unflatten(0, (len(self), self.copies))


def concatenate(entries: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Returns the frames (total frames, dims) of entries (frames, dims), and their offsets (entries + 1,)."""
    return torch.cat(list(entries)), torch.tensor([0, *map(len, entries)]).cumsum(0)


def pad(entries: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Returns frames (batch, frames, dims) padded with zeros, and lengths (batch,)."""
    lengths = torch.tensor([len(entry) for entry in entries])
    return torch.nn.utils.rnn.pad_sequence(list(entries), batch_first=True), lengths
