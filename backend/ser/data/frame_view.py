"""Selects clips of a frame bank and joins several banks; statistics come from the underlying banks.

The statistics of a whole corpus are thus computed and cached once, whichever labels are selected from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ser.data.frame_tensors import FrameBank, Statistics, concatenate


@dataclass(frozen=True)
class Subset(FrameBank):
    """Some clips of a bank: ``clips`` are their positions in ``source``."""

    source: FrameBank = field(kw_only=True)
    clips: tuple[int, ...] = field(kw_only=True)

    def _statistics(self, name: str, function: Statistics) -> Tensor:
        return self.source.statistics(name, function)[list(self.clips)]


@dataclass(frozen=True)
class Joined(FrameBank):
    """The clips of several banks, one bank after the other."""

    sources: tuple[FrameBank, ...] = field(kw_only=True)

    def _statistics(self, name: str, function: Statistics) -> Tensor:
        return torch.cat([source.statistics(name, function) for source in self.sources])


def subset(bank: FrameBank, clips: Sequence[int]) -> FrameBank:
    """Returns some clips of a bank, in the given order; the bank itself where they are all of it."""
    if list(clips) == list(range(len(bank))):
        return bank
    numbers = [clip * bank.copies + copy for clip in clips for copy in range(bank.copies)]
    entries = [bank.frames[bank.offsets[number] : bank.offsets[number + 1]] for number in numbers]
    speech = bank.speech[list(clips)]
    return Subset(*concatenate(entries), bank.copies, speech, source=bank, clips=tuple(clips))


def join(banks: Sequence[FrameBank]) -> FrameBank:
    """Returns one bank with the clips of several, which have the same number of copies."""
    if len(banks) == 1:
        return banks[0]
    sizes = torch.cat([torch.zeros(1, dtype=torch.long), *(bank.offsets.diff() for bank in banks)])
    frames, speech = (torch.cat(one) for one in ([bank.frames for bank in banks], [bank.speech for bank in banks]))
    return Joined(frames, sizes.cumsum(0), banks[0].copies, speech, sources=tuple(banks))
