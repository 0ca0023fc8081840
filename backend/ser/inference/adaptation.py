"""Adapts answers to a speaker without labels: from the windows of a recording, a folder, a session or a profile."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ser.models.encoder import EncoderHeads
from ser.models.speaker_offset import SpeakerEstimate

Adapt = Literal["speaker", "folder", "none"]


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """A speaker that answers are adapted to.

    Attributes:
        estimate: of the model.
        seconds: amount of speech that it is made from, in s.
        variety: how varied the emotions in it are, 0 to 1.
    """

    estimate: SpeakerEstimate
    seconds: float
    variety: float


@torch.inference_mode()
def estimate(heads: EncoderHeads, embeddings: Tensor, clips: np.ndarray, speech_seconds: np.ndarray) -> Speaker:
    """Estimates a speaker from windows of speech.

    Args:
        heads: of the model.
        embeddings: (windows, size), one window or more.
        clips: (windows,), as how many clips each window counts; less than one where windows overlap.
        speech_seconds: (windows,), amount of speech in each window in s.
    """
    weights = torch.from_numpy(np.ascontiguousarray(clips, np.float32))
    return Speaker(
        estimate=heads.estimate_speaker(embeddings, weights),
        seconds=round(float(clips @ speech_seconds), 1),
        variety=heads.speaker_offset.variety(heads.centred_head(embeddings), weights),
    )


def group_recordings(paths: Sequence[Path | None], adapt: Adapt, speakers: Sequence[str]) -> list[list[int]]:
    """Groups recordings of one speaker each.

    Args:
        paths: of the recordings; None for standard input, which is a group of its own.
        adapt: ``folder`` groups by folder, ``speaker`` by the speaker's name, ``none`` not at all.
        speakers: name of each recording's speaker, empty where unknown: the recording is then a group of its own.

    Returns:
        The positions of each group's recordings, in order of each group's first recording.
    """
    groups: dict[str | Path | int, list[int]] = {}
    for place, (path, speaker) in enumerate(zip(paths, speakers, strict=True)):
        key: str | Path | int = place
        if adapt == "folder" and path is not None:
            key = Path(os.path.abspath(path)).parent
        elif adapt == "speaker" and speaker:
            key = speaker
        groups.setdefault(key, []).append(place)
    return list(groups.values())
