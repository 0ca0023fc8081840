"""Owns the way from files to a ``FrameBank``: decoded, augmented, turned into frames once, and cached on disk.

The cache is keyed by the content of every file, the features' settings and the code that makes them, so that it can
never be stale. Making a bank uses one process per core; a second run starts at once.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ser.audio.vad import Speech, find_speech
from ser.audio.waveform import decode, resample
from ser.core.atomic_write import write_atomically
from ser.core.errors import AudioError
from ser.features.spectral import MIN_SAMPLES
from ser.models.recipe import Recipe, get_recipe

KEYED_CODE = (
    "audio/waveform.py",
    "audio/vad.py",
    "audio/augmentation.py",
    "features/spectral.py",
    "features/low_level.py",
    "features/functionals.py",
    "data/feature_cache.py",
)
TRANSFORM_BATCH = 64  # entries that a function is given at a time
CHUNK_FILES = 16  # files handed to a process at a time
MARGINS_SECONDS = (0.2, 0.6)  # copies are cut to their speech with random margins between these

Progress = Callable[[int, int], None]  # done, total
Transform = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Padded entries (batch, frames, dims) and their lengths (batch,) -> the same of what it makes of them."""


@dataclass(frozen=True)
class FrameBank:
    """The frames of many clips, one after the other; clip i has ``copies`` entries, the original first.

    Attributes:
        frames: float32 or float16 (total frames, dims).
        offsets: int64 (clips * copies + 1,): where each entry begins.
        copies: entries per clip.
        speech: bool (clips,): whether the clip holds any speech.
        file: where it is cached, or None.
        parts: the banks that it was joined from, if any.
        chosen: the bank that its clips are from and their numbers there, if any.
        memory: what was computed from the frames and is dear, for as long as the process lives.
    """

    frames: Tensor
    offsets: Tensor
    copies: int
    speech: Tensor
    file: Path | None = None
    parts: tuple[FrameBank, ...] = ()
    chosen: tuple[FrameBank, Sequence[int]] | None = None
    memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.speech)

    def entry(self, clip: int, copy: int = 0) -> Tensor:
        """Returns float32 (frames, dims) of one copy of a clip; copy 0 is the original."""
        index = clip * self.copies + copy
        return self.frames[self.offsets[index] : self.offsets[index + 1]].float()

    def by_length(self, size: int) -> tuple[Tensor, Iterator[tuple[Tensor, Tensor]]]:
        """Returns the numbers of all entries, shortest first, and the padded entries in that order, ``size`` at a time.

        The number of an entry is clip * copies + copy.
        """
        order = (self.offsets[1:] - self.offsets[:-1]).argsort(stable=True)
        parts = order.split(size)
        return order, (pad([self.entry(*divmod(number, self.copies)) for number in part.tolist()]) for part in parts)

    def through(self, name: str, function: Transform, dtype: torch.dtype = torch.float32) -> FrameBank:
        """Returns what a function makes of every entry; computed once, and cached beside the bank.

        Args:
            name: of the function; another one needs another name.
            function: see ``Transform``.
            dtype: what to keep.
        """
        if name not in self.memory:
            if self.parts:
                self.memory[name] = join([part.through(name, function, dtype) for part in self.parts])
            elif self.chosen:
                bank, clips = self.chosen
                self.memory[name] = bank.through(name, function, dtype).only(clips)
            else:
                tensors = self._cached(name, function, dtype)
                self.memory[name] = FrameBank(tensors["frames"], tensors["offsets"], self.copies, self.speech)
        return self.memory[name]

    def statistics(self, name: str, function: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Returns one vector for every entry, (clips, copies, size), kept as by ``through``.

        Args:
            name: of the function.
            function: padded entries (batch, frames, dims) and their lengths (batch,) -> (batch, size).
        """

        def one(frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
            return function(frames, lengths)[:, None], torch.ones(len(lengths), dtype=torch.long)

        return self.through(name, one).frames.unflatten(0, (len(self), self.copies))

    def only(self, clips: Sequence[int]) -> FrameBank:
        """Returns a bank of some clips, in their order."""
        if list(clips) == list(range(len(self))):
            return self
        numbers = [clip * self.copies + copy for clip in clips for copy in range(self.copies)]
        entries = [self.frames[self.offsets[number] : self.offsets[number + 1]] for number in numbers]
        offsets = torch.tensor([0, *map(len, entries)]).cumsum(0)
        return FrameBank(torch.cat(entries), offsets, self.copies, self.speech[list(clips)], chosen=(self, clips))

    def _cached(self, name: str, function: Transform, dtype: torch.dtype) -> dict[str, Tensor]:
        if self.file is None:
            return self._made(function, dtype)
        file = self.file.with_suffix(f".{name}.safetensors")
        if not file.exists():
            tensors = self._made(function, dtype)
            write_atomically(file, lambda part: save_file(tensors, part))
        return load_file(file)

    @torch.inference_mode()
    def _made(self, function: Transform, dtype: torch.dtype) -> dict[str, Tensor]:
        order, batches = self.by_length(TRANSFORM_BATCH)
        entries: list[Tensor] = []
        for batch in batches:
            made, lengths = function(*batch)
            entries += [one[:length].to(dtype, copy=True) for one, length in zip(made, lengths.tolist(), strict=True)]
        entries = [entries[i] for i in order.argsort().tolist()]
        return {"frames": torch.cat(entries), "offsets": torch.tensor([0, *map(len, entries)]).cumsum(0)}

    def batch(self, clips: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Returns the originals as frames (batch, frames, dims) padded with zeros, and lengths (batch,)."""
        return pad([self.entry(clip) for clip in clips])


def join(banks: Sequence[FrameBank]) -> FrameBank:
    """Returns one bank of the clips of several, one bank after the other."""
    if len(banks) == 1:
        return banks[0]
    sizes = torch.cat([torch.zeros(1, dtype=torch.long), *(bank.offsets.diff() for bank in banks)])
    frames, speech = (torch.cat(one) for one in ([bank.frames for bank in banks], [bank.speech for bank in banks]))
    return FrameBank(frames, sizes.cumsum(0), banks[0].copies, speech, parts=tuple(banks))


def pad(entries: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Returns frames (batch, frames, dims) padded with zeros, and lengths (batch,)."""
    lengths = torch.tensor([len(entry) for entry in entries])
    return torch.nn.utils.rnn.pad_sequence(list(entries), batch_first=True), lengths


def build_bank(
    files: Sequence[Path],
    recipe: Recipe,
    *,
    clip_seconds: float | None,
    copies: int,
    cache: Path,
    on_progress: Progress | None = None,
) -> FrameBank:
    """Returns the frames of every recording, in order, from the cache where they are there.

    Args:
        files: what to read.
        recipe: whose features and augmentation to use.
        clip_seconds: see ``Recipe.clip_seconds``.
        copies: changed copies per clip beside the original.
        cache: folder of the cache.
        on_progress: called with (files done, files in all).

    Raises:
        AudioError: a file cannot be read; the message names it.
    """
    cached = cache / f"{_key(files, recipe, clip_seconds, copies)}.safetensors"
    if not cached.exists():
        jobs = [(str(file), recipe.name, clip_seconds, copies) for file in files]
        tensors = _pack(_run(jobs, on_progress))
        write_atomically(cached, lambda part: save_file(tensors, part))
    tensors = load_file(cached)
    return FrameBank(tensors["frames"], tensors["offsets"], 1 + copies, tensors["speech"], cached)


def clip_frames(path: Path, recipe: Recipe, clip_seconds: float | None, copies: int) -> tuple[list[np.ndarray], bool]:
    """Returns the frames (frames, dims) of a clip and of its changed copies, and whether it holds speech.

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
    clips = [samples[speech.span()], *(_changed(samples, speech, recipe, draw) for draw in draws)]
    module = recipe.features(clip_seconds)
    return [_frames(module, clip) for clip in clips], bool(speech.active.any())


def _changed(samples: np.ndarray, speech: Speech, recipe: Recipe, draw: np.random.Generator) -> np.ndarray:
    """A clip cut a little differently, so that nothing is learnt from where the cut falls, and augmented."""
    before, after = draw.uniform(*MARGINS_SECONDS, 2)
    cut = samples[speech.span(margins=(before, after))]
    cut = cut if len(cut) >= MIN_SAMPLES else samples[speech.span()]
    return recipe.training.augmentation(cut, recipe.sample_rate, draw)


@torch.inference_mode()
def _frames(module: torch.nn.Module, samples: np.ndarray) -> np.ndarray:
    batch = torch.from_numpy(np.ascontiguousarray(samples, np.float32))[None]
    frames, lengths = module(batch, torch.tensor([batch.shape[1]]))
    return frames[0, : lengths[0]].numpy()


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


def _key(files: Sequence[Path], recipe: Recipe, clip_seconds: float | None, copies: int) -> str:
    here = Path(__file__).parents[1]
    code = [here / name for name in KEYED_CODE] + [here / "models" / "recipes" / f"{recipe.name}.py"]
    digest = hashlib.sha256(repr((clip_seconds, copies, recipe.training.augmentation)).encode())
    for path in [*code, *files]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{recipe.name}-{digest.hexdigest()[:20]}"
