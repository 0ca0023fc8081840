"""Reads a user's own recordings: a folder and a CSV (the manifest) of their emotions and speakers -> utterances.

``read_speakers`` reads the speakers alone, of recordings whose emotions are unknown.

The CSV has a header with the columns ``path`` (relative to the folder) and ``emotion``, and may have ``speaker``; other
columns are ignored. Variants that spreadsheet programs write are accepted: a byte order mark, Windows line ends,
UTF-16, semicolons or tabs between the fields. Whether the recordings exist is not checked here.
"""

from __future__ import annotations

import csv
import io
import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from ser.core.errors import CorpusError
from ser.core.labels import EMOTIONS, read_emotion
from ser.data.corpus import Corpus, Utterance

CORPUS = "files"  # in place of the name of a published corpus
REQUIRED, OPTIONAL = ("path", "emotion"), ("speaker",)
DELIMITERS = ",;\t"

Row = tuple[int, dict[str, str]]  # line number, column -> text


def read_manifest(folder: Path, manifest: Path) -> list[Utterance]:
    """Reads a CSV of recordings and their emotions.

    Args:
        folder: what the paths in the CSV are relative to; backslashes in them are accepted.
        manifest: the CSV.

    Returns:
        One utterance per line, in the order of the CSV, of the corpus ``files``; ``native_label`` is the canonical
        name of the emotion, ``speaker`` is empty where the CSV has no such column.

    Raises:
        CorpusError: the folder or the CSV cannot be read, the CSV has no header or no line, or a line is incomplete,
            has an unknown emotion, or repeats a recording; code ``listing_invalid``.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder} is not a folder; name the one that the paths in {manifest} are relative to.")
    found: list[Utterance] = []
    lines: dict[str, int] = {}
    for line, row in _rows(manifest, REQUIRED, OPTIONAL):
        utterance = _utterance(folder, manifest, line, row)
        key = path_key(utterance.path)
        if key in lines:
            raise _wrong(
                manifest, line, f"names {row['path']!r} again (first in line {lines[key]}); delete one of the two."
            )
        lines[key] = line
        found.append(utterance)
    if not found:
        raise CorpusError(f"{manifest} has a header but no lines; add one line per recording.", "listing_invalid")
    return found


def read_speakers(manifest: Path, folders: Sequence[Path]) -> dict[str, str]:
    """Reads a CSV of recordings and their speakers, with the columns ``path`` and ``speaker``.

    Args:
        manifest: the CSV; other columns, such as ``emotion``, are ignored.
        folders: what the paths in it may be relative to, tried in this order.

    Returns:
        ``path_key`` of each recording that exists -> its speaker.

    Raises:
        CorpusError: the CSV cannot be read, has no header, or a line is incomplete or gives a recording a second
            speaker; code ``listing_invalid``.
    """
    found: dict[str, str] = {}
    for line, row in _rows(manifest, ("path", "speaker")):
        _check_row(manifest, line, row)
        paths = (_locate(folder, row["path"]) for folder in folders)
        path = next((path for path in paths if path.exists()), None)
        if path is not None and found.setdefault(path_key(path), row["speaker"]) != row["speaker"]:
            raise _wrong(
                manifest, line, f"gives {row['path']!r} the speaker {row['speaker']!r}, an earlier line another one."
            )
    return found


def path_key(path: Path) -> str:
    """Returns the same text for every spelling of a path; links are not followed."""
    return os.path.normcase(os.path.abspath(path))


def manifest_corpus(manifest: Path) -> Corpus:
    """Returns a corpus whose ``scan(folder)`` reads a CSV, so that own recordings can be used like any corpus."""
    return Corpus(
        name=CORPUS,
        title="own recordings",
        licence="that of the recordings",
        commercial_use=False,
        citation="none",
        link="",
        labels={emotion: emotion for emotion in EMOTIONS},
        tree="the recordings that the CSV names",
        archives=(),
        known_bad={},
        scan=lambda folder: read_manifest(folder, manifest),
    )


def _utterance(folder: Path, manifest: Path, line: int, row: dict[str, str]) -> Utterance:
    _check_row(manifest, line, row, OPTIONAL)
    emotion = read_emotion(row["emotion"])
    if emotion is None:
        raise _wrong(
            manifest,
            line,
            f"has the unknown emotion {row['emotion']!r}; write one of {', '.join(EMOTIONS)} or delete it.",
        )
    speaker = row.get("speaker", "")
    return Utterance(path=_locate(folder, row["path"]), corpus=CORPUS, speaker=speaker, native_label=emotion)


def _check_row(manifest: Path, line: int, row: dict[str, str], optional: Sequence[str] = ()) -> None:
    if empty := [name for name, text in row.items() if not text]:
        part = "column" if empty[0] in optional else "line"
        raise _wrong(manifest, line, f"has no {empty[0]}; fill it in or delete the {part}.")
    if "\0" in row["path"]:
        raise _wrong(manifest, line, "contains a zero byte; save the file again as 'CSV UTF-8'.")


def _locate(folder: Path, text: str) -> Path:
    """Finds the file of a path: backslashes may be separators, accents may be composed (NFC) or not (NFD)."""
    spellings = [text, text.replace("\\", "/")]
    paths = [folder / unicodedata.normalize(form, spelling) for spelling in spellings for form in ("NFC", "NFD")]
    return next((path for path in (folder / text, *paths) if path.exists()), folder / spellings[-1])


def _rows(manifest: Path, required: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Row]:
    """Yields every line that is not blank, with its number and the required and optional columns."""
    text = _read(manifest)
    delimiter = max(DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    read = 1  # lines; a field with an open quotation mark runs on to the file's end, its own line is the next one
    try:
        header = _header(manifest, required, next(reader, []))
        for fields in reader:
            if any(field.strip() for field in fields):
                row = _columns(manifest, reader.line_num, header, fields)
                yield reader.line_num, {name: row[name] for name in (*required, *optional) if name in row}
            read = reader.line_num
    except csv.Error as error:
        raise _wrong(manifest, read + 1, f"is not valid CSV ({error}); check its quotation marks.") from error


def _read(manifest: Path) -> str:
    try:
        content = manifest.read_bytes()
    except OSError as error:
        raise CorpusError(f"{manifest} cannot be read: {error.strerror or error}.", "listing_invalid") from error
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _wrong(manifest, line, "is not UTF-8; save the file again as 'CSV UTF-8'.") from error


def _header(manifest: Path, required: Sequence[str], fields: list[str]) -> list[str]:
    names = [field.strip().lower() for field in fields]
    if missing := [name for name in required if names.count(name) != 1]:
        found = f"{', '.join(map(repr, fields))}" if fields else "nothing"
        raise _wrong(
            manifest, 1, f"is {found}; expected a header with {' and '.join(missing)}, such as path,emotion,speaker."
        )
    return names


def _columns(manifest: Path, line: int, header: list[str], fields: list[str]) -> dict[str, str]:
    if len(fields) != len(header):
        raise _wrong(
            manifest,
            line,
            f"has {len(fields)} fields, the header {len(header)}; put a path with a comma in quotation marks.",
        )
    return dict(zip(header, (field.strip() for field in fields), strict=True))


def _wrong(manifest: Path, line: int, what: str) -> CorpusError:
    return CorpusError(f"{manifest}, line {line}: it {what}", "listing_invalid")
