"""Loads corpora into labelled clips with their frames, ready to be split and trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ser.core.errors import CorpusError, ModelError
from ser.core.labels import relabel
from ser.data.corpus import Corpus, Utterance
from ser.data.feature_cache import Progress, load_frames
from ser.data.frame_tensors import FrameBank
from ser.data.frame_view import join, subset
from ser.models.recipe import Recipe, get_recipe


@dataclass(frozen=True)
class Unlabelled:
    """A corpus used without its labels: its frames for the recipe, and for the recipe's teacher."""

    corpus: Corpus
    utterances: list[Utterance]
    bank: FrameBank
    teacher_bank: FrameBank


@dataclass(frozen=True)
class Data:
    """Labelled clips and their frames, ready to train on.

    Attributes:
        corpora: where the clips are from.
        utterances: the clips.
        targets: one of ``labels`` per utterance.
        labels: the classes.
        bank: the frames of every utterance.
        teacher_bank: the frames for the recipe's teacher; None where it has no teacher.
        unlabelled: recordings without labels, for distillation only.
    """

    corpora: tuple[Corpus, ...]
    utterances: list[Utterance]
    targets: list[str]
    labels: tuple[str, ...]
    bank: FrameBank
    teacher_bank: FrameBank | None = None
    unlabelled: tuple[Unlabelled, ...] = ()

    @property
    def name(self) -> str:
        """The corpora's names, joined."""
        return "+".join(corpus.name for corpus in self.corpora)

    @property
    def title(self) -> str:
        """The corpora's titles, for people."""
        return " + ".join(corpus.title for corpus in self.corpora)

    @property
    def licence(self) -> str:
        """The corpora's licences, all of which apply to a model trained on them."""
        return "; ".join(dict.fromkeys(corpus.licence for corpus in self.corpora))


def load_data(
    recipe: Recipe,
    sources: Sequence[tuple[Corpus, Path]],
    *,
    labels: tuple[str, ...] | None,
    clip_seconds: float | None,
    cache: Path,
    unlabelled: Sequence[tuple[Corpus, Path]] = (),
    on_progress: Progress | None = None,
) -> Data:
    """Scans corpora, labels their clips and computes their frames or reads them from the cache.

    Args:
        recipe: whose labels and features to use.
        sources: corpora and their folders.
        labels: another label set than the recipe's own, or None.
        clip_seconds: see ``Recipe.clip_seconds``.
        cache: folder of the cache.
        unlabelled: corpora for distillation only, and their folders.
        on_progress: called with (files done, files in all).

    Raises:
        CorpusError: a folder is not laid out as published, no clip has one of the labels, or a corpus is named both
            with and without labels.
        ModelError: there are unlabelled corpora and the recipe has no teacher.
        AudioError: a file cannot be read.
    """
    _check_unlabelled(recipe, sources, unlabelled)
    every = [corpus.scan(root) for corpus, root in sources]
    pairs = [label_utterances(recipe, corpus, own, labels) for (corpus, _), own in zip(sources, every, strict=True)]
    labelled = [pair for own in pairs for pair in own]
    utterances, targets = [utterance for utterance, _ in labelled], [label for _, label in labelled]
    known = all(corpus.name in recipe.corpora for corpus, _ in sources)
    found = tuple(label for label in labels or recipe.labels if known or label in targets)
    banks = [_banks(recipe, own, clip_seconds, cache, on_progress) for own in every]
    chosen = [_positions(own, [one for one, _ in kept]) for own, kept in zip(every, pairs, strict=True)]
    bank = join([subset(own, clips) for (own, _), clips in zip(banks, chosen, strict=True)])
    teacher_bank = None
    if recipe.teacher:
        teacher_bank = join([subset(own, clips) for (_, own), clips in zip(banks, chosen, strict=True)])
    spare = [(corpus, corpus.scan(root)) for corpus, root in unlabelled]
    without_labels = tuple(
        Unlabelled(corpus, own, *_banks(recipe, own, clip_seconds, cache, on_progress)) for corpus, own in spare
    )
    corpora = tuple(corpus for corpus, _ in sources)
    return Data(corpora, utterances, targets, found, bank, teacher_bank, without_labels)


def _check_unlabelled(
    recipe: Recipe, sources: Sequence[tuple[Corpus, Path]], unlabelled: Sequence[tuple[Corpus, Path]]
) -> None:
    if unlabelled and recipe.teacher is None:
        raise ModelError(f"{recipe.name} has no teacher, so it cannot use recordings without labels.")
    if both := {corpus.name for corpus, _ in sources} & {corpus.name for corpus, _ in unlabelled}:
        raise CorpusError(
            f"{', '.join(both)}: use it either with or without labels; its clips would be trained on twice."
        )


def _banks(
    recipe: Recipe,
    utterances: Sequence[Utterance],
    clip_seconds: float | None,
    cache: Path,
    on_progress: Progress | None,
) -> tuple[FrameBank, FrameBank | None]:
    """The frames of a whole corpus for the recipe and for its teacher; the cache does not depend on the labels."""
    files = [utterance.path for utterance in utterances]
    copies = recipe.training.copies
    bank = load_frames(files, recipe, clip_seconds=clip_seconds, copies=copies, cache=cache, on_progress=on_progress)
    if recipe.teacher is None:
        return bank, None
    teacher = get_recipe(recipe.teacher)
    copies = teacher.training.copies  # as when the teacher is trained itself, so that the cache is shared
    return bank, load_frames(files, teacher, clip_seconds=None, copies=copies, cache=cache, on_progress=on_progress)


def _positions(utterances: Sequence[Utterance], chosen: Sequence[Utterance]) -> list[int]:
    places = {utterance.path: place for place, utterance in enumerate(utterances)}
    return [places[utterance.path] for utterance in chosen]


def label_utterances(
    recipe: Recipe, corpus: Corpus, utterances: Sequence[Utterance], labels: tuple[str, ...] | None
) -> list[tuple[Utterance, str]]:
    """Gives every utterance its label and drops those that have none.

    Args:
        recipe: whose mapping to use; for a corpus without a mapping, its labels.
        corpus: where the utterances are from.
        utterances: what the corpus holds.
        labels: another label set than the recipe's own, or None.

    Raises:
        CorpusError: no utterance has a label.
    """
    if labels is None and corpus.name in recipe.corpora:
        mapping = recipe.corpora[corpus.name]
    else:
        mapping = {native: relabel(emotion, labels or recipe.labels) for native, emotion in corpus.labels.items()}
    kept = [(utterance, label) for utterance in utterances if (label := mapping.get(utterance.native_label))]
    if not kept:
        raise CorpusError(f"No clip of {corpus.name} has one of the labels {', '.join(labels or recipe.labels)}.")
    return kept
