"""The contract of a corpus: what it is, under which licence, how its folder is read, and how corpora are found.

A corpus is one file in ``ser/corpora`` ending in ``CORPUS``; adding the file is the only edit. ``scan(root)`` turns a
folder laid out as published into utterances.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ser.core.download import download, extract_zip
from ser.core.errors import CorpusError

SUFFIXES = (".wav", ".flac", ".mp3")
log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """One recording of one speaker.

    Attributes:
        path: the file.
        corpus: name of its corpus.
        speaker: unique within the corpus, or within the population where it has one.
        native_label: the emotion in the corpus's own words.
        sex: ``female`` or ``male`` where known.
        age: in years where known.
        race: as the corpus states it.
        sentence: which sentence is spoken.
        intensity: one of ``ser.core.labels.INTENSITIES``, or None.
        repetition: which take.
        soft_labels: canonical emotion -> share of the listeners who heard it, where listeners were asked.
        population: names the people recorded, where two corpora share them; None is the corpus itself.
    """

    path: Path
    corpus: str
    speaker: str
    native_label: str
    sex: str | None = None
    age: int | None = None
    race: str | None = None
    sentence: str | None = None
    intensity: str | None = None
    repetition: str | None = None
    soft_labels: Mapping[str, float] | None = None
    population: str | None = None


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A file that the corpus is published as; ``bytes`` is its size."""

    url: str
    file: str
    md5: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """What a corpus is.

    Attributes:
        name: the file's name.
        title: for people.
        licence: short name.
        commercial_use: whether the licence allows it.
        citation: whom to cite.
        link: where it is published.
        labels: native label -> canonical emotion.
        tree: the folder's expected layout, for people.
        archives: what to download; empty where that has to be done by hand.
        known_bad: file name without ending -> why it is skipped.
        left_out: native label -> why no canonical emotion is meant by it; its clips are skipped.
        scan: ``scan(root)`` returns the utterances of a folder, sorted by path.
    """

    name: str
    title: str
    licence: str
    commercial_use: bool
    citation: str
    link: str
    labels: Mapping[str, str]
    tree: str
    archives: tuple[Archive, ...]
    known_bad: Mapping[str, str]
    scan: Callable[[Path], list[Utterance]]
    left_out: Mapping[str, str] = field(default_factory=dict)


@cache
def find_corpora() -> dict[str, Corpus]:
    """Returns every corpus by name, found by scanning ``ser/corpora``."""
    package = importlib.import_module("ser.data.corpora")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    found = [importlib.import_module(f"ser.data.corpora.{name}").CORPUS for name in names]
    return {corpus.name: corpus for corpus in found}


def get_corpus(name: str) -> Corpus:
    """Returns one corpus.

    Raises:
        CorpusError: no corpus has that name.
    """
    corpora = find_corpora()
    if name not in corpora:
        raise CorpusError(f"unknown corpus {name!r}; available: {', '.join(corpora)}.", "corpus_unknown")
    return corpora[name]


def corpus_root(corpus: Corpus, corpora: Path) -> Path:
    """Returns the folder that a corpus has, or would have, among the corpora."""
    return corpora / corpus.name


def read_folder(root: Path, read: Callable[[Path], Utterance | None], *, name: str, tree: str) -> list[Utterance]:
    """Turns every recording under a corpus's folder into an utterance; a ``scan`` is this with the corpus's grammar.

    Args:
        root: the corpus's folder.
        read: reads a file's path; returns None where it is no recording of the corpus, which is then passed over and
            counted in a warning of the log.
        name: the corpus.
        tree: its layout, for people.

    Returns:
        The utterances, sorted by path.

    Raises:
        CorpusError: there is no folder, or no recording of the corpus in it.
    """
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    found = [(path, read(path)) for path in files]
    passed_over = [path.name for path, utterance in found if utterance is None]
    if len(passed_over) == len(files):
        what = f"{len(files)} recordings with other names" if files else "no recordings" if root.exists() else "nothing"
        raise CorpusError(
            f"{root} holds {what}; expected {tree}. Name the folder with --root, or leave --root out to download "
            f"{name} where that is possible (data/README.md)."
        )
    if passed_over:
        log.warning("%s: %d files passed over, e.g. %s", root, len(passed_over), ", ".join(passed_over[:3]))
    return [utterance for _, utterance in found if utterance is not None]


def without_copies(utterances: list[Utterance], root: Path) -> list[Utterance]:
    """Keeps the first of the recordings that have the same speaker, sentence, emotion, intensity and repetition.

    A corpus that was unpacked twice into one folder would otherwise count twice. What is left out is counted in a
    warning of the log.
    """
    first: dict[tuple, Utterance] = {}
    for one in utterances:
        first.setdefault((one.speaker, one.sentence, one.native_label, one.intensity, one.repetition), one)
    if copies := len(utterances) - len(first):
        log.warning("%s: %d files are further copies of recordings that are there already", root, copies)
    return list(first.values())


def fetch(corpus: Corpus, corpora: Path, *, mirror: str | None = None, on_progress: Progress | None = None) -> Path:
    """Downloads a corpus, checks it and unpacks it; what is already there is not fetched again.

    Args:
        corpus: what to fetch.
        corpora: folder that holds one folder per corpus.
        mirror: address of a folder that holds the archives under their own names.
        on_progress: called with (bytes done, bytes in all) of each archive.

    Returns:
        The corpus's folder.

    Raises:
        CorpusError: the corpus cannot be downloaded by a program.
        DownloadError: the right bytes could not be had.
    """
    if not corpus.archives:
        raise CorpusError(f"{corpus.title} has to be fetched by hand from {corpus.link}; see data/README.md.")
    folder = corpus_root(corpus, corpora)
    for archive in corpus.archives:
        url = archive.url if mirror is None else f"{mirror.rstrip('/')}/{archive.file}"
        target = corpora / "downloads" / archive.file
        file = download(url, target, md5=archive.md5, size=archive.bytes, on_progress=on_progress)
        extract_zip(file, folder)
    return folder
