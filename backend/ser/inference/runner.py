"""Owns running a network: parts of a recording -> probabilities, embeddings, and what counted in each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ser.audio.vad import Speech
from ser.features.spectral import length_mask
from ser.inference.attribution import Attention, Look, over_time
from ser.inference.windowing import Window
from ser.models.checkpoint import Checkpoint

Between = Callable[[], None]  # called between batches; what it raises ends the work
BATCH_SECONDS = 192  # of recording that go through the network at a time; bounds the memory


@dataclass(frozen=True)
class Clip:
    """What of a window goes into the network: float32 (samples,), and at which sample of the recording it starts."""

    samples: Tensor
    start: int


@dataclass(frozen=True)
class Outputs:
    """What a network makes of clips.

    Attributes:
        probabilities: (clips, classes), calibrated, in the order of the model's labels.
        embeddings: (clips, size).
        looks: what its attention looked at; empty where it has none.
        intensities: (clips,) how strongly the emotion is expressed, 0 to 1; None from networks that do not tell.
        spoken: bool (clips,), whether the network hears speech at all; all true from networks that do not tell.
    """

    probabilities: np.ndarray
    embeddings: np.ndarray
    looks: list[Look]
    intensities: np.ndarray | None
    spoken: np.ndarray


def cut(samples: np.ndarray, speech: Speech, parts: list[Window]) -> list[Clip]:
    """Returns the speech of every window, with a margin."""
    spans = [speech.span(window.span.start, window.span.stop) for window in parts]
    return [Clip(torch.from_numpy(np.ascontiguousarray(samples[span])), span.start) for span in spans]


class Inference:
    """A network with its features; safe to call from several threads."""

    def __init__(self, checkpoint: Checkpoint):
        self._info = checkpoint.info
        self._features = checkpoint.features
        self._network = checkpoint.network

    @torch.inference_mode()
    def outputs(self, clips: list[Clip], voice: Tensor | None = None, between: Between = lambda: None) -> Outputs:
        """Runs clips, one or more; ``voice`` (size,) is where the middle of the speaker's voice lies."""
        logits, embeddings, looks = [], [], []
        for batch in self._batches(clips, between):
            found = self._network(*self._features(*_padded(batch)), *_given(voice))
            logits.append(found[0])
            embeddings.append(found[1])
            looks += [] if found[2] is None else self._looks(batch, found[2])
        probabilities = torch.softmax(torch.cat(logits).double() / self._info.calibration.temperature, dim=1)
        vectors = torch.cat(embeddings)
        intensities, spoken = None, np.ones(len(vectors), dtype=bool)
        if upper := getattr(self._network, "upper", None):
            intensities = torch.sigmoid(upper.intensity(vectors)).squeeze(1).numpy()
            spoken = (upper.presence(vectors) > 0).squeeze(1).numpy()
        return Outputs(probabilities.numpy(), vectors.numpy(), looks, intensities, spoken)

    def attention(
        self,
        clips: list[Clip],
        outputs: Outputs,
        voice: Tensor | None,
        samples: int,
        between: Between = lambda: None,
    ) -> Attention | None:
        """Says what counted: the network's own attention or, where it has none, its saliency.

        Args:
            clips: of a recording, in order of time.
            outputs: what the network made of them.
            voice: as for ``outputs``.
            samples: length of the recording in samples.
            between: as for ``outputs``.
        """
        if outputs.looks:
            return over_time(outputs.looks, samples, "attention")
        apart = clips[:1]  # each moment once is enough
        for clip in clips:
            apart += [clip] if clip.start >= apart[-1].start + len(apart[-1].samples) else []
        looks = [look for batch in self._batches(apart, between) for look in self._saliency(batch, voice)]
        return over_time(looks, samples, "saliency")

    def _saliency(self, batch: list[Clip], voice: Tensor | None) -> list[Look]:
        """How much each frame moves the likeliest class, by gradient times input.

        Source: Shrikumar et al. 2016, arXiv:1605.01713, "Not just a black box".
        """
        with torch.no_grad():
            frames, lengths = self._features(*_padded(batch))
        frames = frames.clone().requires_grad_()
        logits = self._network(frames, lengths, *_given(voice))[0]
        (gradient,) = torch.autograd.grad(logits.amax(dim=1).sum(), frames)
        moved = (gradient * frames.detach()).sum(dim=2).abs()
        return self._looks(batch, moved * length_mask(lengths, frames.shape[1]))

    def _batches(self, clips: list[Clip], between: Between) -> Iterator[list[Clip]]:
        """Cuts clips into parts of about ``BATCH_SECONDS``, padding counted."""
        size = max(1, BATCH_SECONDS * self._info.sample_rate // max(len(clip.samples) for clip in clips))
        for start in range(0, len(clips), size):
            if start:
                between()
            yield clips[start : start + size]

    def _looks(self, batch: list[Clip], weights: Tensor) -> list[Look]:
        """Reads weights (clips, steps): those beyond a clip's length are zero and left out."""
        begins, ends = (bound.tolist() for bound in self._features.span(*_padded(batch)))
        found = []
        for clip, row, begin, end in zip(batch, weights.numpy(), begins, ends, strict=True):
            own = row[: int(np.flatnonzero(row).max(initial=-1)) + 1]
            found += [Look(clip.start + begin, clip.start + end, own)] if len(own) else []
        return found


def _padded(batch: list[Clip]) -> tuple[Tensor, Tensor]:
    """Returns samples (batch, samples) and lengths (batch,)."""
    lengths = torch.tensor([len(clip.samples) for clip in batch])
    return torch.nn.utils.rnn.pad_sequence([clip.samples for clip in batch], batch_first=True), lengths


def _given(voice: Tensor | None) -> tuple[Tensor, ...]:
    return () if voice is None else (voice,)
