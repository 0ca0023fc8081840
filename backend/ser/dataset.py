"""Owns the way from utterances to a ``FrameBank``: decoded, augmented, turned into frames once, and cached on disk.

The cache is keyed by the content of every file, the features' settings and the code that makes them, so that it can
never be stale. Making a bank uses one process per core; a second run starts at once.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ser.audio import decode, resample
from ser.corpus import Corpus, Utterance
from ser.errors import AudioError, CorpusError
from ser.files import write_atomically
from ser.labels import relabel
from ser.recipe import Recipe, get_recipe
from ser.speech import find_speech

KEYED_CODE = ("audio.py", "speech.py", "features.py", "augment.py", "dataset.py")
CHUNK_FILES = 16  # files handed to a process at a time

Progress = Callable[[int, int], None]  # done, total


@dataclass(frozen=True)
class FrameBank:
    """The frames of many clips, one after the other; clip i has ``copies`` entries, the original first.

    Attributes:
        frames: float32 (total frames, dims).
        offsets: int64 (clips * copies + 1,): where each entry begins.
        copies: entries per clip.
        speech: bool (clips,): whether the clip holds any speech.
    """

    frames: Tensor
    offsets: Tensor
    copies: int
    speech: Tensor

    def __len__(self) -> int:
        return len(self.speech)

    def entry(self, clip: int, copy: int = 0) -> Tensor:
        """Returns (frames, dims) of one copy of a clip; copy 0 is the original."""
        index = clip * self.copies + copy
        return self.frames[self.offsets[index] : self.offsets[index + 1]]

    def batch(self, clips: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Returns the originals as frames (batch, frames, dims) padded with zeros, and lengths (batch,)."""
        return pad([self.entry(clip) for clip in clips])


def pad(entries: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Returns frames (batch, frames, dims) padded with zeros, and lengths (batch,)."""
    lengths = torch.tensor([len(entry) for entry in entries])
    return torch.nn.utils.rnn.pad_sequence(list(entries), batch_first=True), lengths


def label_utterances(
    recipe: Recipe, corpus: Corpus, utterances: Sequence[Utterance], labels: tuple[str, ...] | None
) -> tuple[list[Utterance], list[str]]:
    """Gives every utterance its label and drops those that have none.

    Args:
        recipe: whose mapping to use.
        corpus: where the utterances are from.
        utterances: what the corpus holds.
        labels: another label set than the recipe's own, or None.

    Raises:
        CorpusError: the recipe says nothing about the corpus, or no utterance is left.
    """
    if labels is None and corpus.name not in recipe.corpora:
        raise CorpusError(
            f"The recipe {recipe.name} has no labels for the corpus {corpus.name}; it knows "
            f"{', '.join(recipe.corpora)}. Name a label set with --labels."
        )
    if labels is None:
        mapping = recipe.corpora[corpus.name]
    else:
        mapping = {native: relabel(emotion, labels) for native, emotion in corpus.labels.items()}
    kept = [(utterance, label) for utterance in utterances if (label := mapping.get(utterance.native_label))]
    if not kept:
        raise CorpusError(f"No clip of {corpus.name} has one of the labels {', '.join(labels or recipe.labels)}.")
    return [utterance for utterance, _ in kept], [label for _, label in kept]


def build_bank(
    utterances: Sequence[Utterance],
    recipe: Recipe,
    *,
    clip_seconds: float | None,
    copies: int,
    cache: Path,
    on_progress: Progress | None = None,
) -> FrameBank:
    """Returns the frames of every utterance, in order, from the cache where they are there.

    Args:
        utterances: what to read.
        recipe: whose features and augmentation to use.
        clip_seconds: see ``Recipe.clip_seconds``.
        copies: changed copies per clip beside the original.
        cache: folder of the cache.
        on_progress: called with (files done, files in all).

    Raises:
        AudioError: a file cannot be read; the message names it.
    """
    file = cache / f"{_key(utterances, recipe, clip_seconds, copies)}.safetensors"
    if not file.exists():
        jobs = [(str(u.path), recipe.name, clip_seconds, copies) for u in utterances]
        tensors = _pack(_run(jobs, on_progress))
        write_atomically(file, lambda part: save_file(tensors, part))
    tensors = load_file(file)
    return FrameBank(tensors["frames"], tensors["offsets"], 1 + copies, tensors["speech"])


@dataclass(frozen=True)
class Data:
    """Labelled clips and their frames, ready to train on; ``targets`` holds one of ``labels`` per utterance."""

    corpus: Corpus
    utterances: list[Utterance]
    targets: list[str]
    labels: tuple[str, ...]
    bank: FrameBank


def load_data(
    recipe: Recipe,
    corpus: Corpus,
    root: Path,
    *,
    labels: tuple[str, ...] | None,
    clip_seconds: float | None,
    cache: Path,
    on_progress: Progress | None = None,
) -> Data:
    """Scans a corpus, labels its clips and makes or finds their frames.

    Raises:
        CorpusError: the folder is not laid out as published, or the recipe does not know the corpus.
        AudioError: a file cannot be read.
    """
    utterances, targets = label_utterances(recipe, corpus, corpus.scan(root), labels)
    bank = build_bank(
        utterances,
        recipe,
        clip_seconds=clip_seconds,
        copies=recipe.training.copies,
        cache=cache,
        on_progress=on_progress,
    )
    return Data(corpus, utterances, targets, labels or recipe.labels, bank)


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
    samples = samples[speech.span()]
    seed = int.from_bytes(hashlib.sha256(samples.tobytes()).digest()[:8], "little")
    change = recipe.training.augmentation
    clips = [samples]
    clips += [change(samples, recipe.sample_rate, np.random.default_rng((seed, copy))) for copy in range(copies)]
    module = recipe.features(clip_seconds)
    return [_frames(module, clip) for clip in clips], bool(speech.active.any())


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
        "frames": torch.from_numpy(np.concatenate(entries)),
        "offsets": torch.from_numpy(lengths.cumsum()),
        "speech": torch.tensor(speech),
    }


def _key(utterances: Sequence[Utterance], recipe: Recipe, clip_seconds: float | None, copies: int) -> str:
    here = Path(__file__).parent
    code = [here / name for name in KEYED_CODE] + [here / "recipes" / f"{recipe.name}.py"]
    digest = hashlib.sha256(repr((clip_seconds, copies, recipe.training.augmentation)).encode())
    for path in [*code, *(utterance.path for utterance in utterances)]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{recipe.name}-{digest.hexdigest()[:20]}"
