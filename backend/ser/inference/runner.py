"""Runs a network on the windows of a recording: logits, embeddings, and attribution."""

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
from ser.models.speaker_offset import SpeakerEstimate

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
        logits: (clips, classes), in the order of the model's labels.
        embeddings: (clips, size).
        attributions: the network's attention in each clip; empty for networks without attention.
        intensities: (clips,) how strongly the emotion is expressed, 0 to 1; None for networks without that output.
        is_speech: bool (clips,), whether each clip is speech; all true for networks without that output.
        distances: (clips,) from the training recordings, see ``ser.models.domain_distance``; 0 for networks without
            that output.
    """

    logits: Tensor
    embeddings: Tensor
    attributions: list[WindowAttribution]
    intensities: np.ndarray | None
    is_speech: np.ndarray
    distances: np.ndarray

    def only_speech(self) -> ClipOutputs:
        """Returns the outputs for the clips that are speech."""
        kept = np.flatnonzero(self.is_speech)
        return ClipOutputs(
            logits=self.logits[kept],
            embeddings=self.embeddings[kept],
            attributions=self.attributions,
            intensities=None if self.intensities is None else self.intensities[kept],
            is_speech=self.is_speech[kept],
            distances=self.distances[kept],
        )


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
    def run(self, clips: list[Clip], check_cancelled: CheckCancelled = lambda: None) -> ClipOutputs:
        """Runs the network on clips, one or more.

        Args:
            clips: in order of time.
            check_cancelled: see ``CheckCancelled``.
        """
        outputs, attributions = [], []
        for batch in self._batches(clips, check_cancelled):
            output = self._network(*self._features(*_padded(batch)))
            outputs.append(output)
            if output.attribution is not None:
                attributions += self._window_attributions(batch, output.attribution)
        intensities = [output.intensity for output in outputs if output.intensity is not None]
        distances = [output.distance for output in outputs if output.distance is not None]
        return ClipOutputs(
            logits=torch.cat([output.logits for output in outputs]),
            embeddings=torch.cat([output.embedding for output in outputs]),
            attributions=attributions,
            intensities=torch.cat(intensities).numpy() if intensities else None,
            is_speech=torch.cat([output.is_speech for output in outputs]).numpy(),
            distances=torch.cat(distances).numpy() if distances else np.zeros(len(clips)),
        )

    def attribute(
        self,
        clips: list[Clip],
        outputs: ClipOutputs,
        speaker: SpeakerEstimate | None,
        samples: int,
        classes: Sequence[int],
        check_cancelled: CheckCancelled = lambda: None,
    ) -> Attribution | None:
        """Returns the attribution: the network's attention or, if it has none, its saliency.

        Args:
            clips: of a recording, in order of time.
            outputs: what ``run`` returned for them.
            speaker: that the answer is adapted to; None for an unknown one.
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
        saliency = [one for batch in batches for one in self._saliency(batch, speaker, classes)]
        return merge_windows(saliency, samples, "saliency")

    def _saliency(
        self, batch: list[Clip], speaker: SpeakerEstimate | None, classes: Sequence[int]
    ) -> list[WindowAttribution]:
        """How much each frame moves the likeliest of some classes, by gradient times input.

        Source: Shrikumar et al. 2016, arXiv:1605.01713, "Not just a black box".
        """
        with torch.no_grad():
            frames, lengths = self._features(*_padded(batch))
        frames = frames.clone().requires_grad_()
        output = self._network(frames, lengths)
        logits = output.logits
        if speaker is not None:
            logits = self._network.heads.adapt(logits, output.embedding, speaker)
        (gradient,) = torch.autograd.grad(logits[:, list(classes)].amax(dim=1).sum(), frames)
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
