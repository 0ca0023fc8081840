"""Computes frames from waveforms with torch modules that work on batches and can be exported as one graph.

Every module takes ``samples (batch, samples)`` with ``lengths (batch,)`` and returns ``frames (batch, frames, dims)``
with their lengths; values beyond a length are zero and have no effect. ``span`` returns where in a clip its frames are.
The tests compare these modules with librosa 0.11 on real recordings; librosa itself is not imported here, because its
first call compiles for seconds.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ser.audio.waveform import SAMPLE_RATE

MIN_FRAMES = 9  # width of the delta filter
MIN_SAMPLES = 1440  # gives MIN_FRAMES and one more at a hop of 10 ms
TRIM_FRAME, TRIM_HOP = 2048, 512  # samples; librosa.effects.trim's defaults
POWER_FLOOR = 1e-10  # librosa.power_to_db's amin
DYNAMIC_RANGE_DB = 80.0  # librosa.power_to_db's top_db


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """Returns bool (batch, size): True where a position is within the length."""
    return torch.arange(size, device=lengths.device)[None, :] < lengths[:, None]


def find_sound(samples: Tensor, lengths: Tensor, top_db: float) -> tuple[Tensor, Tensor]:
    """Returns where leading silence ends and trailing silence begins, as ``librosa.effects.trim`` finds them.

    Args:
        samples: (batch, samples), zero beyond each length.
        lengths: (batch,) in samples.
        top_db: frames more than this many dB below the loudest frame are silent.

    Returns:
        Two positions in samples for each clip. A clip of digital silence is kept whole.
    """
    padded = functional.pad(samples, (TRIM_FRAME // 2, TRIM_FRAME // 2))
    power = functional.avg_pool1d(padded[:, None].square(), TRIM_FRAME, TRIM_HOP)[:, 0]  # (batch, frames)
    valid = length_mask(1 + lengths // TRIM_HOP, power.shape[1])
    power = power.clamp_min(POWER_FLOOR).masked_fill(~valid, POWER_FLOOR)
    threshold = power.amax(dim=1, keepdim=True) * 10 ** (-top_db / 10)
    sound = (power > threshold) & valid
    position = torch.arange(power.shape[1], device=power.device)
    first = torch.where(sound, position, power.shape[1]).amin(dim=1)
    last = torch.where(sound, position, -1).amax(dim=1)
    start = torch.where(last < 0, 0, first * TRIM_HOP)
    stop = torch.where(last < 0, lengths, torch.minimum(lengths, (last + 1) * TRIM_HOP))
    stop = torch.maximum(stop, torch.minimum(lengths, start + MIN_SAMPLES))  # a single click would be too short
    return torch.minimum(start, stop - MIN_SAMPLES).clamp_min(0), stop


def trim_silence(samples: Tensor, lengths: Tensor, top_db: float) -> tuple[Tensor, Tensor]:
    """Cuts leading and trailing silence, see ``find_sound``; returns the samples moved to the front and the lengths."""
    start, stop = find_sound(samples, lengths, top_db)
    index = torch.arange(samples.shape[1], device=samples.device)[None, :] + start[:, None]
    moved = samples.gather(1, index.clamp_max(samples.shape[1] - 1))
    return moved * length_mask(stop - start, samples.shape[1]), stop - start


def pre_emphasise(samples: Tensor, lengths: Tensor, coefficient: float) -> Tensor:
    """High-pass ``y[t] = x[t] - coefficient * x[t - 1]``; the start is extrapolated as librosa does, 3 x[0] - x[1]."""
    emphasised = samples[:, 1:] - coefficient * samples[:, :-1]
    first = samples[:, :1] + (2 * samples[:, :1] - samples[:, 1:2])
    return torch.cat([first, emphasised], dim=1) * length_mask(lengths, samples.shape[1])


def peak_normalise(samples: Tensor) -> Tensor:
    """Scales every clip of (batch, samples) so that its largest magnitude is 1; digital silence stays silent."""
    return samples / samples.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(samples.dtype).tiny)


def mel_edges(sample_rate: int, n_mels: int) -> Tensor:
    """Where the bands of Slaney's mel scale begin, peak and end, in Hz: float64 (n_mels + 2,), band i at i to i + 2.

    Source: Slaney, Auditory Toolbox (1998).
    """
    step, knee_hz = 200.0 / 3, 1000.0  # linear below 1 kHz, logarithmic above
    knee_mel, log_step = knee_hz / step, math.log(6.4) / 27
    top = knee_mel + math.log(sample_rate / 2 / knee_hz) / log_step
    mels = torch.linspace(0, top, n_mels + 2, dtype=torch.float64)
    return torch.where(mels < knee_mel, mels * step, knee_hz * torch.exp(log_step * (mels - knee_mel)))


def mel_filters(sample_rate: int, n_fft: int, n_mels: int) -> Tensor:
    """Triangular filters (n_mels, 1 + n_fft // 2) on Slaney's mel scale, each of unit area.

    Equals ``librosa.filters.mel(norm="slaney", htk=False)``.
    """
    edges = mel_edges(sample_rate, n_mels)
    bins = torch.linspace(0, sample_rate / 2, 1 + n_fft // 2, dtype=torch.float64)
    width = edges.diff()[:, None]
    distance = edges[:, None] - bins[None, :]
    triangles = torch.minimum(-distance[:-2] / width[:-1], distance[2:] / width[1:]).clamp_min(0)
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).float()


def dct_matrix(n_mfcc: int, n_mels: int) -> Tensor:
    """Orthonormal DCT-II as a matrix (n_mels, n_mfcc)."""
    row = torch.arange(n_mels, dtype=torch.float64)[:, None]
    column = torch.arange(n_mfcc, dtype=torch.float64)[None, :]
    matrix = torch.cos(math.pi / n_mels * (row + 0.5) * column) * math.sqrt(2 / n_mels)
    matrix[:, 0] /= math.sqrt(2)
    return matrix.float()


class MelSpectrogram(nn.Module):
    """samples (batch, samples) -> mel power spectrogram (batch, frames, n_mels); frames = 1 + samples // hop."""

    def __init__(self, sample_rate: int, n_fft: int, hop_samples: int, n_mels: int, window: Tensor | None = None):
        super().__init__()
        self.n_fft, self.hop_samples = n_fft, hop_samples
        window = torch.hann_window(n_fft) if window is None else window
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("filters", mel_filters(sample_rate, n_fft, n_mels), persistent=False)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        spectrum = torch.stft(
            samples,
            self.n_fft,
            self.hop_samples,
            win_length=len(self.window),
            window=self.window,
            pad_mode="constant",
            return_complex=True,
        )
        power = spectrum.real.square() + spectrum.imag.square()  # (batch, bins, frames)
        return torch.matmul(self.filters, power).transpose(1, 2), 1 + lengths // self.hop_samples


def power_to_db(power: Tensor, lengths: Tensor) -> Tensor:
    """(batch, frames, bands) power to dB, at most ``DYNAMIC_RANGE_DB`` below each clip's own maximum."""
    decibel = 10 * torch.log10(power.clamp_min(POWER_FLOOR))
    valid = length_mask(lengths, power.shape[1])[:, :, None]
    top = decibel.masked_fill(~valid, -math.inf).amax(dim=(1, 2), keepdim=True)
    return torch.maximum(decibel, top - DYNAMIC_RANGE_DB)


class Delta(nn.Module):
    """Savitzky-Golay derivative over 9 frames, as ``librosa.feature.delta(width=9, order=order)``.

    The first and last four frames take the value of the nearest frame with a full window ("interp" mode: the fitted
    polynomial's derivative of that order is constant).
    """

    def __init__(self, order: int):
        super().__init__()
        position = torch.arange(-(MIN_FRAMES // 2), MIN_FRAMES // 2 + 1, dtype=torch.float64)
        powers = torch.stack([position**power for power in range(order + 1)])  # (order + 1, 9)
        taps = math.factorial(order) * torch.linalg.pinv(powers.T)[order]
        self.register_buffer("taps", taps.float(), persistent=False)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        slope = frames.unfold(1, MIN_FRAMES, 1) @ self.taps  # (batch, frames - 8, dims)
        half = MIN_FRAMES // 2
        index = torch.arange(frames.shape[1], device=frames.device)[None, :]
        index = torch.minimum(index.clamp_min(half), (lengths - 1 - half)[:, None]) - half
        return slope.gather(1, index.clamp_min(0)[:, :, None].expand(-1, -1, frames.shape[2]))


def normalise_utterance(frames: Tensor, lengths: Tensor) -> Tensor:
    """Cepstral mean and variance normalisation of (batch, frames, dims) over each utterance's own frames."""
    mask = length_mask(lengths, frames.shape[1])[:, :, None]
    count = lengths[:, None, None]
    mean = (frames * mask).sum(dim=1, keepdim=True) / count
    centred = (frames - mean) * mask
    deviation = (centred.square().sum(dim=1, keepdim=True) / count).sqrt()
    return centred / deviation.clamp_min(1e-5)


class Mfcc(nn.Module):
    """waveform -> MFCC, delta and delta-delta.

    Order: trim silence, pre-emphasis, peak normalisation, MFCC, derivatives of order 1 and 2 of the MFCC, loudness,
    CMVN over the real frames, and at last the cut to ``clip_seconds``.

    Args:
        n_mfcc: cepstral coefficients; the output has three times as many dims.
        n_mels: mel bands below them.
        n_fft: window in samples.
        hop_samples: step in samples.
        trim_db: see ``trim_silence``.
        pre_emphasis: coefficient of the high-pass; 0 leaves it out.
        loudness: whether one more dim holds the level of every frame in dB.
        cmvn: whether every utterance is normalised by its own mean and variance.
        clip_seconds: keeps this many s after trimming; None keeps all.
    """

    def __init__(
        self,
        *,
        n_mfcc: int,
        n_mels: int,
        n_fft: int,
        hop_samples: int,
        trim_db: float,
        pre_emphasis: float = 0.0,
        loudness: bool = False,
        cmvn: bool,
        clip_seconds: float | None,
    ):
        super().__init__()
        self.trim_db, self.pre_emphasis, self.loudness, self.cmvn = trim_db, pre_emphasis, loudness, cmvn
        self.max_frames = None if clip_seconds is None else round(clip_seconds * SAMPLE_RATE / hop_samples)
        self.mel = MelSpectrogram(SAMPLE_RATE, n_fft, hop_samples, n_mels)
        self.register_buffer("dct", dct_matrix(n_mfcc, n_mels), persistent=False)
        self.delta, self.delta_delta = Delta(order=1), Delta(order=2)
        self.dims = 3 * n_mfcc + loudness

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        samples, lengths = trim_silence(samples, lengths, self.trim_db)
        if not torch.compiler.is_exporting():  # a graph needs a fixed size; otherwise this halves the work
            samples = samples[:, : int(lengths.max())]
        if self.pre_emphasis:
            samples = pre_emphasise(samples, lengths, self.pre_emphasis)
        samples = peak_normalise(samples)
        power, lengths = self.mel(samples, lengths)  # (batch, frames, n_mels)
        mfcc = power_to_db(power, lengths) @ self.dct  # (batch, frames, n_mfcc)
        parts = [mfcc, self.delta(mfcc, lengths), self.delta_delta(mfcc, lengths)]
        if self.loudness:
            parts.append(power_to_db(power.mean(dim=2, keepdim=True), lengths))
        frames = torch.cat(parts, dim=2) * length_mask(lengths, mfcc.shape[1])[:, :, None]
        if self.cmvn:
            frames = normalise_utterance(frames, lengths)
        if self.max_frames is not None:
            frames, lengths = frames[:, : self.max_frames], lengths.clamp_max(self.max_frames)
        return frames, lengths

    def span(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns where in each clip its frames begin and end, in samples, both (batch,)."""
        start, stop = find_sound(samples, lengths, self.trim_db)
        return start, _cut(start, stop, self.max_frames, self.mel.hop_samples)


class WhisperMel(nn.Module):
    """waveform -> log-mel spectrogram as the input of Whisper: (batch, frames, n_mels).

    Order: peak normalisation, spectrogram with 25 ms windows every 10 ms, common logarithm, at most 8 below the clip's
    maximum, scaled to about -1 to 1; the cut to ``clip_seconds``. Whisper's own pads every clip to 30 s first.

    Source: Radford et al. 2022, arXiv:2212.04356, section 2.2.

    Args:
        n_mels: mel bands.
        clip_seconds: keeps the first s of a clip; None keeps all.
    """

    def __init__(self, *, n_mels: int, clip_seconds: float | None):
        super().__init__()
        self.max_frames = None if clip_seconds is None else round(clip_seconds * SAMPLE_RATE / 160)
        self.mel = MelSpectrogram(SAMPLE_RATE, n_fft=400, hop_samples=160, n_mels=n_mels)
        self.dims = n_mels

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        power, lengths = self.mel(peak_normalise(samples), lengths)
        bels = power_to_db(power, lengths) / 10
        frames = (bels + 4) / 4 * length_mask(lengths, bels.shape[1])[:, :, None]
        if self.max_frames is not None:
            frames, lengths = frames[:, : self.max_frames], lengths.clamp_max(self.max_frames)
        return frames, lengths

    def span(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns where in each clip its frames begin and end, in samples, both (batch,)."""
        start = torch.zeros_like(lengths)
        return start, _cut(start, lengths, self.max_frames, self.mel.hop_samples)


class LogMel(nn.Module):
    """waveform -> mel spectrogram in dB, of exactly ``clip_seconds``: (batch, frames, n_mels).

    Order: peak normalisation, cut or padding with silence to the length, spectrogram, dB below the clip's maximum.

    Args:
        n_mels: mel bands.
        n_fft: length of the transform in samples.
        window: weights (samples,), at most ``n_fft`` long; shorter ones are centred.
        hop_samples: step in samples.
        clip_seconds: length in s that every clip gets.
    """

    def __init__(self, *, n_mels: int, n_fft: int, window: Tensor, hop_samples: int, clip_seconds: float):
        super().__init__()
        self.samples = round(clip_seconds * SAMPLE_RATE)
        self.mel = MelSpectrogram(SAMPLE_RATE, n_fft, hop_samples, n_mels, window)
        self.dims = n_mels

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        padding = max(0, self.samples - samples.shape[1])
        samples = functional.pad(samples, (0, padding))[:, : self.samples]
        power, lengths = self.mel(peak_normalise(samples), torch.full_like(lengths, self.samples))
        return power_to_db(power, lengths), lengths

    def span(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns where in each clip its frames begin and end, in samples, both (batch,); padding is after the clip."""
        return torch.zeros_like(lengths), torch.full_like(lengths, self.samples)


def _cut(start: Tensor, stop: Tensor, max_frames: int | None, hop_samples: int) -> Tensor:
    """Returns the end of the remaining frames of a clip, in samples."""
    return stop if max_frames is None else torch.minimum(stop, start + max_frames * hop_samples)
