"""Defines OpenAI's multilingual Whisper encoder with linear heads, the network of the recipes that use it.

The statistics over time of the outputs of several layers go into linear heads; the encoder stays as published.

Source: Radford et al. 2022, arXiv:2212.04356.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from ser.features.spectral import WhisperMel, length_mask
from ser.models.domain_distance import DomainDistance
from ser.models.encoder import EncoderHeads, EncoderNetwork
from ser.models.layers import Standardise, mean_and_deviation
from ser.models.pretrained import Pretrained
from ser.models.speaker_offset import SpeakerOffset

WHISPER_BASE = Pretrained(
    name="whisper-base",
    url="https://huggingface.co/openai/whisper-base/resolve/main/model.safetensors",
    prefix="model.encoder.",
    sha256="697cd48d0a80cf1ad8d40ccc4681ef8f742440ccf61d5dd1f0bf52f6f3cee3b9",
    licence="MIT",
    citation="Radford A, Kim JW, Xu T, Brockman G, McLeavey C, Sutskever I (2022) Robust speech recognition via "
    "large-scale weak supervision. arXiv:2212.04356",
)
BANDS, DIMS, HEADS = 80, 512, 8
LAYERS = 4  # of six: the last two are specialised in words, and cost other languages most
EMOTION_LAYERS = 3  # the last of these; all of them, and the convolutions, say how a recording was made
SIZE = 2 * DIMS * (1 + LAYERS)  # of the statistics
EMBEDDING_SIZE = 2 * DIMS * EMOTION_LAYERS
DOMAINS, DIRECTIONS = 8, 30  # of the distance from the training recordings
SLOWEST = 10_000.0  # frames; the longest wave of the positional encoding is 2 pi times as long


def build_features(clip_seconds: float | None) -> WhisperMel:
    """80 log-mel bands, 25 ms windows every 10 ms: (batch, frames, 80)."""
    return WhisperMel(n_mels=BANDS, clip_seconds=clip_seconds)


class WhisperEmotion(EncoderNetwork):
    """The first layers of the encoder, the statistics of several of them, and the heads.

    The convolutions halve the frame rate to 50 a second.
    """

    def __init__(self, classes: int):
        super().__init__()
        self.conv1 = nn.Conv1d(BANDS, DIMS, 3, padding=1)
        self.conv2 = nn.Conv1d(DIMS, DIMS, 3, stride=2, padding=1)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                DIMS, HEADS, 4 * DIMS, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(LAYERS)
        )
        self.standardise = Standardise(SIZE)
        self.head = nn.Linear(EMBEDDING_SIZE, classes)
        self.centred_head = nn.Linear(EMBEDDING_SIZE, classes)
        self.speaker_offset = SpeakerOffset(EMBEDDING_SIZE, classes)
        self.distance = DomainDistance(SIZE, DOMAINS, DIRECTIONS)
        self.speech = nn.Linear(EMBEDDING_SIZE, 1)
        self.intensity = nn.Linear(EMBEDDING_SIZE, 1)

    @property
    def heads(self) -> EncoderHeads:
        return EncoderHeads(
            standardise=self.standardise,
            head=self.head,
            centred_head=self.centred_head,
            speaker_offset=self.speaker_offset,
            distance=self.distance,
            speech=self.speech,
            intensity=self.intensity,
        )

    def statistics(self, frames: Tensor, lengths: Tensor) -> Tensor:
        hidden = functional.gelu(self.conv1(frames.transpose(1, 2)))  # (batch, 512, frames)
        hidden = hidden * length_mask(lengths, hidden.shape[2])[:, None]
        hidden = functional.gelu(self.conv2(hidden)).transpose(1, 2)  # (batch, frames / 2, 512)
        lengths = (lengths + 1) // 2
        mask = length_mask(lengths, hidden.shape[1])
        hidden = hidden + _positions(hidden.shape[1], hidden.device)
        stages = [hidden]
        for layer in self.layers:
            hidden = layer(hidden, src_key_padding_mask=~mask)
            stages.append(hidden)
        return torch.cat([mean_and_deviation(stage, mask) for stage in stages], dim=1)

    def load_pretrained(self, tensors: Mapping[str, Tensor]) -> None:
        """Copies the published tensors, under the names that Hugging Face gives them."""
        self.conv1.load_state_dict({name: tensors[f"conv1.{name}"] for name in ("weight", "bias")})
        self.conv2.load_state_dict({name: tensors[f"conv2.{name}"] for name in ("weight", "bias")})
        for number, layer in enumerate(self.layers):
            own = f"layers.{number}."
            parts = {name.removeprefix(own): value for name, value in tensors.items() if name.startswith(own)}
            layer.load_state_dict(_renamed(parts))


def _positions(frames: int, device: torch.device) -> Tensor:
    """The sinusoidal positional encoding (frames, 512), as Whisper computes it."""
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
