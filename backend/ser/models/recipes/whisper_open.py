"""Defines the recipe of a frozen multilingual Whisper encoder with linear heads, trained on CREMA-D alone.

System: as ``whisper``, the encoder of OpenAI's whisper-base (Radford et al. 2022, arXiv:2212.04356; MIT licence) with
one linear layer.

Follows it in: everything but the data.

Deviates from it: only CREMA-D is used, whose licence (ODbL 1.0) allows commercial use with attribution, and so does the
encoder's. It knows six emotions and one recording condition, and is less accurate on other voices than ``whisper``.
"""

from __future__ import annotations

from ser.audio.augmentation import BandLimit, Chain, Clipping, Codec, ColouredNoise, Maybe, Room, SpeedChange
from ser.audio.waveform import SAMPLE_RATE
from ser.models.recipe import Recipe, TrainingSettings
from ser.models.whisper_encoder import WHISPER_BASE, WhisperEmotion, build_features

RECIPE = Recipe(
    name="whisper_open",
    title="Whisper base encoder, CREMA-D only",
    summary="A speech encoder pretrained on 680,000 hours; emotions from CREMA-D, whose licence allows commercial use.",
    source="github.com/openai/whisper (encoder of base)",
    sample_rate=SAMPLE_RATE,
    clip_seconds=None,
    labels=("angry", "happy", "sad", "neutral", "fearful", "disgust"),
    corpora={
        "crema-d": {
            "ANG": "angry",
            "HAP": "happy",
            "SAD": "sad",
            "NEU": "neutral",
            "FEA": "fearful",
            "DIS": "disgust",
        }
    },
    features=build_features,
    network=WhisperEmotion,
    pretrained=WHISPER_BASE,
    training=TrainingSettings(
        epochs=0,
        patience=None,
        batch_size=16,
        learning_rate=1e-4,
        weight_decay=1e-2,
        label_smoothing=0.1,
        mixup=0.0,
        crop_frames=150,
        averaging=0.99,
        augmentation=Chain(
            (
                SpeedChange(0.9, 1.1),
                Maybe(Room(0.1, 0.8, -3.0, 12.0), 0.4),
                Maybe(ColouredNoise(3.0, 30.0), 0.5),
                Maybe(Clipping(0.2), 0.1),
                Maybe(BandLimit(400.0, 3000.0), 0.4),
                Maybe(Codec(), 0.3),
            )
        ),
        copies=2,
    ),
    protocol="none: a speech recogniser; no accuracy on emotions was published with it",
)
