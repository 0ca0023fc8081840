"""The contract of all corpora, and each corpus on a synthetic folder with real file names."""

from __future__ import annotations

import hashlib
import importlib
import logging
import shutil
import threading
import zipfile
from collections import Counter
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser.core.errors import CorpusError, DownloadError
from ser.core.labels import EMOTIONS
from ser.core.settings import PROJECT
from ser.data.corpus import Archive, allow_commercial_use, corpus_root, fetch, find_corpora, get_corpus

NOISE = np.random.default_rng(0).normal(0, 0.1, (800, 2))

# corpus -> real file names, with every native label and every file known to be bad, and none of LEFT_OUT
TREES = {
    "ravdess": [
        *(
            f"Actor_{actor:02d}/03-01-{emotion:02d}-01-02-01-{actor:02d}.wav"
            for actor in (1, 7)
            for emotion in range(1, 9)
        ),
        "Actor_24/03-01-08-02-02-02-24.flac",
        "Actor_07/03-01-03-01-02-02-07.wav",
    ],
    "ravdess-song": [
        *(f"Actor_01/03-02-{emotion:02d}-01-02-01-01.wav" for emotion in range(1, 7)),
        "Actor_07/03-02-03-01-02-02-07.wav",  # not the recording of that name that speech has twice
        "Actor_24/03-02-06-02-02-02-24.flac",
    ],
    "crema-d": [
        *(f"AudioWAV/1001_DFA_{emotion}_XX.wav" for emotion in ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")),
        "AudioWAV/1040_ITH_SAD_X.wav",
        "AudioWAV/1002_IEO_HAP_HI.flac",
        "AudioWAV/1076_MTI_SAD_XX.wav",
    ],
    "indian-emospeech": [
        f"help-safe-{emotion}-156299636043{n}-c7b431195e2871a0c0b0825234c1e22bbcde0216.wav"
        for n, emotion in enumerate(("angry", "calm", "fearful", "happy"))
    ],
    "emodb": [
        "wav/03a01Fa.wav",
        "wav/03a01Nc.wav",
        "wav/03a01Wa.wav",
        "wav/03a02Ta.wav",
        "wav/03a04Ad.wav",
        "wav/03b10Ec.wav",
        "wav/08a04Ff.wav",
        "wav/16b10Wb.flac",
    ],
    "nemo": [
        *(f"samples/EB0_{emotion}_1.wav" for emotion in ("anger", "fear", "happiness", "neutral", "sadness")),
        "samples/WR0_surprised_90.flac",
    ],
    "tess": [
        *(f"OAF_back_{emotion}.wav" for emotion in ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")),
        "OA_bite_neutral.wav",
        "OAF_Fear/OAF_bar_fear.wav",
        "YAF_pleasant_surprised/YAF_food_ps.flac",
        "YAF_germ_angry.wav",
        "YAF_neat_fear.wav",
    ],
    "savee": [
        *(f"AudioData/DC/{emotion}01.wav" for emotion in ("a", "d", "f", "h", "n", "sa", "su")),
        "AudioData/JE/n30.wav",
        "ALL/KL_su15.flac",
    ],
}

# corpus -> files of native labels without a canonical emotion
LEFT_OUT = {"emodb": ["wav/03a04Lc.wav", "wav/08b09Lc.wav"]}


@pytest.fixture(params=sorted(find_corpora()))
def corpus(request: pytest.FixtureRequest):
    return find_corpora()[request.param]


@pytest.fixture
def tree(corpus, tmp_path: Path) -> Path:
    """A small folder laid out like the corpus, with readable recordings."""
    for name in TREES[corpus.name]:
        path = tmp_path / corpus.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, NOISE, 48_000, format=path.suffix[1:].upper())
    return tmp_path / corpus.name


def test_every_corpus_states_its_name_and_licence(corpus):
    assert importlib.import_module(f"ser.data.corpora.{corpus.name.replace('-', '_')}").CORPUS is corpus
    for text in (corpus.title, corpus.licence, corpus.citation, corpus.tree):
        assert text.strip()
    assert corpus.link.startswith("https://")
    assert isinstance(corpus.commercial_use, bool)
    assert not (corpus.commercial_use and "NC" in corpus.licence)


def test_the_page_on_data_states_licence_and_authors_of_every_corpus(corpus):
    page = (PROJECT / "data" / "README.md").read_text(encoding="utf-8")
    section = page.partition(f"## `{corpus.name}`\n")[2].partition("\n## ")[0]
    for text in (corpus.licence, *corpus.licence_links, corpus.citation, corpus.link):
        assert text in corpus.attribution and text in section


def test_commercial_use_needs_the_consent_of_every_corpus():
    assert allow_commercial_use(["crema-d"])
    assert not allow_commercial_use(["crema-d", "ravdess"]) and not allow_commercial_use(["crema-d", "files"])


def test_every_native_label_has_a_canonical_emotion(corpus):
    assert corpus.labels and set(corpus.labels.values()) <= set(EMOTIONS)


def test_labels_without_a_canonical_emotion_are_left_out_and_reported(corpus, tree: Path):
    before = corpus.scan(tree)
    for name in LEFT_OUT.get(corpus.name, []):
        (tree / name).touch()
    assert corpus.scan(tree) == before
    assert bool(corpus.left_out) == (corpus.name in LEFT_OUT) and not set(corpus.left_out) & set(corpus.labels)
    section = (PROJECT / "data" / "README.md").read_text(encoding="utf-8").partition(f"## `{corpus.name}`")[2]
    for reason in corpus.left_out.values():
        assert reason in section.partition("\n## ")[0]


def test_every_archive_has_a_checksum(corpus):
    for archive in corpus.archives:
        assert len(bytes.fromhex(archive.md5)) == 16
        assert archive.bytes > 0 and archive.url.startswith("https://") and archive.file in archive.url


def test_every_corpus_is_described_in_the_data_folder(corpus):
    text = (PROJECT / "data" / "README.md").read_text(encoding="utf-8")
    for fact in (f"`{corpus.name}`", corpus.licence, corpus.link, *(archive.file for archive in corpus.archives)):
        assert fact in text


def test_a_folder_is_read(corpus, tree: Path):
    utterances = corpus.scan(tree)
    files = {path for path in tree.rglob("*") if path.is_file()}
    bad = {path for path in files if path.stem in corpus.known_bad}
    assert {utterance.path for utterance in utterances} == files - bad
    assert len(bad) == len(corpus.known_bad)
    assert [utterance.path for utterance in utterances] == sorted(utterance.path for utterance in utterances)
    assert {utterance.native_label for utterance in utterances} == set(corpus.labels)
    assert {utterance.corpus for utterance in utterances} == {corpus.name}
    assert {utterance.sex for utterance in utterances} <= {"female", "male", None}


def test_other_files_are_skipped_and_reported(corpus, tree: Path, caplog: pytest.LogCaptureFixture):
    before = corpus.scan(tree)
    (tree / "notes.txt").touch()
    (tree / "my own recording.wav").touch()
    with caplog.at_level(logging.WARNING):
        assert corpus.scan(tree) == before
    assert "1 files that are not part of the corpus, e.g. my own recording.wav" in caplog.text


@pytest.mark.parametrize(("files", "word"), [([], "no recordings"), (["song.wav"], "1 recordings with other names")])
def test_a_folder_without_the_corpus(corpus, tmp_path: Path, files: list[str], word: str):
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(CorpusError, match=word) as failure:
        corpus.scan(tmp_path)
    assert corpus.tree in str(failure.value) and "--root" in str(failure.value)


def test_a_missing_folder(corpus, tmp_path: Path):
    with pytest.raises(CorpusError, match="contains nothing"):
        corpus.scan(tmp_path / "typo")


def test_an_unknown_corpus_lists_the_known_ones():
    with pytest.raises(CorpusError, match="unknown corpus 'ravdes'; available: .*ravdess"):
        get_corpus("ravdes")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("03-01-05-02-01-01-11.wav", ("11", "angry", "male", "1", "strong", "01")),
        ("03-01-02-01-02-02-12.mp3", ("12", "calm", "female", "2", "normal", "02")),
        ("03-01-01-01-01-01-24.WAV", ("24", "neutral", "female", "1", "normal", "01")),
    ],
)
def test_ravdess_file_name(tmp_path: Path, name: str, expected: tuple[str, ...]):
    (tmp_path / name).touch()
    (found,) = get_corpus("ravdess").scan(tmp_path)
    speaker, label, sex, statement, intensity, repetition = expected
    assert (found.speaker, found.native_label, found.sex, found.intensity) == (speaker, label, sex, intensity)
    assert (found.sentence, found.repetition) == (f"0{statement}", repetition)


@pytest.mark.parametrize(
    "name",
    [
        "03-02-05-02-01-01-11.wav",  # a song
        "01-01-05-02-01-01-11.wav",  # with video
        "03-01-09-02-01-01-11.wav",  # no such emotion
        "03-01-05-02-01-01-25.wav",  # no such actor
        "03-01-05-02-01-01-00.wav",
        "03-01-05-02-01-01-11 (1).wav",
    ],
)
def test_invalid_ravdess_file_name(tmp_path: Path, name: str):
    (tmp_path / name).touch()
    with pytest.raises(CorpusError, match="other names"):
        get_corpus("ravdess").scan(tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("03-02-05-02-01-01-11.wav", ("11", "angry", "male", "01", "strong", "01")),
        ("03-02-02-01-02-02-12.mp3", ("12", "calm", "female", "02", "normal", "02")),
        ("03-02-01-01-01-01-24.wav", ("24", "neutral", "female", "01", "normal", "01")),
    ],
)
def test_ravdess_song_file_name(tmp_path: Path, name: str, expected: tuple[str, ...]):
    (tmp_path / name).touch()
    (found,) = get_corpus("ravdess-song").scan(tmp_path)
    speaker, label, sex, statement, intensity, repetition = expected
    assert (found.speaker, found.native_label, found.sex, found.intensity) == (speaker, label, sex, intensity)
    assert (found.sentence, found.repetition, found.population) == (statement, repetition, "ravdess")


@pytest.mark.parametrize(
    "name",
    [
        "03-01-05-02-01-01-11.wav",  # speech
        "01-02-05-02-01-01-11.wav",  # with video
        "03-02-07-01-01-01-11.wav",  # disgust was not sung
        "03-02-08-01-01-01-11.wav",
        "03-02-05-02-01-01-18.wav",  # actor 18 did not sing
        "03-02-05-02-01-01-25.wav",
    ],
)
def test_invalid_ravdess_song_file_name(tmp_path: Path, name: str):
    (tmp_path / name).touch()
    with pytest.raises(CorpusError, match="other names"):
        get_corpus("ravdess-song").scan(tmp_path)


def test_speech_and_song_have_separate_folders(mirror, small, tmp_path: Path):
    fetch(small, tmp_path / "corpora", mirror=mirror[0])
    path = mirror[1] / "song.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Actor_01/03-02-01-01-01-01-01.wav", b"RIFF")
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    released = Archive(url="https://localhost/song.zip", file="song.zip", md5=md5, bytes=path.stat().st_size)
    song = replace(get_corpus("ravdess-song"), archives=(released,))
    (sung,) = song.scan(fetch(song, tmp_path / "corpora", mirror=mirror[0]))
    (spoken,) = small.scan(corpus_root(small, tmp_path / "corpora"))
    assert sung.path.is_relative_to(tmp_path / "corpora" / "ravdess-song") and sung.speaker == spoken.speaker


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without logging."""

    def log_message(self, *arguments: object) -> None:
        """Logs nothing."""


@pytest.fixture
def mirror(tmp_path: Path):
    """Yields (address, folder) of a server on loopback."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join()


@pytest.fixture
def small(mirror):
    """RAVDESS with a single-file archive, which the mirror serves."""
    path = mirror[1] / "small.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Actor_01/03-01-01-01-01-01-01.wav", b"RIFF")
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    released = Archive(url="https://localhost/small.zip", file="small.zip", md5=md5, bytes=path.stat().st_size)
    return replace(get_corpus("ravdess"), archives=(released,))


def test_a_corpus_is_downloaded_from_a_mirror_once(mirror, small, tmp_path: Path):
    folder = fetch(small, tmp_path / "corpora", mirror=f"{mirror[0]}/")
    assert folder == corpus_root(small, tmp_path / "corpora")
    assert [utterance.native_label for utterance in small.scan(folder)] == ["neutral"]
    (mirror[1] / "small.zip").unlink()
    assert fetch(small, tmp_path / "corpora", mirror=mirror[0]) == folder


def test_a_mirror_with_wrong_data_is_refused(mirror, small, tmp_path: Path):
    (mirror[1] / "small.zip").write_bytes(b"x" * small.archives[0].bytes)
    with pytest.raises(DownloadError) as failure:
        fetch(small, tmp_path / "corpora", mirror=mirror[0])
    assert failure.value.code == "download_checksum"
    assert not corpus_root(small, tmp_path / "corpora").exists()


def test_a_corpus_that_needs_a_manual_download(tmp_path: Path):
    with pytest.raises(CorpusError, match="by hand"):
        fetch(replace(get_corpus("ravdess"), archives=()), tmp_path)


@pytest.mark.corpus
def test_the_real_ravdess_is_complete(corpora_root: Path):
    utterances = get_corpus("ravdess").scan(corpora_root / "ravdess")
    assert len(utterances) == 1439  # 24 actors with 60 clips each, one of which is a duplicate
    labels = Counter(utterance.native_label for utterance in utterances)
    assert labels == {**dict.fromkeys(set(EMOTIONS) - {"neutral"}, 192), "neutral": 96, "happy": 191}
    assert Counter(utterance.sex for utterance in utterances) == {"male": 719, "female": 720}


@pytest.mark.corpus
def test_the_left_out_clip_is_a_duplicate(corpora_root: Path):
    folder = corpora_root / "ravdess" / "Actor_07"
    kept, _ = soundfile.read(folder / "03-01-03-01-02-01-07.flac")
    for stem in get_corpus("ravdess").known_bad:
        left_out, _ = soundfile.read(folder / f"{stem}.flac")
        assert np.array_equal(kept, left_out)


@pytest.mark.corpus
def test_a_published_archive_becomes_a_corpus(mirror, corpora_root: Path, tmp_path: Path):
    """One actor as published (48 kHz WAV), by the same steps as the complete corpus."""
    source = corpora_root / "ravdess-original" / "Audio_Speech_Actor_01.zip"
    shutil.copy(source, mirror[1])
    md5, size = "2962531f30778cadc5567a1d9f1ca942", 9_152_631
    archive = Archive(url="https://localhost/" + source.name, file=source.name, md5=md5, bytes=size)
    actor = replace(get_corpus("ravdess"), archives=(archive,))
    utterances = actor.scan(fetch(actor, tmp_path / "corpora", mirror=mirror[0]))
    assert (len(utterances), {utterance.speaker for utterance in utterances}) == (60, {"01"})
    assert soundfile.info(utterances[0].path).samplerate == 48_000


def test_crema_d_has_actors_and_listener_votes(tmp_path: Path):
    (tmp_path / "1002_IEO_HAP_HI.wav").touch()
    (tmp_path / "VideoDemographics.csv").write_text(
        '"ActorID","Age","Sex","Race","Ethnicity"\n1002,21,"Female","Caucasian","Not Hispanic"\n', encoding="utf-8"
    )
    (tmp_path / "tabulatedVotes.csv").write_text(
        '"","A","D","F","H","N","S","fileName","numResponses"\n'
        '"100009",1,0,0,6,3,0,"1002_IEO_HAP_HI",10\n'
        '"200009",0,0,0,10,0,0,"1002_IEO_HAP_HI",10\n',  # votes on the video alone
        encoding="utf-8",
    )
    (found,) = get_corpus("crema-d").scan(tmp_path)
    assert (found.speaker, found.native_label, found.sentence, found.intensity) == ("1002", "HAP", "IEO", "high")
    assert (found.age, found.sex, found.race) == (21, "female", "Caucasian")
    assert found.soft_labels == {"angry": 0.1, "disgust": 0, "fearful": 0, "happy": 0.6, "neutral": 0.3, "sad": 0}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("03a01Fa.wav", ("03", "F", "male", 31, "a01", "a")),
        ("08a04Ff.wav", ("08", "F", "female", 34, "a04", "f")),
        ("08a02Ac.WAV", ("08", "A", "female", 34, "a02", "c")),
        ("16b10Wb.flac", ("16", "W", "female", 31, "b10", "b")),
    ],
)
def test_emodb_file_name(tmp_path: Path, name: str, expected: tuple):
    (tmp_path / name).touch()
    (found,) = get_corpus("emodb").scan(tmp_path)
    assert (found.speaker, found.native_label, found.sex, found.age, found.sentence, found.repetition) == expected


@pytest.mark.parametrize(
    "name",
    [
        "04a01Fa.wav",  # no such speaker
        "03a03Fa.wav",  # no such sentence
        "03a01Xa.wav",  # no such emotion
        "03a01F.wav",
        "03a01fa.wav",
        "03a01Fa (1).wav",
    ],
)
def test_invalid_emodb_file_name(tmp_path: Path, name: str):
    (tmp_path / name).touch()
    with pytest.raises(CorpusError, match="other names"):
        get_corpus("emodb").scan(tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("EB0_anger_1.wav", ("EB0", "anger", "female", 27, "1")),
        ("TP0_fear_46.wav", ("TP0", "fear", "male", 26, "46")),
        ("WR0_surprised_90.mp3", ("WR0", "surprised", "male", 23, "90")),
    ],
)
def test_nemo_file_name(tmp_path: Path, name: str, expected: tuple):
    (tmp_path / name).touch()
    (found,) = get_corpus("nemo").scan(tmp_path)
    assert (found.speaker, found.native_label, found.sex, found.age, found.sentence) == expected


@pytest.mark.parametrize(
    "name",
    ["EB1_anger_1.wav", "EB0_angry_1.wav", "EB0_anger_0.wav", "EB0_anger_91.wav", "EB0_anger.wav", "EB0_anger_01.wav"],
)
def test_invalid_nemo_file_name(tmp_path: Path, name: str):
    (tmp_path / name).touch()
    with pytest.raises(CorpusError, match="other names"):
        get_corpus("nemo").scan(tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("OAF_back_angry.wav", ("OAF", "angry", 64, "back")),
        ("YAF_food_ps.wav", ("YAF", "ps", 26, "food")),
        ("OA_bite_neutral.wav", ("OAF", "neutral", 64, "bite")),  # the speaker lacks a letter
        ("OAF_Pleasant_surprise/OAF_back_ps.wav", ("OAF", "ps", 64, "back")),
        ("YAF_fear/YAF_youth_fear.mp3", ("YAF", "fear", 26, "youth")),
    ],
)
def test_tess_file_name(tmp_path: Path, name: str, expected: tuple):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    (found,) = get_corpus("tess").scan(tmp_path)
    assert (found.speaker, found.native_label, found.age, found.sentence) == expected
    assert found.sex == "female"


@pytest.mark.parametrize(
    "name",
    ["YA_back_angry.wav", "OAF_back_calm.wav", "OAF_angry.wav", "OAF_back_angry (1).wav", "OAF_angry/back.wav"],
)
def test_invalid_tess_file_name(tmp_path: Path, name: str):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(CorpusError, match="other names"):
        get_corpus("tess").scan(tmp_path)


@pytest.mark.parametrize(
    ("corpus_name", "copies"),
    [
        (
            "tess",
            {
                "TESS Toronto emotional speech set data/OAF_angry/OAF_back_angry.wav": True,
                "TESS Toronto emotional speech set data/TESS Toronto emotional speech set data/OAF_angry/"
                "OAF_back_angry.wav": False,
                "TESS Toronto emotional speech set data/YAF_angry/YAF_back_angry.wav": True,
            },
        ),
        ("savee", {"ALL/DC_a01.wav": True, "AudioData/DC/a01.wav": False, "AudioData/JE/a01.wav": True}),
    ],
)
def test_files_unpacked_twice_count_once(
    tmp_path: Path, corpus_name: str, copies: dict[str, bool], caplog: pytest.LogCaptureFixture
):
    for name in copies:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with caplog.at_level(logging.WARNING):
        found = get_corpus(corpus_name).scan(tmp_path)
    assert [utterance.path for utterance in found] == [tmp_path / name for name, kept in copies.items() if kept]
    assert "1 files that are copies of other recordings" in caplog.text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DC/a01.wav", ("DC", "a", "a01")),
        ("AudioData/KL/su15.wav", ("KL", "su", "su15")),
        ("JK/n30.flac", ("JK", "n", "n30")),
        ("ALL/JE_sa03.wav", ("JE", "sa", "sa03")),
        ("KL_f12.wav", ("KL", "f", "f12")),
    ],
)
def test_savee_file_name(tmp_path: Path, name: str, expected: tuple[str, ...]):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    (found,) = get_corpus("savee").scan(tmp_path)
    assert (found.speaker, found.native_label, found.sentence) == expected
    assert (found.sex, found.age) == ("male", None)


@pytest.mark.parametrize(
    "name",
    [
        "a01.wav",  # no speaker
        "XX/a01.wav",
        "DC/a16.wav",  # only neutral has more than fifteen
        "DC/n31.wav",
        "DC/n00.wav",
        "DC/s01.wav",
        "ALL/DC_b01.wav",
        "DC/a01 (1).wav",
    ],
)
def test_invalid_savee_file_name(tmp_path: Path, name: str):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(CorpusError, match="other names"):
        get_corpus("savee").scan(tmp_path)


@pytest.mark.corpus
def test_the_local_copy_of_crema_d(corpora_root: Path):
    utterances = get_corpus("crema-d").scan(corpora_root / "crema-d")
    assert len(utterances) == 2022 and len({utterance.speaker for utterance in utterances}) == 25
    assert all(utterance.age and utterance.sex and utterance.race for utterance in utterances)
    assert all(abs(sum(utterance.soft_labels.values()) - 1) < 1e-9 for utterance in utterances)


@pytest.mark.corpus
def test_the_local_copy_of_indian_emospeech(corpora_root: Path):
    utterances = get_corpus("indian-emospeech").scan(corpora_root / "indian-emospeech")
    assert len(utterances) == 1090 and len({utterance.speaker for utterance in utterances}) == 62
    assert {utterance.native_label for utterance in utterances} == {"angry", "calm", "fearful", "happy"}
