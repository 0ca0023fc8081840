"""Manifests: CSV lists of own recordings with emotions and speakers."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from ser.core.errors import CorpusError
from ser.core.labels import EMOTIONS, SYNONYMS, read_emotion
from ser.data.manifest import path_key, read_manifest, read_speakers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in ("a.wav", "b.wav", "sub/c.wav"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def manifest(folder: Path, content: str | bytes) -> Path:
    file = folder / "labels.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_paths_emotions_and_speakers_are_read_in_order(folder):
    csv = manifest(folder, "path,emotion,speaker,note\nsub/c.wav,sad,anna,x\na.wav,Happiness,ben,\n")
    found = read_manifest(folder, csv)
    assert [one.path for one in found] == [folder / "sub" / "c.wav", folder / "a.wav"]
    assert [(one.native_label, one.speaker, one.corpus) for one in found] == [
        ("sad", "anna", "files"),
        ("happy", "ben", "files"),
    ]


def test_without_a_speaker_column_speakers_are_unknown(folder):
    assert [one.speaker for one in read_manifest(folder, manifest(folder, "path,emotion\na.wav,sad\n"))] == [""]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfpath,emotion\r\nsub\\c.wav,sad\r\na.wav,angry\r\n",
        b"path;emotion\nsub/c.wav;sad\n\n;\na.wav;angry",
        b"Emotion\tPath\nsad\tsub\\c.wav\nangry\ta.wav\n",
        'path, emotion\r"sub/c.wav", " SAD "\ra.wav,Anger\r'.encode("utf-16"),
        b'"path","emotion"\n"sub/c.wav","sad"\n./a.wav,angry\n',
    ],
    ids=["windows", "semicolons", "tabs", "utf-16", "quoted"],
)
def test_csv_variants_written_by_spreadsheets_are_read(folder, content):
    found = read_manifest(folder, manifest(folder, content))
    assert [(one.path.resolve(), one.native_label) for one in found] == [
        (folder / "sub" / "c.wav", "sad"),
        (folder / "a.wav", "angry"),
    ]


def test_file_names_match_in_composed_and_decomposed_unicode(folder):
    name = unicodedata.normalize("NFD", "café, größe.wav")
    (folder / name).write_bytes(b"")
    csv = manifest(folder, unicodedata.normalize("NFC", 'path,emotion\n"café, größe.wav",sad\n'))
    assert read_manifest(folder, csv)[0].path == folder / name


def test_a_missing_recording_is_not_an_error_of_the_manifest(folder):
    (only,) = read_manifest(folder, manifest(folder, "path,emotion\nno\\where.wav,sad\n"))
    assert only.path == folder / "no/where.wav"


@pytest.mark.parametrize(
    ("content", "line", "remedy"),
    [
        (b"", 1, "expected a header with path and emotion"),
        (b"a.wav,sad\nb.wav,sad\n", 1, "expected a header"),
        (b"file,emotion\na.wav,sad\n", 1, "'file', 'emotion'; expected a header with path"),
        (b"path,emotion,path\na.wav,sad,b.wav\n", 1, "expected a header with path"),
        (b"path,emotion\na.wav,sad\nb.wav,grumpy\n", 3, "'grumpy'; write one of angry"),
        (b"path,emotion\na.wav,sad\n\nb.wav,\n", 4, "no emotion; fill it in or delete the line"),
        (b"path,emotion,speaker\na.wav,sad,\n", 2, "no speaker; fill it in or delete the column"),
        (b"path,emotion\n,sad\n", 2, "no path"),
        (b"path,emotion\na.wav,sad\n.\\b.wav,sad\nb.wav,sad\n", 4, "again .first in line 3"),
        (b"path,emotion\na, b.wav,sad\n", 2, "3 fields, the header 2; put a path"),
        (b"path,emotion\na.wav\n", 2, "1 fields"),
        ("path,emotion\na.wav,sad\ncafé.wav,sad\n".encode("latin-1"), 3, "not UTF-8; save"),
        ("path,emotion\na.wav,sad\n".encode("utf-16-le"), 1, "header"),
        (b"path,emotion\na\0.wav,sad\n", 2, "zero byte"),
        (b'path,emotion\na.wav,sad\n"b.wav,sad\nsub/c.wav,sad\n', 3, "quotation marks"),
    ],
)
def test_an_invalid_line_is_named_with_a_remedy(folder, content, line, remedy):
    with pytest.raises(CorpusError, match=rf"labels\.csv, line {line}: .*{remedy}") as caught:
        read_manifest(folder, manifest(folder, content))
    assert caught.value.code == "listing_invalid" and caught.value.exit_code == 3


def test_an_empty_or_missing_manifest_is_explained(folder):
    with pytest.raises(CorpusError, match="no lines"):
        read_manifest(folder, manifest(folder, "path,emotion\n"))
    with pytest.raises(CorpusError, match="cannot be read"):
        read_manifest(folder, folder / "none.csv")
    with pytest.raises(CorpusError, match="not a folder"):
        read_manifest(folder / "none", manifest(folder, "path,emotion\na.wav,sad\n"))


def test_every_accepted_word_maps_to_one_known_emotion():
    words = [word for emotion in EMOTIONS for word in (emotion, *SYNONYMS[emotion])]
    assert len(set(words)) == len(words) and tuple(SYNONYMS) == EMOTIONS
    assert {read_emotion(f" {emotion.title()} ") for emotion in EMOTIONS} == set(EMOTIONS)
    assert read_emotion("fear") == "fearful" and read_emotion("joyless") is None


def test_speakers_are_read_with_or_without_emotions(folder):
    a, b, c = (path_key(folder / name) for name in ("a.wav", "b.wav", "sub/c.wav"))
    short = manifest(folder, "speaker;path\nanna;a.wav\nben;sub\\c.wav\nben;nowhere.wav\nanna;./a.wav\n")
    assert read_speakers(short, [folder]) == {a: "anna", c: "ben"}
    full = manifest(folder, "path,emotion,speaker\nb.wav,,anna\n")
    assert read_speakers(full, [folder / "sub", folder]) == {b: "anna"}
    near = manifest(folder, f"path,speaker\nc.wav,ben\n{folder / 'b.wav'},anna\n")
    assert read_speakers(near, [folder, folder / "sub"]) == {c: "ben", b: "anna"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path,emotion\na.wav,sad\n", "line 1: .* expected a header with speaker"),
        ("path,speaker\na.wav,\n", "line 2: it has no speaker; fill it in or delete the line"),
        ("path,speaker\na.wav,anna\nb.wav,ben\n./a.wav,ben\n", "line 4: it gives './a.wav' the speaker 'ben'"),
        ("path,speaker\na.wav,anna,x\n", "line 2: it has 3 fields"),
    ],
)
def test_mistakes_in_a_list_of_speakers_are_explained(folder, content, message):
    with pytest.raises(CorpusError, match=message) as caught:
        read_speakers(manifest(folder, content), [folder])
    assert caught.value.code == "listing_invalid"
