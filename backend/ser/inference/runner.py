"""Runs a network on the windows of a recording: probabilities, embeddings, and attribution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ser.audio.vad import Speech
from ser.features.spectral import length_mask
from ser.inference.attribution import Attribution, WindowAttribution, merge_windows
from ser.inference.windowing import Window
from ser.models.checkpoint import Checkpoint
from ser.models.network import NetworkOutput

CheckCancelled = Callable[[], None]  # called between batches; an exception from it stops the analysis
BATCH_SECONDS = 192  # of audio per batch; bounds the memory


@dataclass(frozen=True)
class Clip:
    """The speech of a window, which the network is given: float32 (samples,), and its first sample in the recording."""

    samples: Tensor
    start: int


@dataclass(frozen=True)
class ClipOutputs:
    """Output of a network for clips.

    Attributes:
        probabilities: (clips, classes), calibrated, in the order of the model's labels.
        embeddings: (clips, size).
        attributions: the network's attention in each clip; empty for networks without attention.
        intensities: (clips,) how strongly the emotion is expressed, 0 to 1; None for networks without that output.
        is_speech: bool (clips,), whether each clip is speech; all true for networks without that output.
    """

    probabilities: np.ndarray
    embeddings: np.ndarray
    attributions: list[WindowAttribution]
    intensities: np.ndarray | None
    is_speech: np.ndarray


def cut_speech(samples: np.ndarray, speech: Speech, windows: Sequence[Window]) -> list[Clip]:
    """Returns the speech of every window, with a margin."""
    spans = [speech.span(window.span.start, window.span.stop) for window in windows]
    return [Clip(torch.from_numpy(np.ascontiguousarray(samples[span])), span.start) for span in spans]


class NetworkRunner:
    """A network with its features; safe to call from several threads."""

    def __init__(self, checkpoint: Checkpoint):
        self._info = checkpoint.info
        self._features = checkpoint.features
        self._network = checkpoint.network

    @torch.inference_mode()
    def run(
        self, clips: list[Clip], speaker_offset: Tensor | None = None, check_cancelled: CheckCancelled = lambda: None
    ) -> ClipOutputs:
        """Runs the network on clips, one or more.

        Args:
            clips: in order of time.
            speaker_offset: (size,), only for networks that support profiles; None for an unknown speaker.
            check_cancelled: see ``CheckCancelled``.
        """
        outputs, attributions = [], []
        for batch in self._batches(clips, check_cancelled):
            output = self._predict(*self._features(*_padded(batch)), speaker_offset)
            outputs.append(output)
            if output.attribution is not None:
                attributions += self._window_attributions(batch, output.attribution)
        logits = torch.cat([output.logits for output in outputs])
        probabilities = torch.softmax(logits.double() / self._info.calibration.temperature, dim=1)
        intensities = [output.intensity for output in outputs if output.intensity is not None]
        return ClipOutputs(
            probabilities=probabilities.numpy(),
            embeddings=torch.cat([output.embedding for output in outputs]).numpy(),
            attributions=attributions,
            intensities=torch.cat(intensities).numpy() if intensities else None,
            is_speech=torch.cat([output.is_speech for output in outputs]).numpy(),
        )

    def attribute(
        self,
        clips: list[Clip],
        outputs: ClipOutputs,
        speaker_offset: Tensor | None,
        samples: int,
        classes: Sequence[int],
        check_cancelled: CheckCancelled = lambda: None,
    ) -> Attribution | None:
        """Returns the attribution: the network's attention or, if it has none, its saliency.

        Args:
            clips: of a recording, in order of time.
            outputs: what ``run`` returned for them.
            speaker_offset: as for ``run``.
            samples: length of the recording in samples.
            classes: positions of the labels that the answer is chosen from.
            check_cancelled: as for ``run``.
        """
        if outputs.attributions:
            return merge_windows(outputs.attributions, samples, "attention")
        apart = clips[:1]  # each moment once is enough
        for clip in clips:
            apart += [clip] if clip.start >= apart[-1].start + len(apart[-1].samples) else []
        batches = self._batches(apart, check_cancelled)
        saliency = [one for batch in batches for one in self._saliency(batch, speaker_offset, classes)]
        return merge_windows(saliency, samples, "saliency")

    def _predict(self, frames: Tensor, lengths: Tensor, speaker_offset: Tensor | None) -> NetworkOutput:
        """Networks without support for profiles take no offset."""
        known = () if speaker_offset is None else (speaker_offset,)
        return self._network(frames, lengths, *known)

    def _saliency(
        self, batch: list[Clip], speaker_offset: Tensor | None, classes: Sequence[int]
    ) -> list[WindowAttribution]:
        """How much each frame moves the likeliest of some classes, by gradient times input.

        Source: Shrikumar et al. 2016, arXiv:1605.01713, "Not just a black box".
        """
        with torch.no_grad():
            frames, lengths = self._features(*_padded(batch))
        frames = frames.clone().requires_grad_()
        logits = self._predict(frames, lengths, speaker_offset).logits[:, list(classes)]
        (gradient,) = torch.autograd.grad(logits.amax(dim=1).sum(), frames)
        moved = (gradient * frames.detach()).sum(dim=2).abs()
        return self._window_attributions(batch, moved * length_mask(lengths, frames.shape[1]))

    def _batches(self, clips: list[Clip], check_cancelled: CheckCancelled) -> Iterator[list[Clip]]:
        """Divides clips into batches of about ``BATCH_SECONDS``, padding included."""
        size = max(1, BATCH_SECONDS * self._info.sample_rate // max(len(clip.samples) for clip in clips))
        for start in range(0, len(clips), size):
            if start:
                check_cancelled()
            yield clips[start : start + size]

    def _window_attributions(self, batch: list[Clip], weights: Tensor) -> list[WindowAttribution]:
        """Reads weights (clips, steps): those beyond a clip's length are zero and left out."""
        begins, ends = (bound.tolist() for bound in self._features.span(*_padded(batch)))
        found = []
        for clip, row, begin, end in zip(batch, weights.numpy(), begins, ends, strict=True):
            own = row[: int(np.flatnonzero(row).max(initial=-1)) + 1]
            found += [WindowAttribution(clip.start + begin, clip.start + end, own)] if len(own) else []
        return found


def _padded(batch: list[Clip]) -> tuple[Tensor, Tensor]:
    """Returns samples (batch, samples) and lengths (batch,)."""
    lengths = torch.tensor([len(clip.samples) for clip in batch])
    return torch.nn.utils.rnn.pad_sequence([clip.samples for clip in batch], batch_first=True), lengths
