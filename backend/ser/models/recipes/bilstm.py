"""Defines the recipe of a BiLSTM over 120 MFCC features, trained on four emotions of CREMA-D.

System: a real-time web application with a bidirectional LSTM for CREMA-D: trim, 40 MFCC with two derivatives, 400
frames, two bidirectional LSTM layers (128 and 64 units), one dense layer.

Follows it in: every feature setting, 400 frames at most, masking (the LSTM stops at each clip's end), standardisation
fitted on the training split, the layers' order and sizes, four of the corpus's six emotions. All six:
``--labels corpus``.

Deviates from it:
- Its split is random over clips, so that training includes the test's actors. Here the epoch is selected on other
  speakers.
- Clips are cut to their speech first, as everywhere in this project, and trained on with changed speed and noise.
- Its optimiser is plain Adam; here AdamW with a falling rate, as for the other recipes.
- It sends 3 s chunks from the browser; here recordings up to 10 s are taken whole, up to the 400 frames.
"""

from __future__ import annotations

from torch import Tensor, nn

from ser.audio.augmentation import Chain, GaussianNoise, SpeedChange
from ser.audio.waveform import SAMPLE_RATE
from ser.features.spectral import Mfcc
from ser.models.layers import MaskedLstm, Standardise
from ser.models.network import Network, NetworkOutput
from ser.models.recipe import Recipe, TrainingSettings

DIMS = 120
CLIP_SECONDS = 4.0  # 400 frames


def build_features(clip_seconds: float | None) -> Mfcc:
    """40 MFCC of 128 mel bands, 25 ms windows every 10 ms, with two derivatives: (batch, frames, 120)."""
    return Mfcc(n_mfcc=40, n_mels=128, n_fft=400, hop_samples=160, trim_db=25, cmvn=False, clip_seconds=clip_seconds)


class BiLstm(Network):
    """Two bidirectional LSTM layers; the second one's last states go into the dense layers."""

    def __init__(self, classes: int):
        super().__init__()
        self.standardise = Standardise(DIMS)
        self.first = MaskedLstm(DIMS, 128)
        self.second = MaskedLstm(256, 64)
        self.dropout = nn.Dropout(0.3)
        self.embedding = nn.Sequential(nn.Linear(128, 64), nn.ReLU())
        self.head = nn.Linear(64, classes)

    def forward(self, frames: Tensor, lengths: Tensor) -> NetworkOutput:
        hidden, _ = self.first(self.standardise(frames, lengths), lengths)  # (batch, frames, 256)
        _, last = self.second(self.dropout(hidden), lengths)  # (batch, 128)
        embedding = self.embedding(self.dropout(last))  # (batch, 64)
        return NetworkOutput(self.head(embedding), embedding)


RECIPE = Recipe(
    name="bilstm",
    title="BiLSTM, 120 MFCC features",
    summary="Two bidirectional LSTM layers over MFCC, delta and delta-delta; four emotions, trained on CREMA-D.",
    source="a published real-time application for CREMA-D (Flask, React, TensorFlow)",
    sample_rate=SAMPLE_RATE,
    clip_seconds=CLIP_SECONDS,
    labels=("angry", "happy", "sad", "disgust"),
    corpora={"crema-d": {"ANG": "angry", "HAP": "happy", "SAD": "sad", "DIS": "disgust"}},
    features=build_features,
    network=BiLstm,
    training=TrainingSettings(
        epochs=20,
        patience=20,
        batch_size=32,
        learning_rate=1e-3,
        weight_decay=1e-2,
        label_smoothing=0.1,
        mixup=0.0,
        crop_frames=None,
        averaging=0.98,
        augmentation=Chain((SpeedChange(0.9, 1.1), GaussianNoise(0.005))),
        copies=3,
    ),
    protocol="random split of clips: the same actors in training and test",
)
