"""Defines the torch layers that recipes share.

In each of them padding has no effect: frames beyond a length are zero in input and output, and statistics are taken
over real frames only. Frames are (batch, channels, frames) here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ser.features.spectral import length_mask
from ser.models.network import Network, NetworkOutput


class MaskedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation of (batch, channels, frames) whose batch statistics exclude padding."""

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Normalises ``frames``; ``mask`` is bool (batch, 1, frames)."""
        if not self.training:
            return super().forward(frames) * mask
        count = mask.sum()
        mean = (frames * mask).sum(dim=(0, 2)) / count
        centred = (frames - mean[:, None]) * mask
        variance = centred.square().sum(dim=(0, 2)) / count
        with torch.no_grad():
            unbiased = variance * count / (count - 1).clamp_min(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(unbiased, self.momentum)
            self.num_batches_tracked += 1
        scale = self.weight / (variance + self.eps).sqrt()
        return (centred * scale[:, None] + self.bias[:, None]) * mask


class Standardise(nn.Module):
    """Standardises (batch, frames, dims) or (batch, dims) by mean and standard deviation of the training split.

    Training calls ``fit``; the statistics are buffers, so a checkpoint contains them.
    """

    def __init__(self, dims: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(dims))
        self.register_buffer("scale", torch.ones(dims))

    def fit(self, frames: Tensor) -> None:
        """Fits the statistics to (frames, dims); a constant dim becomes zero."""
        self.mean.copy_(frames.mean(dim=0))
        self.scale.copy_(frames.std(dim=0).clamp_min(1e-5))

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        standardised = (frames - self.mean) / self.scale
        return standardised if lengths is None else standardised * length_mask(lengths, frames.shape[1])[:, :, None]


class MaskedLstm(nn.Module):
    """Bidirectional LSTM over (batch, frames, dims) that stops at each clip's own end.

    The second direction reads each clip reversed within its own length. That equals ``pack_padded_sequence``, trains
    five times as fast on a CPU, and can be exported.
    """

    def __init__(self, dims: int, units: int):
        super().__init__()
        self.forth = nn.LSTM(dims, units, batch_first=True)
        self.back = nn.LSTM(dims, units, batch_first=True)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the outputs (batch, frames, 2 * units), zero beyond each length, and both last states, joined."""
        index = torch.arange(frames.shape[1], device=frames.device)[None, :]
        mirrored = (lengths[:, None] - 1 - index).clamp_min(0)[:, :, None]
        forth, _ = self.forth(frames)
        back, _ = self.back(frames.gather(1, mirrored.expand_as(frames)))
        back = back.gather(1, mirrored.expand_as(back))
        outputs = torch.cat([forth, back], dim=2) * length_mask(lengths, frames.shape[1])[:, :, None]
        end = (lengths - 1)[:, None, None].expand(-1, 1, forth.shape[2])
        return outputs, torch.cat([forth.gather(1, end).squeeze(1), back[:, 0]], dim=1)


class AttentionPooling(nn.Module):
    """Weighted mean over time of (batch, frames, dims), with weights learnt from the frames.

    Source: Mirsamadi et al. 2017, ICASSP, "Automatic speech emotion recognition using recurrent neural networks with
    local attention", with one hidden layer as in Yang et al. 2016, NAACL.
    """

    def __init__(self, dims: int, hidden: int):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(dims, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the mean (batch, dims) and the weights (batch, frames), which sum to 1 over the real frames."""
        outside = ~length_mask(lengths, frames.shape[1])
        weights = self.score(frames).squeeze(2).masked_fill(outside, -torch.inf).softmax(dim=1)  # (batch, frames)
        return torch.bmm(weights[:, None], frames).squeeze(1), weights


class AttentiveStatistics(nn.Module):
    """Weighted mean and standard deviation over time of (batch, channels, frames), weights learnt per channel.

    Source: Okabe et al. 2018, Interspeech, "Attentive statistics pooling for deep speaker embedding".
    """

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.score = nn.Sequential(nn.Conv1d(channels, hidden, 1), nn.Tanh(), nn.Conv1d(hidden, channels, 1))

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the statistics (batch, 2 * channels) and the weights, averaged over channels (batch, frames)."""
        outside = ~length_mask(lengths, frames.shape[2])[:, None]
        weights = self.score(frames).masked_fill(outside, -torch.inf).softmax(dim=2)  # (batch, channels, frames)
        mean = (weights * frames).sum(dim=2)
        variance = (weights * frames.square()).sum(dim=2) - mean.square()
        return torch.cat([mean, variance.clamp_min(1e-5).sqrt()], dim=1), weights.mean(dim=1)


def mean_and_deviation(frames: Tensor, mask: Tensor) -> Tensor:
    """Returns the mean and standard deviation over time (batch, 2 * dims) of frames (batch, frames, dims).

    Args:
        frames: values outside the mask do not matter.
        mask: bool (batch, frames), True within the length of a clip.
    """
    inside = mask[:, :, None].to(frames.dtype)
    count = inside.sum(dim=1)  # (batch, 1)
    mean = (frames * inside).sum(dim=1) / count
    variance = ((frames - mean[:, None]).square() * inside).sum(dim=1) / count
    return torch.cat([mean, variance.clamp_min(1e-10).sqrt()], dim=1)


class ResidualBlock(nn.Module):
    """Two convolutions with batch norm, squeeze and excitation over the real frames, and a skip connection.

    Sources: He et al. 2016, CVPR (residual learning); Hu et al. 2018, CVPR (squeeze-and-excitation).
    """

    def __init__(self, inputs: int, outputs: int, kernel_frames: int, stride: int):
        super().__init__()
        self.stride = stride
        self.first = nn.Conv1d(inputs, outputs, kernel_frames, stride=stride, padding=kernel_frames // 2, bias=False)
        self.first_norm = MaskedBatchNorm1d(outputs)
        self.second = nn.Conv1d(outputs, outputs, kernel_frames, padding=kernel_frames // 2, bias=False)
        self.second_norm = MaskedBatchNorm1d(outputs)
        self.excite = nn.Sequential(
            nn.Linear(outputs, outputs // 8), nn.ReLU(), nn.Linear(outputs // 8, outputs), nn.Sigmoid()
        )
        self.past = nn.Conv1d(inputs, outputs, 1, stride=stride)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        lengths = (lengths - 1) // self.stride + 1
        past = self.past(frames)  # (batch, outputs, frames // stride)
        mask = length_mask(lengths, past.shape[2])[:, None, :]
        hidden = torch.relu(self.first_norm(self.first(frames), mask))
        hidden = self.second_norm(self.second(hidden), mask)
        gate = self.excite(hidden.sum(dim=2) / lengths[:, None])[:, :, None]
        return torch.relu(hidden * gate + past) * mask, lengths


class ResidualNetwork(Network):
    """Residual blocks over standardised frames, attentive statistics over the true length, two dense layers.

    Args:
        dims: of a frame.
        widths: channels of each block; all but the first halve the number of frames.
        embedding: size of the input of the last layer.
        classes: number of logits.
        first_stride: by how much the first block divides the number of frames.
    """

    def __init__(self, dims: int, widths: Sequence[int], embedding: int, classes: int, first_stride: int = 1):
        super().__init__()
        self.standardise = Standardise(dims)
        self.blocks = nn.ModuleList(
            ResidualBlock(inputs, outputs, kernel_frames=5, stride=2 if number else first_stride)
            for number, (inputs, outputs) in enumerate(pairwise((dims, *widths)))
        )
        self.pooling = AttentiveStatistics(widths[-1], hidden=64)
        self.embedding = nn.Sequential(nn.Dropout(0.3), nn.Linear(2 * widths[-1], embedding), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(embedding, classes))

    def forward(self, frames: Tensor, lengths: Tensor) -> NetworkOutput:
        hidden = self.standardise(frames, lengths).transpose(1, 2)  # (batch, dims, frames)
        for block in self.blocks:
            hidden, lengths = block(hidden, lengths)
        pooled, weights = self.pooling(hidden, lengths)  # (batch, 2 * widths[-1])
        embedding = self.embedding(pooled)
        return NetworkOutput(self.head(embedding), embedding, weights)


class ConvBlock(nn.Module):
    """Conv1d -> batch norm -> ReLU -> optional max pooling by 2, with lengths."""

    def __init__(self, inputs: int, outputs: int, kernel_frames: int, pool: bool):
        super().__init__()
        self.convolution = nn.Conv1d(inputs, outputs, kernel_frames, padding=kernel_frames // 2)
        self.norm = MaskedBatchNorm1d(outputs)
        self.pool = pool

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        mask = length_mask(lengths, frames.shape[2])[:, None, :]
        frames = torch.relu(self.norm(self.convolution(frames), mask))  # (batch, outputs, frames)
        if not self.pool:
            return frames, lengths
        lengths = lengths // 2
        frames = nn.functional.max_pool1d(frames, 2)  # (batch, outputs, frames // 2)
        return frames * length_mask(lengths, frames.shape[2])[:, None, :], lengths


def adaptive_average(frames: Tensor, lengths: Tensor, bins: int) -> Tensor:
    """``AdaptiveAvgPool1d(bins)`` over each clip's true length.

    Args:
        frames: (batch, channels, frames).
        lengths: (batch,) in frames, at least 1.
        bins: number of bins; bin i averages frames floor(i n / bins) to ceil((i + 1) n / bins).

    Returns:
        (batch, channels, bins)
    """
    index = torch.arange(bins, device=frames.device)[None, :]
    start = index * lengths[:, None] // bins  # (batch, bins)
    stop = ((index + 1) * lengths[:, None] + bins - 1) // bins
    frame = torch.arange(frames.shape[2], device=frames.device)[None, :, None]
    inside = (frame >= start[:, None, :]) & (frame < stop[:, None, :])  # (batch, frames, bins)
    return torch.bmm(frames, inside.to(frames.dtype) / (stop - start)[:, None, :])
