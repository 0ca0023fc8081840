"""Defines the recipe of a CNN + BiLSTM + attention over MFCC and loudness of any length, trained on RAVDESS.

System: the "CNN-BiLSTM with attention" for RAVDESS: 40 MFCC with two derivatives and the RMS, convolutions with
pooling, a bidirectional LSTM, attention, dense layers; class weights, balanced sampling, a learning rate that falls
when the validation loss stops improving. It reports seven emotions without neutral, and eight.

Follows it in: the features, the order of the layers, class weights and balanced sampling together, ReduceLROnPlateau.
Eight emotions are its label set here; seven without neutral:
``--labels angry,calm,disgust,fearful,happy,sad,surprised``.

Deviates from it:
- Its authors enhance the audio of chosen classes only (filters and gain for those that are often confused). That leaks
  the label into the audio: a network then recognises the filter, and a recording of unknown emotion cannot be treated
  the same way. It is left out.
- RMS is taken in dB below the clip's loudest frame, so that the prediction does not depend on the recording level.
- Padding is excluded from every layer; its random split over clips is not used for anything that is reported.
"""

from __future__ import annotations

from torch import Tensor, nn

from ser.audio.augmentation import Chain, GaussianNoise, PitchShift, SpeedChange
from ser.audio.waveform import SAMPLE_RATE
from ser.core.labels import EMOTIONS
from ser.features.spectral import Mfcc
from ser.models.layers import AttentionPooling, ConvBlock, MaskedLstm, Standardise
from ser.models.network import Network, NetworkOutput
from ser.models.recipe import Recipe, TrainingSettings

DIMS = 121


def build_features(clip_seconds: float | None) -> Mfcc:
    """40 MFCC of 128 mel bands, 25 ms windows every 10 ms, two derivatives, loudness: (batch, frames, 121)."""
    return Mfcc(
        n_mfcc=40,
        n_mels=128,
        n_fft=400,
        hop_samples=160,
        trim_db=25,
        loudness=True,
        cmvn=False,
        clip_seconds=clip_seconds,
    )


class CnnBiLstmAttention(Network):
    """Two convolutions that halve the frames, a BiLSTM, attention over its outputs, two dense layers."""

    def __init__(self, classes: int):
        super().__init__()
        self.standardise = Standardise(DIMS)
        self.blocks = nn.ModuleList(
            [ConvBlock(DIMS, 64, kernel_frames=5, pool=True), ConvBlock(64, 128, kernel_frames=5, pool=True)]
        )
        self.lstm = MaskedLstm(128, 64)
        self.attention = AttentionPooling(128, hidden=64)
        self.embedding = nn.Sequential(nn.Dropout(0.4), nn.Linear(128, 64), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(64, classes))

    def forward(self, frames: Tensor, lengths: Tensor) -> NetworkOutput:
        hidden = self.standardise(frames, lengths).transpose(1, 2)  # (batch, 121, frames)
        for block in self.blocks:
            hidden, lengths = block(hidden, lengths)
        outputs, _ = self.lstm(hidden.transpose(1, 2), lengths)  # (batch, frames // 4, 128)
        pooled, weights = self.attention(outputs, lengths)
        embedding = self.embedding(pooled)  # (batch, 64)
        return NetworkOutput(self.head(embedding), embedding, weights)


RECIPE = Recipe(
    name="cnn_bilstm_attention",
    title="CNN + BiLSTM + attention, MFCC and loudness",
    summary="Convolutions, a BiLSTM and attention over MFCC and loudness of any length; trained on RAVDESS.",
    source="a published Streamlit application, CNN + BiLSTM + attention for RAVDESS",
    sample_rate=SAMPLE_RATE,
    clip_seconds=None,
    labels=EMOTIONS,
    corpora={"ravdess": {emotion: emotion for emotion in EMOTIONS}},
    features=build_features,
    network=CnnBiLstmAttention,
    training=TrainingSettings(
        epochs=40,
        patience=12,
        batch_size=32,
        learning_rate=1e-3,
        weight_decay=1e-2,
        label_smoothing=0.1,
        mixup=0.0,
        crop_frames=None,
        averaging=0.98,
        augmentation=Chain((PitchShift(2.0), SpeedChange(0.9, 1.1), GaussianNoise(0.005))),
        copies=4,
        schedule="plateau",
        class_weights=True,
        balanced=True,
    ),
    protocol="random split of clips: the same actors in training and test",
)
