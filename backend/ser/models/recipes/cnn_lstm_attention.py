"""Defines the recipe of a CNN + BiLSTM + attention over windows of a log-mel spectrogram, trained on RAVDESS.

System: the "stacked CNN - LSTM with attention" for RAVDESS: exactly 3 s, 128 mel bands, windows of 128 frames every
64, the same three convolutions over every window, a bidirectional LSTM over the windows, attention over its outputs.

Follows it in: the spectrogram (transform of 1024, Hamming window of 512, hop of 256 samples, dB), the windows, the
convolutions (16-32-64, pooling 2-4-4, dropout 0.3), 256 values per window, BiLSTM of 128 units, dropout 0.4, fourfold
augmentation by white noise of 15 to 30 dB SNR, tempo at constant pitch, and pre-emphasis.

Deviates from it:
- It skips the first 0.5 s of every file, because RAVDESS begins with silence. Here the voice activity detector
  removes what comes before the speech in any recording; skipping another 0.5 s would lose speech.
- Everything goes through 16 kHz; it loads RAVDESS's 48 kHz. The windows are as many samples, so three times as long.
- The spectrogram is standardised per band by the training split's statistics; it scales by all files, the test's too.
- It augments before the split, which puts near-copies of test clips into training. Here only training clips are.
- With 16 kHz, 3 s are 188 frames, padded to 192: two windows. The attention weighs the two.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ser.audio.augmentation import Chain, Maybe, PreEmphasis, TimeStretch, WhiteNoise
from ser.audio.waveform import SAMPLE_RATE
from ser.core.labels import EMOTIONS
from ser.features.spectral import LogMel
from ser.models.layers import AttentionPooling, MaskedLstm, Standardise
from ser.models.network import Network, NetworkOutput
from ser.models.recipe import Recipe, TrainingSettings

DIMS = 128
CLIP_SECONDS = 3.0
WINDOW_FRAMES, STRIDE_FRAMES = 128, 64


def build_features(clip_seconds: float | None) -> LogMel:
    """128 mel bands in dB, 32 ms windows every 16 ms, exactly 3 s by default: (batch, frames, 128)."""
    return LogMel(
        n_mels=DIMS,
        n_fft=1024,
        window=torch.hamming_window(512),
        hop_samples=256,
        clip_seconds=CLIP_SECONDS if clip_seconds is None else clip_seconds,
    )


class CnnLstmAttention(Network):
    """Three convolutions per window, a BiLSTM over the windows, attention over its outputs."""

    def __init__(self, classes: int):
        super().__init__()
        self.standardise = Standardise(DIMS)
        self.window = nn.Sequential(
            *_block(1, 16, pool=2),
            *_block(16, 32, pool=4),
            *_block(32, 64, pool=4),
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, 256),
            nn.ReLU(),
        ).to(memory_format=torch.channels_last)  # here and below: the quicker layout for convolutions on a CPU
        self.lstm = MaskedLstm(256, 128)
        self.dropout = nn.Dropout(0.4)
        self.attention = AttentionPooling(256, hidden=64)
        self.head = nn.Linear(256, classes)

    def forward(self, frames: Tensor, lengths: Tensor) -> NetworkOutput:
        windows, counts = _windows(self.standardise(frames, lengths), lengths)  # (batch, windows, 128, 128)
        images = windows.flatten(0, 1)[:, None].contiguous(memory_format=torch.channels_last)
        vectors = self.window(images)  # (batch * windows, 256)
        outputs, _ = self.lstm(vectors.unflatten(0, windows.shape[:2]), counts)  # (batch, windows, 256)
        embedding, weights = self.attention(self.dropout(outputs), counts)
        return NetworkOutput(self.head(embedding), embedding, weights)


def _block(inputs: int, outputs: int, pool: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
    # The rectifier after the pooling, not before it: the same values from a fraction of the work.
    return [convolution, nn.BatchNorm2d(outputs), nn.MaxPool2d(pool), nn.ReLU(), nn.Dropout(0.3)]


def _windows(frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Cuts (batch, frames, dims) into (batch, windows, dims, WINDOW_FRAMES), and counts each clip's own windows."""
    counts = 1 + ((lengths - WINDOW_FRAMES).clamp_min(0) + STRIDE_FRAMES - 1) // STRIDE_FRAMES
    needed = WINDOW_FRAMES + STRIDE_FRAMES * (int(counts.max()) - 1)
    padded = functional.pad(frames[:, :needed], (0, 0, 0, max(0, needed - frames.shape[1])))
    return padded.unfold(1, WINDOW_FRAMES, STRIDE_FRAMES), counts


RECIPE = Recipe(
    name="cnn_lstm_attention",
    title="CNN + BiLSTM + attention, log-mel",
    summary="Convolutions over windows of a mel spectrogram, then a BiLSTM and attention; trained on RAVDESS.",
    source="a published PyTorch project, CNN-LSTM with attention for RAVDESS at 48 kHz",
    sample_rate=SAMPLE_RATE,
    clip_seconds=CLIP_SECONDS,
    labels=EMOTIONS,
    corpora={"ravdess": {emotion: emotion for emotion in EMOTIONS}},
    features=build_features,
    network=CnnLstmAttention,
    training=TrainingSettings(
        epochs=40,
        patience=None,
        batch_size=16,
        learning_rate=4e-3,
        weight_decay=1e-2,
        label_smoothing=0.1,
        mixup=0.0,
        crop_frames=None,
        averaging=0.95,
        augmentation=Chain((WhiteNoise(15.0, 30.0), TimeStretch(0.9, 1.1), Maybe(PreEmphasis(0.97), 0.5))),
        copies=3,
    ),
    protocol="random split of clips after augmentation: the same actors, and copies of test clips, in training",
)
