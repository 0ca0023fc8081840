"""Defines the recipe of a 1D-CNN over 39 MFCC features, distilled from a speech encoder and trained on three corpora.

System: the owner's design, a 1D-CNN over 13 MFCC with two derivatives and CMVN ("Speech-Emotion-Recognition",
github.com/Harry9021), in the form that is best on unseen speakers.

Follows it in: the features, convolutions over time, labels (calm counts as neutral), RAVDESS.

Deviates from it (``cnn1d_published`` is the network as published):
- The network is that of ``resnet1d``, with all blocks halving the number of frames: the validation UA is the same, and
  training takes a third of the time.
- Mean and variance are normalised by the training split's statistics, not by each utterance's, which would remove the
  loudness and brightness of a voice.
- Before training on labels it learns to predict the statistics of ``whisper``'s pretrained encoder (distillation).
- It is also trained on CREMA-D and Indian EmoSpeech, augmented with noise, room responses and telephone channels.
- No epoch is selected, so no speaker is held out for that; the schedule was chosen on validation actors.
"""

from __future__ import annotations

from ser.audio.augmentation import BandLimit, Chain, Codec, ColouredNoise, Gain, Maybe, Room, SpeedChange
from ser.audio.waveform import SAMPLE_RATE
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


class Cnn1d(ResidualNetwork):
    """Three residual blocks, attentive statistics over the true length, two dense layers."""

    def __init__(self, classes: int):
        super().__init__(DIMS, (64, 128, 128), embedding=256, classes=classes, first_stride=2)


RECIPE = Recipe(
    name="cnn1d",
    title="1D-CNN, 39 MFCC features, taught by Whisper",
    summary="Residual convolutions over MFCC, delta and delta-delta, taught by a speech encoder; three corpora.",
    source="this project, after github.com/Harry9021/Speech-Emotion-Recognition",
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
        },
        "crema-d": {
            "ANG": "angry",
            "HAP": "happy",
            "SAD": "sad",
            "NEU": "neutral",
            "FEA": "fearful",
            "DIS": "disgust",
        },
        "indian-emospeech": {"angry": "angry", "calm": "neutral", "fearful": "fearful", "happy": "happy"},
    },
    features=build_features,
    network=Cnn1d,
    teacher="whisper",
    training=TrainingSettings(
        epochs=30,
        patience=None,
        batch_size=32,
        learning_rate=1e-3,
        weight_decay=2e-2,
        label_smoothing=0.1,
        mixup=0.3,
        crop_frames=180,
        averaging=0.99,
        augmentation=Chain(
            (
                SpeedChange(0.9, 1.1),
                Gain(6.0),
                Maybe(Room(0.1, 0.8, -3.0, 12.0), 0.3),
                Maybe(ColouredNoise(10.0, 40.0), 0.5),
                Maybe(BandLimit(400.0, 3000.0), 0.2),
                Maybe(Codec(), 0.2),
            )
        ),
        copies=4,
        time_mask_frames=20,
        dim_mask=5,
        distillation_epochs=20,
    ),
    protocol="unseen speakers (emobox, luna)",
)
