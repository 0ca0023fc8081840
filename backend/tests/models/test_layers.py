"""Network layers: padding never affects the output, and results equal PyTorch's own layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ser.features.spectral import length_mask
from ser.models.layers import (
    AttentionPooling,
    AttentiveStatistics,
    ConvBlock,
    MaskedBatchNorm1d,
    MaskedLstm,
    ResidualBlock,
    Standardise,
    adaptive_average,
)


@pytest.fixture
def padded() -> tuple[torch.Tensor, torch.Tensor]:
    """Frames (4, 6, 40) that are zero beyond the lengths."""
    lengths = torch.tensor([40, 31, 12, 9])
    frames = torch.randn(4, 6, 40, generator=torch.Generator().manual_seed(0)) * 3 + 1
    return frames * length_mask(lengths, 40)[:, None], lengths


def test_batch_norm_without_padding_equals_torch(padded):
    frames = padded[0][:1].expand(3, -1, -1).clone()
    frames += torch.randn_like(frames)
    ours, theirs = MaskedBatchNorm1d(6), nn.BatchNorm1d(6)
    mask = torch.ones(3, 1, 40, dtype=torch.bool)
    for _ in range(3):
        torch.testing.assert_close(ours(frames, mask), theirs(frames), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(frames, mask), theirs(frames))


def test_batch_norm_statistics_leave_padding_out(padded):
    frames, lengths = padded
    layer = MaskedBatchNorm1d(6, momentum=1.0)
    layer(frames, length_mask(lengths, 40)[:, None])
    real = torch.cat([row[:, :length] for row, length in zip(frames, lengths.tolist(), strict=True)], dim=1)
    torch.testing.assert_close(layer.running_mean, real.mean(dim=1), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(layer.running_var, real.var(dim=1), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("pool", [True, False])
def test_conv_block_ignores_padding(padded, pool):
    frames, lengths = padded
    block = ConvBlock(6, 5, kernel_frames=5, pool=pool).eval()
    together, after = block(frames, lengths)
    for row, before, length, clip in zip(together, lengths.tolist(), after.tolist(), frames, strict=True):
        alone, _ = block(clip[None, :, :before], torch.tensor([before]))
        assert alone.shape[2] == length == (before // 2 if pool else before)
        torch.testing.assert_close(row[:, :length], alone[0], atol=1e-6, rtol=1e-6)
        assert not row[:, length:].any()


def test_adaptive_average_equals_torch_over_the_true_length(padded):
    frames, lengths = padded
    found = adaptive_average(frames, lengths, bins=8)
    for row, length, clip in zip(found, lengths.tolist(), frames, strict=True):
        torch.testing.assert_close(row, nn.AdaptiveAvgPool1d(8)(clip[None, :, :length])[0], atol=1e-6, rtol=1e-5)


def test_adaptive_average_handles_fewer_frames_than_bins():
    frames = torch.randn(1, 2, 3)
    torch.testing.assert_close(
        adaptive_average(frames, torch.tensor([3]), 8), nn.AdaptiveAvgPool1d(8)(frames), atol=1e-6, rtol=1e-5
    )


def test_the_masked_lstm_equals_packed_sequences():
    torch.manual_seed(0)
    ours = MaskedLstm(5, 4)
    reference = torch.nn.LSTM(5, 4, batch_first=True, bidirectional=True)
    for name, value in ours.forth.named_parameters():
        reference.get_parameter(name).data.copy_(value)
        reference.get_parameter(f"{name}_reverse").data.copy_(ours.back.get_parameter(name))
    frames, lengths = torch.randn(3, 9, 5), torch.tensor([9, 2, 5])
    packed = torch.nn.utils.rnn.pack_padded_sequence(frames, lengths, batch_first=True, enforce_sorted=False)
    expected, (last, _) = reference(packed)
    expected, _ = torch.nn.utils.rnn.pad_packed_sequence(expected, batch_first=True)
    outputs, states = ours(frames, lengths)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(states, last.transpose(0, 1).flatten(1))


def test_statistics_use_the_given_frames_and_padding_stays_zero():
    block = Standardise(2)
    block.fit(torch.tensor([[0.0, 7.0], [2.0, 7.0], [4.0, 7.0]]))
    frames = block(torch.tensor([[[4.0, 7.0], [9.0, 9.0]]]), torch.tensor([1]))
    torch.testing.assert_close(frames, torch.tensor([[[1.0, 0.0], [0.0, 0.0]]]))


@pytest.mark.parametrize("pooling", ["attention", "statistics"])
def test_attention_sums_to_one_over_the_real_frames(pooling):
    torch.manual_seed(0)
    frames, lengths = torch.randn(2, 6, 8), torch.tensor([6, 3])
    if pooling == "attention":
        pooled, weights = AttentionPooling(8, hidden=4)(frames, lengths)
    else:
        pooled, weights = AttentiveStatistics(8, hidden=4)(frames.transpose(1, 2), lengths)
    assert pooled.shape == (2, 8 if pooling == "attention" else 16)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))
    assert not weights[1, 3:].any()


def test_a_residual_block_treats_batches_like_single_clips():
    torch.manual_seed(0)
    block = ResidualBlock(5, 8, kernel_frames=5, stride=2).eval()
    lengths = torch.tensor([11, 6])
    frames = torch.randn(2, 5, 11) * (torch.arange(11) < lengths[:, None])[:, None]
    together, shorter = block(frames, lengths)
    alone, length = block(frames[1:, :, :6], lengths[1:])
    assert shorter.tolist() == [6, 3] and length.tolist() == [3]
    torch.testing.assert_close(together[1:, :, :3], alone)
    assert not together[1, :, 3:].any()
