"""Defines the recipe of a frozen multilingual Whisper encoder with linear heads, trained on three corpora.

System: the encoder of OpenAI's whisper-base (Radford et al. 2022, arXiv:2212.04356; MIT licence), trained on 680,000
hours of speech from the web in many languages, its layers' statistics over time, and one linear layer.

Follows it in: log-mel features with 80 bands, two convolutions, transformer layers, their pretrained weights.

Deviates from it:
- Whisper encodes every clip padded to 30 s; here a clip is cut to its speech and not extended. Padding is masked.
- It transcribes words; here the mean and standard deviation over time of the layers 2, 3 and 4 go into a linear layer.
  Middle layers carry most of the emotion; the last two of six are left out, as they are specialised in words.
- Every class of every corpus weighs the same, and classes that a corpus does not have are weak negatives, see
  ``ser.training.losses``. Two augmented copies of every clip are used in training.
- A second head, for embeddings less the speaker's offset, adapts to a speaker without labels, see
  ``ser.models.speaker_offset``.

``python -m benchmarks.accuracy.ablation`` measures what each part is worth and what was tried and left out.
"""

from __future__ import annotations

from ser.audio.augmentation import BandLimit, Chain, Clipping, Codec, ColouredNoise, Maybe, Room, SpeedChange
from ser.audio.waveform import SAMPLE_RATE
from ser.models.recipe import Recipe, TrainingSettings
from ser.models.whisper_encoder import WHISPER_BASE, WhisperEmotion, build_features

RECIPE = Recipe(
    name="whisper",
    title="Whisper base encoder, multilingual",
    summary="A speech encoder pretrained on 680,000 hours; emotions from RAVDESS, CREMA-D and Indian EmoSpeech.",
    source="github.com/openai/whisper (encoder of base)",
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
