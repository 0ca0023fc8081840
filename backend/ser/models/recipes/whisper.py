"""Defines the recipe of a frozen Whisper encoder with linear heads, trained on RAVDESS, CREMA-D and Indian EmoSpeech.

System: the encoder of OpenAI's whisper-tiny.en (Radford et al. 2022, arXiv:2212.04356; MIT licence), trained on
680,000 hours of speech from the web, its layers' statistics over time, and one linear layer.

Follows it in: log-mel features with 80 bands, two convolutions, transformer layers, their pretrained weights.

Deviates from it:
- Whisper encodes every clip padded to 30 s; here a clip is cut to its speech and not extended. Padding is masked.
- It transcribes words; here the mean and standard deviation over time of every layer go into a linear layer. Middle
  layers carry most of the emotion.
- The last of its four layers is left out: it is specialised in words, and UA on unseen speakers is the same without it,
  in less time. So is the last layer norm, which only the decoder needs.
- Three versions of a recording are encoded and their statistics averaged, see ``_views``.
- The linear layer is conditional on the domain (each corpus is one), and confidence falls with the distance of a
  recording from every domain (out-of-distribution temperature), see ``ser.models.conditional_head``.
- The encoder stays as it was published: fine-tuning its last layers for 6 epochs changed the UA on unseen speakers by
  -5 to +3 points, depending on the fold, and by about zero on average.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ser.audio.augmentation import BandLimit, Chain, Clipping, Codec, ColouredNoise, Maybe, Room, SpeedChange
from ser.audio.waveform import SAMPLE_RATE
from ser.features.spectral import WhisperMel, length_mask, mel_edges
from ser.models.conditional_head import ConditionalHead, OodTemperature
from ser.models.encoder import EncoderHeads, EncoderNetwork
from ser.models.layers import LayerStatistics, Standardise
from ser.models.network import NetworkOutput
from ser.models.pretrained import Pretrained
from ser.models.recipe import Recipe, TrainingSettings
from ser.models.speaker_offset import SpeakerOffset

ENCODER = Pretrained(
    name="whisper-tiny.en",
    url="https://huggingface.co/openai/whisper-tiny.en/resolve/main/model.safetensors",
    prefix="model.encoder.",
    sha256="9aebc532cccf3804d28245c10b612d52803b97f1cc99e98553a10ce99fcc4b62",
    licence="MIT",
    citation="Radford A et al. (2022) Robust speech recognition via large-scale weak supervision. arXiv:2212.04356",
)
BANDS, DIMS, HEADS = 80, 384, 6
LAYERS = 3  # of four
STEM_LAYERS = 1  # of these, in the part that checkpoints name ``lower``
DOMAINS = 3  # one per corpus
SPEEDS = (0.9, 1.1)  # of the further views of a recording
FAINT = 1.0  # floor of the first view below its maximum; 1 is 40 dB in units of the features
SLOWEST = 10_000.0  # frames; the longest wave of the positional encoding is 2 pi times as long


def build_features(clip_seconds: float | None) -> WhisperMel:
    """80 log-mel bands, 25 ms windows every 10 ms: (batch, frames, 80)."""
    return WhisperMel(n_mels=BANDS, clip_seconds=clip_seconds)


class EncoderStem(nn.Module):
    """The convolutions and the first layer: (batch, frames, 80) -> the outputs of the convolutions and each layer.

    The convolutions halve the frame rate to 50 a second.
    """

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(BANDS, DIMS, 3, padding=1)
        self.conv2 = nn.Conv1d(DIMS, DIMS, 3, stride=2, padding=1)
        self.layers = _layers(STEM_LAYERS)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns (batch, frames / 2, 768), the stages side by side, zero beyond the lengths (batch,), and those."""
        hidden = functional.gelu(self.conv1(frames.transpose(1, 2)))  # (batch, 384, frames)
        hidden = hidden * length_mask(lengths, hidden.shape[2])[:, None]
        hidden = functional.gelu(self.conv2(hidden)).transpose(1, 2)  # (batch, frames / 2, 384)
        lengths = (lengths + 1) // 2
        hidden = hidden + _positions(hidden.shape[1], hidden.device)
        return torch.cat(_stages(self.layers, hidden, lengths), dim=2), lengths


class LayersAndHeads(nn.Module):
    """The remaining layers, the statistics of every layer, and the heads.

    The order of the modules decides their random initialisation; their names are those in checkpoints.
    """

    def __init__(self, classes: int):
        super().__init__()
        size = 2 * DIMS * (LAYERS + 1)
        self.layers = _layers(LAYERS - STEM_LAYERS)
        self.pool = LayerStatistics(DIMS, hidden=64)
        self.standardise = Standardise(size)
        self.voices = SpeakerOffset(size, classes)
        self.kind = nn.Linear(size, DOMAINS)
        self.head = ConditionalHead(size, classes, DOMAINS)
        self.voiced_head = ConditionalHead(size, classes, DOMAINS)
        self.caution = OodTemperature(size, DOMAINS, directions=100)
        self.intensity = nn.Linear(size, 1)
        self.presence = nn.Linear(size, 1)

    def forward(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the statistics (batch, 3072) of the output of ``EncoderStem``, and the attention (batch, tokens)."""
        *below, hidden = tokens.split(DIMS, dim=2)
        return self.pool(below + _stages(self.layers, hidden, lengths), lengths)


class WhisperEmotion(EncoderNetwork):
    """The encoder, the statistics of each of its layers, and the heads.

    The statistics are averaged over three versions of a recording, see ``_views``: predictions then depend less
    on the speed and the noise of a recording, and are right more often.
    """

    def __init__(self, classes: int):
        super().__init__()
        self.lower = EncoderStem()
        self.upper = LayersAndHeads(classes)

    def forward(self, frames: Tensor, lengths: Tensor, speaker_offset: Tensor | None = None) -> NetworkOutput:
        statistics, attention = self._average_views(frames, lengths)
        return self.heads.predict(statistics, speaker_offset, attention)

    @property
    def heads(self) -> EncoderHeads:
        return EncoderHeads(
            standardise=self.upper.standardise,
            domain=self.upper.kind,
            head=self.upper.head,
            offset_head=self.upper.voiced_head,
            temperature=self.upper.caution,
            speaker_offset=self.upper.voices,
            speech=self.upper.presence,
            intensity=self.upper.intensity,
        )

    def statistics(self, frames: Tensor, lengths: Tensor) -> Tensor:
        return self._average_views(frames, lengths)[0]

    def single_view_statistics(self, frames: Tensor, lengths: Tensor) -> Tensor:
        return self.upper(*self.lower(frames, lengths))[0]

    def _average_views(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The statistics (batch, 3072), means over the views, and the attention (batch, frames / 2) of the first."""
        encoded = [self.upper(*self.lower(*view)) for view in _views(frames, lengths)]
        return torch.stack([statistics for statistics, _ in encoded]).mean(dim=0), encoded[0][1]

    def load_pretrained(self, tensors: Mapping[str, Tensor]) -> None:
        """Copies the published tensors, under the names that Hugging Face gives them."""
        self.lower.conv1.load_state_dict({name: tensors[f"conv1.{name}"] for name in ("weight", "bias")})
        self.lower.conv2.load_state_dict({name: tensors[f"conv2.{name}"] for name in ("weight", "bias")})
        for number, layer in enumerate([*self.lower.layers, *self.upper.layers]):
            own = f"layers.{number}."
            parts = {name.removeprefix(own): value for name, value in tensors.items() if name.startswith(own)}
            layer.load_state_dict(_renamed(parts))


def _layers(count: int) -> nn.ModuleList:
    return nn.ModuleList(
        nn.TransformerEncoderLayer(
            DIMS, HEADS, 4 * DIMS, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        for _ in range(count)
    )


def _stages(layers: nn.ModuleList, hidden: Tensor, lengths: Tensor) -> list[Tensor]:
    """``hidden`` (batch, tokens, 384) and the output of each layer, zero beyond the lengths (batch,)."""
    mask = length_mask(lengths, hidden.shape[1])
    outputs = [hidden * mask[:, :, None]]
    for layer in layers:
        hidden = layer(hidden, src_key_padding_mask=~mask)
        outputs.append(hidden * mask[:, :, None])
    return outputs


def _views(frames: Tensor, lengths: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Versions of frames (batch, frames, 80): with a higher floor, a little slower, a little faster."""
    mask = length_mask(lengths, frames.shape[1])[:, :, None]
    loudest = frames.masked_fill(~mask, -torch.inf).amax(dim=(1, 2), keepdim=True)
    yield torch.maximum(frames, loudest - FAINT) * mask, lengths
    for speed in SPEEDS:
        yield _at_speed(frames, lengths, speed)


def _at_speed(frames: Tensor, lengths: Tensor, speed: float) -> tuple[Tensor, Tensor]:
    """The frames of the clips played ``speed`` times as fast, pitch included: both axes are stretched."""
    lengths = ((lengths - 1) / speed).long() + 1
    time = torch.arange(int(lengths.max())) * speed
    frames = _interpolate(frames, time, dim=1)
    centres = mel_edges(SAMPLE_RATE, BANDS)[1:-1].numpy()
    bands = torch.from_numpy(np.interp(centres / speed, centres, np.arange(BANDS))).float()
    warped = _interpolate(frames, bands, dim=2)
    return warped * length_mask(lengths, warped.shape[1])[:, :, None], lengths


def _interpolate(frames: Tensor, places: Tensor, dim: int) -> Tensor:
    """Interpolates (batch, frames, bands) linearly at places along one dimension, clamped to its ends."""
    places = places.to(frames.device).clamp(0, frames.shape[dim] - 1)
    below = places.long().clamp(max=max(0, frames.shape[dim] - 2))
    above = (below + 1).clamp(max=frames.shape[dim] - 1)
    shape = [1, 1, 1]
    shape[dim] = -1
    share = (places - below).view(shape)
    return frames.index_select(dim, below) * (1 - share) + frames.index_select(dim, above) * share


def _positions(frames: int, device: torch.device) -> Tensor:
    """The sinusoidal positional encoding (frames, 384), as Whisper computes it."""
    half = DIMS // 2
    rates = torch.exp(-math.log(SLOWEST) / (half - 1) * torch.arange(half, device=device))
    angles = torch.arange(frames, device=device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _renamed(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A layer's tensors under Hugging Face's names -> torch's, which hold query, key and value in one matrix."""
    plain = {
        "self_attn.out_proj": "self_attn.out_proj",
        "self_attn_layer_norm": "norm1",
        "final_layer_norm": "norm2",
        "fc1": "linear1",
        "fc2": "linear2",
    }
    found = {
        f"{ours}.{kind}": parts[f"{theirs}.{kind}"] for theirs, ours in plain.items() for kind in ("weight", "bias")
    }
    projections = [f"self_attn.{letter}_proj" for letter in "qkv"]
    found["self_attn.in_proj_weight"] = torch.cat([parts[f"{name}.weight"] for name in projections])
    biases = [parts.get(f"{name}.bias", torch.zeros(DIMS)) for name in projections]  # keys have none
    return found | {"self_attn.in_proj_bias": torch.cat(biases)}


RECIPE = Recipe(
    name="whisper",
    title="Whisper tiny encoder",
    summary="A speech encoder pretrained on 680,000 hours; emotions from RAVDESS, CREMA-D and Indian EmoSpeech.",
    source="github.com/openai/whisper (encoder of tiny.en)",
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
    pretrained=ENCODER,
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
