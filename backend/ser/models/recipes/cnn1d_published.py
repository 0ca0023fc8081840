"""Defines the recipe of a 1D-CNN over 39 MFCC features with per-utterance CMVN, trained on RAVDESS.

System: the owner's design, "Speech-Emotion-Recognition" (github.com/Harry9021): trim, pre-emphasis, peak
normalisation, 13 MFCC + delta + delta-delta, CMVN, three convolutions, adaptive pooling to 8, three dense layers.

Follows it in: every feature setting, the network's sizes, dropout, labels (calm counts as neutral), augmentation.

Deviates from it:
- It cuts every clip to its first 100 frames, one second. Here the whole trimmed clip is used, which validates better
  on unseen actors; the published variant is ``clip_seconds=1`` (``ser train --clip-seconds 1``).
- Everything goes through 16 kHz, also in training (it loads at 16 kHz too).
- Convolutions, batch norm and pooling exclude padding, so that the prediction for a clip does not depend on its batch.
- It selects the best epoch on a random split with the same actors. Here the last epoch of a fixed schedule is used, so
  no speaker is held out for that; the schedule was chosen on validation actors.
"""

from __future__ import annotations

from torch import Tensor, nn

from ser.audio.augmentation import Chain, GaussianNoise, PitchShift, SpeedChange
from ser.audio.waveform import SAMPLE_RATE
from ser.features.spectral import Mfcc
from ser.models.layers import ConvBlock, adaptive_average
from ser.models.network import Network, NetworkOutput
from ser.models.recipe import Recipe, TrainingSettings

DIMS = 39
POOL_BINS = 8


def build_features(clip_seconds: float | None) -> Mfcc:
    """13 MFCC of 40 mel bands, 25 ms windows every 10 ms, with two derivatives: (batch, frames, 39)."""
    return Mfcc(
        n_mfcc=13,
        n_mels=40,
        n_fft=400,
        hop_samples=160,
        trim_db=25,
        pre_emphasis=0.97,
        cmvn=True,
        clip_seconds=clip_seconds,
    )


class Cnn1dPublished(Network):
    """Three convolutions, adaptive pooling over the true length, three dense layers."""

    def __init__(self, classes: int):
        super().__init__()
        self.blocks = nn.ModuleList(
            [
                ConvBlock(DIMS, 64, kernel_frames=5, pool=True),
                ConvBlock(64, 128, kernel_frames=5, pool=True),
                ConvBlock(128, 256, kernel_frames=3, pool=False),
            ]
        )
        self.embedding = nn.Sequential(
            nn.Linear(256 * POOL_BINS, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 128), nn.ReLU()
        )
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(128, classes))

    def forward(self, frames: Tensor, lengths: Tensor) -> NetworkOutput:
        hidden = frames.transpose(1, 2)  # (batch, 39, frames)
        for block in self.blocks:
            hidden, lengths = block(hidden, lengths)
        pooled = adaptive_average(hidden, lengths, POOL_BINS)  # (batch, 256, 8)
        embedding = self.embedding(pooled.flatten(1))  # (batch, 128)
        return NetworkOutput(self.head(embedding), embedding)


RECIPE = Recipe(
    name="cnn1d_published",
    title="1D-CNN, 39 MFCC features, as published",
    summary="Three convolutions over MFCC, delta and delta-delta, normalised per utterance; trained on RAVDESS.",
    source="github.com/Harry9021/Speech-Emotion-Recognition",
    sample_rate=SAMPLE_RATE,
    clip_seconds=None,
    labels=("angry", "happy", "sad", "neutral", "fearful", "disgust", "surprised"),
    corpora={
        "ravdess": {
            "neutral": "neutral",
            "calm": "neutral",
            "happy": "happy",
            "sad": "sad",
            "angry": "angry",
            "fearful": "fearful",
            "disgust": "disgust",
            "surprised": "surprised",
        }
    },
    features=build_features,
    network=Cnn1dPublished,
    training=TrainingSettings(
        epochs=40,
        patience=None,
        batch_size=32,
        learning_rate=1e-3,
        weight_decay=1e-2,
        label_smoothing=0.1,
        mixup=0.0,
        crop_frames=240,
        averaging=0.99,
        augmentation=Chain((PitchShift(2.0), SpeedChange(0.9, 1.1), GaussianNoise(0.005))),
        copies=8,
    ),
    protocol="random 80/20 split of clips: the same actors in training and test",
)
