from __future__ import annotations

import pytest
import torch
from torch import nn

from ser.features import length_mask
from ser.layers import ConvBlock, MaskedBatchNorm1d, adaptive_average


@pytest.fixture
def padded() -> tuple[torch.Tensor, torch.Tensor]:
    """Frames (4, 6, 40), zero beyond the lengths."""
    lengths = torch.tensor([40, 31, 12, 9])
    frames = torch.randn(4, 6, 40, generator=torch.Generator().manual_seed(0)) * 3 + 1
    return frames * length_mask(lengths, 40)[:, None], lengths


def test_batch_norm_without_padding_is_torch_s(padded):
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
def test_conv_block_does_not_see_padding(padded, pool):
    frames, lengths = padded
    block = ConvBlock(6, 5, kernel_frames=5, pool=pool).eval()
    together, after = block(frames, lengths)
    for row, before, length, clip in zip(together, lengths.tolist(), after.tolist(), frames, strict=True):
        alone, _ = block(clip[None, :, :before], torch.tensor([before]))
        assert alone.shape[2] == length == (before // 2 if pool else before)
        torch.testing.assert_close(row[:, :length], alone[0], atol=1e-6, rtol=1e-6)
        assert not row[:, length:].any()


def test_adaptive_average_is_torch_s_over_the_true_length(padded):
    frames, lengths = padded
    found = adaptive_average(frames, lengths, bins=8)
    for row, length, clip in zip(found, lengths.tolist(), frames, strict=True):
        torch.testing.assert_close(row, nn.AdaptiveAvgPool1d(8)(clip[None, :, :length])[0], atol=1e-6, rtol=1e-5)


def test_adaptive_average_stretches_fewer_frames_than_bins():
    frames = torch.randn(1, 2, 3)
    torch.testing.assert_close(
        adaptive_average(frames, torch.tensor([3]), 8), nn.AdaptiveAvgPool1d(8)(frames), atol=1e-6, rtol=1e-5
    )
