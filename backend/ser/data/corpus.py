"""Defines a corpus, its licence and how its folder is read, finds all corpora, and downloads them.

A corpus is one file in ``ser/data/corpora`` that defines ``CORPUS``; adding the file is the only edit. ``scan(root)``
turns a folder laid out as published into utterances.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Callable, Iterable, Mapping
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
        native_label: the emotion as the corpus names it.
        sex: ``female`` or ``male`` where known.
        age: in years where known.
        race: as the corpus states it.
        sentence: which sentence is spoken.
        intensity: one of ``ser.core.labels.INTENSITIES``, or None.
        repetition: which take.
        soft_labels: canonical emotion -> share of the listeners' votes, where the corpus has votes.
        population: name of the group of speakers, where two corpora share it; None is the corpus itself.
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
    """A published archive of the corpus; ``bytes`` is its size."""

    url: str
    file: str
    md5: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A corpus: its metadata and how to read it.

    Attributes:
        name: the file's name.
        title: for people.
        licence: short name.
        commercial_use: whether the licence allows it.
        citation: all authors, year, title and publication.
        link: where it is published.
        labels: native label -> canonical emotion.
        tree: the folder's expected layout, for people.
        archives: what to download; empty where it has to be downloaded by hand.
        known_bad: file name without ending -> why it is skipped.
        left_out: native label without a canonical emotion -> why; its clips are skipped.
        scan: ``scan(root)`` returns the utterances of a folder, sorted by path.
        licence_links: the texts of the licence; empty where none is published.
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
    licence_links: tuple[str, ...] = ()

    @property
    def attribution(self) -> str:
        """The notice that belongs beside everything made from the corpus: title, authors, link and licence."""
        licence = f"{self.licence} ({', '.join(self.licence_links)})" if self.licence_links else self.licence
        return f"{self.title}: {self.citation}. {self.link}. Licence: {licence}."


@cache
def find_corpora() -> dict[str, Corpus]:
    """Returns every corpus by name, found by scanning ``ser/data/corpora``."""
    package = importlib.import_module("ser.data.corpora")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    found = [importlib.import_module(f"ser.data.corpora.{name}").CORPUS for name in names]
    return {corpus.name: corpus for corpus in found}


def allow_commercial_use(names: Iterable[str]) -> bool:
    """Whether the licences of all corpora allow commercial use of what is trained on them; unknown ones do not."""
    corpora = find_corpora()
    return all(name in corpora and corpora[name].commercial_use for name in names)


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
    """Turns every recording under a corpus's folder into an utterance; every ``scan`` uses it with its own ``read``.

    Args:
        root: the corpus's folder.
        read: reads a file's path; returns None where it is not a recording of the corpus, which is then skipped and
            counted in a warning.
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
            f"{root} contains {what}; expected {tree}. Name the folder with --root, or omit --root to download {name} "
            "where that is possible (data/README.md)."
        )
    if passed_over:
        log.warning(
            "%s: skipped %d files that are not part of the corpus, e.g. %s",
            root,
            len(passed_over),
            ", ".join(passed_over[:3]),
        )
    return [utterance for _, utterance in found if utterance is not None]


def without_copies(utterances: list[Utterance], root: Path) -> list[Utterance]:
    """Keeps the first of the recordings that have the same speaker, sentence, emotion, intensity and repetition.

    A corpus that was unpacked twice into one folder would otherwise count twice. Skipped copies are counted in a
    warning.
    """
    first: dict[tuple, Utterance] = {}
    for one in utterances:
        first.setdefault((one.speaker, one.sentence, one.native_label, one.intensity, one.repetition), one)
    if copies := len(utterances) - len(first):
        log.warning("%s: skipped %d files that are copies of other recordings", root, copies)
    return list(first.values())


def fetch(corpus: Corpus, corpora: Path, *, mirror: str | None = None, on_progress: Progress | None = None) -> Path:
    """Downloads a corpus, verifies it and unpacks it; existing files are not downloaded again.

    Args:
        corpus: what to download.
        corpora: folder that holds one folder per corpus.
        mirror: URL of a folder with the archives under their own names.
        on_progress: called with (bytes done, bytes in all) of each archive.

    Returns:
        The corpus's folder.

    Raises:
        CorpusError: the corpus has to be downloaded by hand.
        DownloadError: a download failed or has the wrong checksum.
    """
    if not corpus.archives:
        raise CorpusError(f"{corpus.title} has to be downloaded by hand from {corpus.link}; see data/README.md.")
    folder = corpus_root(corpus, corpora)
    for archive in corpus.archives:
        url = archive.url if mirror is None else f"{mirror.rstrip('/')}/{archive.file}"
        target = corpora / "downloads" / archive.file
        file = download(url, target, md5=archive.md5, size=archive.bytes, on_progress=on_progress)
        extract_zip(file, folder)
    return folder
