"""Torch blocks that recipes share. Each keeps the rule that padding changes nothing: what lies beyond a length is zero
going in and coming out, and statistics are taken over real frames only. Frames are (batch, channels, frames) in here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ser.features import length_mask

SMALLEST_VARIANCE = 1e-4  # of voices, in standardised units
SMALLEST_SPREAD = 0.05  # of recordings of a kind in any direction, as a share of what it is on average
USUAL = 0.9  # of the recordings of a kind are at most so far from its middle as is usual
VARIED = 0.5  # clips of at least so much variety are taken for all there is of a voice


class MaskedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation of (batch, channels, frames) whose batch statistics leave padding out."""

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
    """Takes mean and standard deviation of the training split out of (batch, frames, dims) or (batch, dims).

    Training calls ``fit``; the statistics are buffers, so a checkpoint carries them.
    """

    def __init__(self, dims: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(dims))
        self.register_buffer("scale", torch.ones(dims))

    def fit(self, frames: Tensor) -> None:
        """Takes the statistics of (frames, dims); a dim that never changes is left at zero."""
        self.mean.copy_(frames.mean(dim=0))
        self.scale.copy_(frames.std(dim=0).clamp_min(1e-5))

    def forward(self, frames: Tensor, lengths: Tensor | None = None) -> Tensor:
        standardised = (frames - self.mean) / self.scale
        return standardised if lengths is None else standardised * length_mask(lengths, frames.shape[1])[:, :, None]


class MaskedLstm(nn.Module):
    """Bidirectional LSTM over (batch, frames, dims) that stops at each clip's own end.

    The second direction reads each clip reversed within its own length. That equals ``pack_padded_sequence``, trains
    five times as fast on a processor, and can be exported.
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


class LayerStatistics(nn.Module):
    """Weighted mean and standard deviation over time of what several layers give, each (batch, frames, dims).

    One weight a frame, learnt from all layers' mean; it begins as 1 / frames, which makes the plain statistics.

    Source: Okabe et al. 2018, as above.
    """

    def __init__(self, dims: int, hidden: int):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(dims, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        nn.init.zeros_(self.score[2].weight)

    def forward(self, layers: list[Tensor], lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the statistics (batch, 2 * layers * dims) and the weights (batch, frames)."""
        outside = ~length_mask(lengths, layers[0].shape[1])
        scores = self.score(torch.stack(layers).mean(dim=0)).squeeze(2)  # (batch, frames)
        weights = scores.masked_fill(outside, -torch.inf).softmax(dim=1)
        means = [torch.bmm(weights[:, None], layer).squeeze(1) for layer in layers]
        powers = [torch.bmm(weights[:, None], layer.square()).squeeze(1) for layer in layers]
        deviations = [(power - mean.square()).clamp_min(1e-5).sqrt() for power, mean in zip(powers, means, strict=True)]
        return torch.cat(means + deviations, dim=1), weights


class GatedLinear(nn.Module):
    """A linear layer that has something to add for each kind of recording, as far as a recording is of that kind.

    A studio, a web camera and a telephone need different boundaries between emotions, and a recording shows where it is
    from. What all kinds share and what each adds are learnt together, so a recording of no known kind gets a mixture.

    Source: Daume 2007, ACL, "Frustratingly easy domain adaptation", with kinds that are recognised instead of given.
    """

    def __init__(self, size: int, classes: int, kinds: int):
        super().__init__()
        self.shared = nn.Linear(size, classes)
        self.added = nn.Parameter(torch.zeros(kinds, classes, size))

    def forward(self, vectors: Tensor, shares: Tensor) -> Tensor:
        """Returns (batch, classes) of vectors (batch, size) that are of each kind to a share (batch, kinds)."""
        added = functional.linear(vectors, self.added.flatten(0, 1)).unflatten(1, self.added.shape[:2])
        return self.shared(vectors) + (shares[:, :, None] * added).sum(dim=1)


class Caution(nn.Module):
    """By how much logits are too large: by the kind of recording, and the more the less it is like those of training.

    Unlike is the distance to the middle of the nearest kind of training recordings, in the directions in which they
    differ most, each in units of how far recordings of a kind lie apart there, and as a multiple of the distance that
    is usual for that kind. Confidence on recordings from elsewhere is too high by far, and this distance shows it.

    Training calls ``learn``; what is known are buffers, so a checkpoint carries it. It begins with 1 for everything.

    Source: Lee et al. 2018, NeurIPS, "A simple unified framework for detecting out-of-distribution samples and
    adversarial attacks", with kinds of recordings in place of classes.
    """

    def __init__(self, size: int, kinds: int, directions: int):
        super().__init__()
        self.register_buffer("whitening", torch.zeros(size, directions))
        self.register_buffer("middles", torch.zeros(kinds, directions))
        self.register_buffer("usual", torch.ones(kinds))
        self.register_buffer("by_kind", torch.zeros(kinds))
        self.register_buffer("slope", torch.zeros(()))

    def forward(self, vectors: Tensor, shares: Tensor) -> Tensor:
        """Returns what logits are to be divided by, (batch, 1), for vectors (batch, size) of kinds (batch, kinds)."""
        excess = (self.unlike(vectors) - 1).clamp_min(0)
        return torch.exp(shares @ self.by_kind + self.slope * excess)[:, None]

    def unlike(self, vectors: Tensor) -> Tensor:
        """Returns how far vectors (batch, size) are from the nearest kind (batch,); 1 is as far as is usual in it."""
        return (self._distances(vectors) / self.usual).amin(dim=1)

    def learn(self, views: Tensor, kinds: Tensor) -> None:
        """Takes what recordings of kinds (clips,) are like from views (clips, views, size), standardised.

        The first view is the recording as it is; the others, which are changed, are as little unlike.
        """
        torch.manual_seed(0)  # directions are found from a random beginning
        every, owners = views.flatten(0, 1), kinds.repeat_interleave(views.shape[1])
        count = min(self.whitening.shape[1], *every.shape)
        directions = torch.pca_lowrank(every, count, center=False, niter=4)[2]
        found = every @ directions
        present, numbers = owners.unique(return_inverse=True)
        middles = torch.stack([found[owners == kind].mean(dim=0) for kind in present])
        covariance = (found - middles[numbers]).T.cov(correction=0)
        covariance += SMALLEST_SPREAD * covariance.diagonal().mean() * torch.eye(count)
        whitening = torch.linalg.cholesky(torch.linalg.inv(covariance))
        self.whitening[:, :count] = directions @ whitening
        self.middles[:, :count] = middles[0] @ whitening  # a kind that there is none of is like the first
        self.middles[present, :count] = middles @ whitening
        distances = self._distances(views[:, 0])
        self.usual.fill_(distances[kinds == present[0], present[0]].quantile(USUAL))
        for kind in present:
            self.usual[kind] = distances[kinds == kind, kind].quantile(USUAL)

    def _distances(self, vectors: Tensor) -> Tensor:
        """To the middle of each kind, (batch, kinds)."""
        offsets = (vectors @ self.whitening)[:, None] - self.middles
        return torch.linalg.vector_norm(offsets, dim=2) / math.sqrt(offsets.shape[2])


class Voices(nn.Module):
    """What is known about how voices differ, and where a few clips put the middle of one voice.

    A clip's vector is taken for the sum of its speaker's offset, its emotion's offset and a rest, all normal and
    independent in every dim. The offset of a speaker given n clips is then their mean, shrunk by n / (n + ratio) with
    the ratio of the variances of the two others and of speakers. Where the clips are of few emotions, what the network
    takes for their emotion is taken off first; where they are varied that would only add its errors.

    Training calls ``fit``; what is known are buffers, so a checkpoint carries it.
    """

    def __init__(self, size: int, classes: int):
        super().__init__()
        self.register_buffer("ratio", torch.ones(size))
        self.register_buffer("ratio_within", torch.ones(size))
        self.register_buffer("emotions", torch.zeros(classes, size))

    def fit(self, vectors: Tensor, targets: Tensor, speakers: Tensor) -> None:
        """Takes vectors (clips, size) in standardised units, classes (clips,) and numbers of speakers (clips,)."""
        present = targets.unique()
        self.emotions[present] = torch.stack([vectors[targets == label].mean(dim=0) for label in present])
        residuals = vectors - self.emotions[targets]
        counts = torch.bincount(speakers).float()
        sums = torch.zeros(len(counts), vectors.shape[1]).index_add_(0, speakers, residuals)
        means = sums / counts[:, None]
        within = (residuals - means[speakers]).square().mean(dim=0)
        between = (means.square().mean(dim=0) - within / counts.mean()).clamp_min(SMALLEST_VARIANCE)
        self.ratio.copy_((within + self.emotions[present].var(dim=0)) / between)
        self.ratio_within.copy_(within / between)

    def offset(self, vectors: Tensor, probabilities: Tensor) -> Tensor:
        """Returns the offset (size,) of a speaker from clips (clips, size) and what they were taken for."""
        if variety(probabilities) >= VARIED:
            return self.varied(vectors)
        rest = vectors - probabilities @ self.emotions
        return rest.mean(dim=0) * len(rest) / (len(rest) + self.ratio_within)

    def varied(self, vectors: Tensor) -> Tensor:
        """Returns the offset (size,) of a speaker whose clips (clips, size) are of all emotions."""
        return vectors.mean(dim=0) * len(vectors) / (len(vectors) + self.ratio)


def variety(probabilities: Tensor) -> float:
    """How varied the emotions of a speaker's clips (clips, classes) are: 0 for one emotion, 1 for as many as there
    can be among them; the perplexity of their mean."""
    mean = probabilities.mean(dim=0)
    perplexity = torch.special.entr(mean).sum().exp()
    return float((perplexity - 1) / (max(2, min(probabilities.shape)) - 1))


class ResidualBlock(nn.Module):
    """Two convolutions with batch norm, squeeze and excitation over the real frames, and a way past them.

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


class ResidualNetwork(nn.Module):
    """Residual blocks over standardised frames, attentive statistics over the true length, two dense layers.

    Args:
        dims: of a frame.
        widths: channels of each block; all but the first halve the number of frames.
        embedding: size of what the last layer is given.
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

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.standardise(frames, lengths).transpose(1, 2)  # (batch, dims, frames)
        for block in self.blocks:
            hidden, lengths = block(hidden, lengths)
        pooled, weights = self.pooling(hidden, lengths)  # (batch, 2 * widths[-1])
        embedding = self.embedding(pooled)
        return self.head(embedding), embedding, weights


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
