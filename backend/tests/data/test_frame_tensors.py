"""Padding of frame tensors and batches sorted by length."""

from __future__ import annotations

import torch

from ser.data.frame_tensors import FrameBank, concatenate, pad


def test_padding_is_zero():
    frames, lengths = pad([torch.ones(3, 2), torch.ones(5, 2)])
    assert lengths.tolist() == [3, 5]
    assert frames.shape == (2, 5, 2) and not frames[0, 3:].any()


def test_entries_are_retrieved_and_ordered_by_length():
    entries = [torch.full((length, 2), float(length)) for length in (4, 2, 3, 1)]
    bank = FrameBank(*concatenate(entries), 2, torch.ones(2, dtype=torch.bool))
    assert len(bank) == 2 and torch.equal(bank.entry(1, 1), entries[3]) and bank.batch([1, 0])[1].tolist() == [3, 4]
    order, batches = bank.by_length(3)
    assert order.tolist() == [3, 1, 2, 0] and [lengths.tolist() for _, lengths in batches] == [[1, 2, 3], [4]]


def test_statistics_keep_the_order_of_the_entries_and_are_computed_once():
    bank = FrameBank(*concatenate([torch.ones(3, 2), 2 * torch.ones(1, 2)]), 1, torch.ones(2, dtype=torch.bool))
    sums = bank.statistics("sums", lambda frames, lengths: frames.sum(dim=1))
    assert sums.tolist() == [[[3, 3]], [[2, 2]]] and bank.statistics("sums", lambda *_: sums[:0]) is sums
