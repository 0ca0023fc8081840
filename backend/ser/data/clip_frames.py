"""Computes the frames of the speech in a recording, and of augmented copies of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch

from ser.audio.vad import Speech, find_speech
from ser.audio.waveform import decode, resample
from ser.core.errors import AudioError
from ser.features.spectral import MIN_SAMPLES
from ser.models.recipe import Recipe

MARGINS_SECONDS = (0.2, 0.6)  # copies are cut to their speech with random margins between these


def clip_frames(path: Path, recipe: Recipe, clip_seconds: float | None, copies: int) -> tuple[list[np.ndarray], bool]:
    """Returns the frames (frames, dims) of a clip and of its augmented copies, and whether it holds speech.

    Args:
        path: of the recording.
        recipe: whose features and augmentation to use.
        clip_seconds: see ``Recipe.clip_seconds``.
        copies: augmented copies beside the original; seeded by the samples, so the same at every call.

    Raises:
        AudioError: the file cannot be read; the message names it.
    """
    try:
        samples = resample(decode(path), recipe.sample_rate).samples
    except AudioError as error:
        raise AudioError(f"{path}: {error}", error.code) from error
    speech = find_speech(samples)
    seed = int.from_bytes(hashlib.sha256(samples.tobytes()).digest()[:8], "little")
    draws = [np.random.default_rng((seed, copy)) for copy in range(copies)]
    clips = [samples[speech.span()], *(_augmented(samples, speech, recipe, draw) for draw in draws)]
    module = recipe.features(clip_seconds)
    return [_frames(module, clip) for clip in clips], bool(speech.active.any())


def _augmented(samples: np.ndarray, speech: Speech, recipe: Recipe, draw: np.random.Generator) -> np.ndarray:
    """A clip cut with random margins, so that a network cannot learn from where the cut falls, and augmented."""
    before, after = draw.uniform(*MARGINS_SECONDS, 2)
    cut = samples[speech.span(margins=(before, after))]
    cut = cut if len(cut) >= MIN_SAMPLES else samples[speech.span()]
    return recipe.training.augmentation(cut, recipe.sample_rate, draw)


@torch.inference_mode()
def _frames(module: torch.nn.Module, samples: np.ndarray) -> np.ndarray:
    batch = torch.from_numpy(np.ascontiguousarray(samples, np.float32))[None]
    frames, lengths = module(batch, torch.tensor([batch.shape[1]]))
    return frames[0, : lengths[0]].numpy()
