"""Defines this project's own small recipe: a residual 1D-CNN with attentive statistics over MFCC, trained on RAVDESS.

System: three residual blocks with squeeze and excitation, attentive statistics pooling over the whole clip, one dense
layer; 13 MFCC with two derivatives, standardised by the training split's statistics.

Deviates from it in: nothing, the system is this project's own. Every setting was chosen on validation speakers.
"""

from __future__ import annotations

from ser.audio.augmentation import Chain, GaussianNoise, SpeedChange
from ser.audio.waveform import SAMPLE_RATE
from ser.core.labels import EMOTIONS
from ser.features.spectral import Mfcc
from ser.models.layers import ResidualNetwork
from ser.models.recipe import Recipe, TrainingSettings

DIMS = 39


def build_features(clip_seconds: float | None) -> Mfcc:
    """13 MFCC of 40 mel bands, 25 ms windows every 10 ms, with two derivatives: (batch, frames, 39)."""
    return Mfcc(
        n_mfcc=13,
        n_mels=40,
        n_fft=400,
        hop_samples=160,
        trim_db=25,
        pre_emphasis=0.97,
        cmvn=False,
        clip_seconds=clip_seconds,
    )


class ResNet1d(ResidualNetwork):
    """Three residual blocks, attentive statistics over the true length, two dense layers."""

    def __init__(self, classes: int):
        super().__init__(DIMS, (64, 128, 128), embedding=128, classes=classes)


RECIPE = Recipe(
    name="resnet1d",
    title="Residual 1D-CNN, attentive statistics, MFCC",
    summary="Residual convolutions with attentive pooling over MFCC of the whole clip; trained on RAVDESS.",
    source="this project",
    sample_rate=SAMPLE_RATE,
    clip_seconds=None,
    labels=EMOTIONS,
    corpora={"ravdess": {emotion: emotion for emotion in EMOTIONS}},
    features=build_features,
    network=ResNet1d,
    training=TrainingSettings(
        epochs=50,
        patience=None,
        batch_size=32,
        learning_rate=1e-3,
        weight_decay=2e-2,
        label_smoothing=0.1,
        mixup=0.3,
        crop_frames=180,
        averaging=0.99,
        augmentation=Chain((SpeedChange(0.9, 1.1), GaussianNoise(0.005))),
        copies=4,
        time_mask_frames=20,
        dim_mask=5,
    ),
    protocol="unseen speakers (emobox, luna)",
)
