"""Defines the recipe of an MLP over 254 acoustic statistics of a clip, trained on RAVDESS, eight emotions.

System: mohitvermax, "Speech-Emotion-Recognition" (github.com/mohitvermax): 3 s at peak level, statistics of zero
crossings, level, spectrum, 20 MFCC with two derivatives, chroma, tonnetz, tempo, pitch and mel bands, scaled to mean 0
and deviation 1, and dense layers of 512, 256, 128 and 64. Its author calls it a CNN; it has no convolution.

Follows it in: every group of statistics and their number (``ser.features.functionals``), 3 s, peak normalisation,
scaling, layer sizes, dropout 0.3, batches of 32, up to 100 epochs with early stopping, learning rate lowered on a
plateau, L2, noise, stretch, pitch and shift as augmentation, calm as a class of its own.

Deviates from it:
- It takes the first 3 s of a file. Here silence is cut from both ends first; a RAVDESS clip begins with a second of it.
- Everything goes through 16 kHz instead of 22.05 kHz, so windows are 64 ms every 10 ms instead of 93 ms every 23 ms.
- It seems to augment first and split afterwards: its 1962 test clips are a fifth of four times the 2452 spoken and sung
  clips of RAVDESS. Here speakers are split first, test and validation clips are never changed, and no clip is sung.
- It scales by the mean and deviation of everything. Here they are of the training split alone, stored in the network,
  and scaled statistics are clipped to +-10, so that a single outlier does not decide the prediction.
- Volume scaling is left out: the peak normalisation of the features cancels it.
- Batch norm follows the dense layers, L2 is AdamW's weight decay, dropout comes before the last layer too.
- There is nothing to mask: a clip is one row of statistics, measured over its own length.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ser.audio.augmentation import Chain, GaussianNoise, PitchShift, Shift, TimeStretch
from ser.audio.waveform import SAMPLE_RATE
from ser.core.labels import EMOTIONS
from ser.features.functionals import statistics
from ser.features.spectral import find_sound, peak_normalise, trim_silence
from ser.models.layers import Standardise
from ser.models.network import Network, NetworkOutput
from ser.models.recipe import Recipe, TrainingSettings

DIMS = 254
LIMIT = 10.0  # deviations from the mean
SIZES = (512, 256, 128, 64)
TRIM_DB = 30.0


class Statistics(nn.Module):
    """(samples (batch, samples), lengths) -> (statistics (batch, 1, 254), lengths of 1): one frame is a whole clip.

    Each clip is trimmed, cut to its first ``clip_seconds``, brought to peak 1 and measured; a shorter one is measured
    whole.
    """

    def __init__(self, clip_seconds: float | None):
        super().__init__()
        self.max_samples = None if clip_seconds is None else round(clip_seconds * SAMPLE_RATE)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        trimmed, lengths = trim_silence(samples, lengths, TRIM_DB)
        if self.max_samples is not None:
            lengths = lengths.clamp_max(self.max_samples)
        rows = [self._measure(clip[:length]) for clip, length in zip(trimmed, lengths.tolist(), strict=True)]
        return torch.stack(rows)[:, None].to(samples.device), torch.ones_like(lengths)  # (batch, 1, dims)

    def span(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns where in each clip the measured part begins and ends, in samples, both (batch,)."""
        start, stop = find_sound(samples, lengths, TRIM_DB)
        return start, stop if self.max_samples is None else torch.minimum(stop, start + self.max_samples)

    @staticmethod
    def _measure(clip: Tensor) -> Tensor:
        loudest = peak_normalise(clip[None])[0]
        return torch.from_numpy(statistics(loudest.cpu().numpy(), SAMPLE_RATE))  # (dims,)


class Mlp(Network):
    """Standardised statistics through four dense layers; the last of them is the embedding."""

    def __init__(self, classes: int):
        super().__init__()
        self.standardise = Standardise(DIMS)
        pairs = zip((DIMS, *SIZES[:-1]), SIZES, strict=True)
        self.layers = nn.Sequential(*(_dense(inputs, outputs) for inputs, outputs in pairs))
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(SIZES[-1], classes))

    def forward(self, frames: Tensor, lengths: Tensor) -> NetworkOutput:
        frames = self.standardise(frames, lengths)  # (batch, 1, dims)
        hidden = frames[:, 0].clamp(-LIMIT, LIMIT)  # (batch, dims)
        embedding = self.layers(hidden)  # (batch, 64)
        return NetworkOutput(self.head(embedding), embedding)


def _dense(inputs: int, outputs: int) -> nn.Sequential:
    drop = nn.Dropout(0.3) if outputs != SIZES[-1] else nn.Identity()
    return nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU(), drop)


RECIPE = Recipe(
    name="mlp",
    title="MLP, 254 acoustic statistics",
    summary="Four dense layers over named statistics of level, spectrum, cepstrum, harmony, rhythm and pitch.",
    source="github.com/mohitvermax/Speech-Emotion-Recognition",
    sample_rate=SAMPLE_RATE,
    clip_seconds=3.0,
    labels=EMOTIONS,
    corpora={"ravdess": {emotion: emotion for emotion in EMOTIONS}},
    features=Statistics,
    network=Mlp,
    training=TrainingSettings(
        epochs=100,
        patience=15,
        batch_size=32,
        learning_rate=1e-3,
        weight_decay=1e-2,
        label_smoothing=0.0,
        mixup=0.0,
        crop_frames=None,
        averaging=0.0,
        augmentation=Chain((TimeStretch(0.9, 1.1), PitchShift(2.0), Shift(0.2), GaussianNoise(0.01))),
        copies=3,
        schedule="plateau",
    ),
    protocol="random 80/20 split of clips, as it seems after augmentation: the same actors in training and test",
)
