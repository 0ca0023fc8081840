"""Stores the frames of many clips in one tensor, pads them into batches, and caches tensors derived from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

TRANSFORM_BATCH = 64  # entries per call of a function

Transform = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Padded entries (batch, frames, dims) and their lengths (batch,) -> padded outputs and their lengths."""


@dataclass(frozen=True)
class FrameBank:
    """The frames of many clips, one after the other; clip i has ``copies`` entries, the original first.

    Attributes:
        frames: float32 or float16 (total frames, dims).
        offsets: int64 (clips * copies + 1,): where each entry starts.
        copies: entries per clip.
        speech: bool (clips,): whether the clip contains any speech.
        memory: tensors derived from the frames so far, by name; in memory only.
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

    def transformed(self, name: str, function: Transform, dtype: torch.dtype = torch.float32) -> FrameBank:
        """Returns the output of a function for every entry; computed once.

        Args:
            name: of the function; another function needs another name.
            function: see ``Transform``.
            dtype: of the stored frames.
        """
        if name not in self.memory:
            self.memory[name] = self._transform(name, function, dtype)
        return self.memory[name]

    def statistics(self, name: str, function: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Returns one vector for every entry, (clips, copies, size), cached like ``transformed``.

        Args:
            name: of the function.
            function: padded entries (batch, frames, dims) and their lengths (batch,) -> (batch, size).
        """

        def one(frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
            return function(frames, lengths)[:, None], torch.ones(len(lengths), dtype=torch.long)

        return self.transformed(name, one).frames.unflatten(0, (len(self), self.copies))

    def detached(self) -> FrameBank:
        """Returns the same frames without the derived tensors, in memory or on disk."""
        return FrameBank(self.frames, self.offsets, self.copies, self.speech)

    def _transform(self, name: str, function: Transform, dtype: torch.dtype) -> FrameBank:
        """Computes what ``transformed`` caches; a subclass may read it from elsewhere."""
        return FrameBank(*self._derive(function, dtype), self.copies, self.speech)

    @torch.inference_mode()
    def _derive(self, function: Transform, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Runs a function over all entries; returns frames and offsets."""
        order, batches = self.by_length(TRANSFORM_BATCH)
        entries: list[Tensor] = []
        for batch in batches:
            made, lengths = function(*batch)
            entries += [one[:length].to(dtype, copy=True) for one, length in zip(made, lengths.tolist(), strict=True)]
        return concatenate([entries[i] for i in order.argsort().tolist()])


def concatenate(entries: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Returns the frames (total frames, dims) of entries (frames, dims), and their offsets (entries + 1,)."""
    return torch.cat(list(entries)), torch.tensor([0, *map(len, entries)]).cumsum(0)


def pad(entries: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Returns frames (batch, frames, dims) padded with zeros, and lengths (batch,)."""
    lengths = torch.tensor([len(entry) for entry in entries])
    return torch.nn.utils.rnn.pad_sequence(list(entries), batch_first=True), lengths
