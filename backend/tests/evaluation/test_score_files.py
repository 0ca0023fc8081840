"""Scoring a model on a user's own labelled recordings."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix

from ser.core.errors import CorpusError
from ser.core.resume_log import ResumeLog
from ser.core.settings import load_settings
from ser.data.manifest import read_manifest
from ser.evaluation.compare import compare
from ser.evaluation.metrics_file import Metrics, read_metrics
from ser.evaluation.report import write_report
from ser.evaluation.score_files import score_files, write_scores
from ser.evaluation.summary import refresh
from ser.inference.predictor import Predictor, load_predictor
from tests.evaluation.test_html import check_page
from tests.evaluation.test_report import visible


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return load_predictor("cnn1d", load_settings())


@pytest.fixture
def folder(tmp_path: Path, samples, encode) -> Path:
    """Seven files: three of real speech, two without speech, one that is not a recording, and one that is missing."""
    recordings = tmp_path / "söme recordings"
    (recordings / "a, b").mkdir(parents=True)
    for name, source in samples.items():
        (recordings / "a, b" / f"{name}.wav").write_bytes(source.read_bytes())
    (recordings / "silence.wav").write_bytes(encode(np.zeros(16_000, np.float32), 16_000))
    (recordings / "still.wav").write_bytes(encode(np.zeros(8_000, np.float32), 16_000))
    (recordings / "text.wav").write_text("not audio", encoding="utf-8")
    return recordings


ROWS = {
    "a, b/angry.wav": "anger",
    "a, b/happy.wav": "happiness",
    "a, b/sad.wav": "calm",
    "silence.wav": "sad",
    "still.wav": "sad",
    "text.wav": "fear",
    "nowhere.wav": "fear",
}


def manifest(folder: Path, rows: dict[str, str], speakers: bool = False) -> Path:
    file = folder / "labels.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "emotion", "speaker"][: 3 if speakers else 2])
        writer.writerows([*row, f"s{n % 3}"][: 3 if speakers else 2] for n, row in enumerate(rows.items()))
    return file


def scored(
    predictor: Predictor, folder: Path, out: Path, rows: dict[str, str] = ROWS, speakers: bool = False
) -> Metrics:
    csv_file = manifest(folder, rows, speakers)
    found = score_files(predictor, read_manifest(folder, csv_file), folder)
    return write_scores(out, found, predictor, folder=folder, manifest=csv_file, command="a test")


def predictions(out: Path) -> list[dict[str, str]]:
    with (out / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_predictions_equal_the_predictor_s_and_determine_the_figures(predictor, folder, tmp_path):
    metrics = scored(predictor, folder, tmp_path / "out")
    rows = predictions(tmp_path / "out")
    assert [row["file"] for row in rows] == list(ROWS)[:5]
    for row in rows[:3]:
        own = predictor.predict(folder / row["file"])
        assert (row["predicted"], row["state"]) == (own.emotion, own.state)
        shares = {label: math.exp(float(row[f"logit_{label}"])) for label in predictor.info.labels}
        assert shares == pytest.approx(own.probabilities, abs=1e-3)
    truth, guess = [row["truth"] for row in rows], [row["predicted"] for row in rows]
    assert truth == ["angry", "happy", "neutral", "sad", "sad"] and guess[3:] == ["no_speech", "no_speech"]
    assert metrics.wa == pytest.approx(accuracy_score(truth, guess)) and metrics.no_speech == 2
    report = classification_report(truth, guess, output_dict=True, zero_division=0)
    assert metrics.ua == pytest.approx(np.mean([report[label]["recall"] for label in set(truth)]))
    assert metrics.labels == ["angry", "happy", "neutral", "sad"]
    expected = confusion_matrix(truth, guess, labels=[*metrics.answers, "no_speech"])
    assert metrics.confusion == [expected[metrics.answers.index(label), :-1].tolist() for label in metrics.labels]


def test_nothing_is_dropped_silently(predictor, folder, tmp_path):
    problems = scored(predictor, folder, tmp_path / "out").scoring
    assert [name for name, _ in problems["failed"]] == ["text.wav", "nowhere.wav"]
    assert "Unsupported audio format" in problems["failed"][0][1] and "cannot be read" in problems["failed"][1][1]
    assert problems["as_neutral"] == 1 and problems["unknown"] == {}


def test_emotions_without_a_class_are_counted(folder, tmp_path, predictor, monkeypatch):
    few = replace(predictor.info, labels=("angry", "happy"))
    monkeypatch.setattr(Predictor, "info", property(lambda self: few))
    found = score_files(predictor, read_manifest(folder, manifest(folder, {"x.wav": "sad", "y.wav": "calm"})), folder)
    assert found.rows == [] and found.failed == [] and dict(found.unknown) == {"sad": 1, "calm": 1}
    with pytest.raises(CorpusError, match="does not predict sad, calm"):
        write_scores(tmp_path, found, predictor, folder=folder, manifest=tmp_path, command="a test")


def test_the_page_states_unknowns_and_unmatched_labels(predictor, folder, tmp_path):
    metrics = scored(predictor, folder, tmp_path / "out", speakers=True)
    metrics = replace(metrics, scoring=metrics.scoring | {"unknown": {"disgust": 2}})
    page = check_page(write_report(tmp_path / "out", metrics))
    words = visible(page)
    assert "It is not known whether these speakers are in the model's training data" in words
    assert "2 recordings could not be read" in words and "text.wav" in words and "disgust (2 clips)" in words
    assert "1 calm clip counts as neutral" in words and "cnn1d on söme recordings" in words
    assert "chance level 14.3 %" in words and "Leaky" not in words and "Best epoch" not in words
    assert (tmp_path / "out" / "confusion.png").exists()


def test_a_score_can_be_reported_and_compared(predictor, folder, tmp_path):
    rows = dict(list(ROWS.items())[:5])
    metrics = scored(predictor, folder, tmp_path / "out", rows, speakers=True)
    assert metrics.speakers == 3 and metrics.per_speaker.keys() == {"files/s0", "files/s1", "files/s2"}
    assert refresh(tmp_path / "out") == read_metrics(tmp_path / "out")
    assert refresh(tmp_path / "out") == metrics
    assert "within chance" in compare(tmp_path / "out", tmp_path / "out")["verdict"]


def test_without_a_readable_recording_there_is_no_figure(predictor, folder, tmp_path):
    with pytest.raises(CorpusError, match="1 could not be read, e.g. text.wav"):
        scored(predictor, folder, tmp_path / "out", {"text.wav": "sad"})
    assert not (tmp_path / "out").exists()


def test_only_clips_of_chosen_emotions_are_scored(predictor, folder, tmp_path):
    rows = {"a, b/angry.wav": "anger", "a, b/happy.wav": "happy", "a, b/sad.wav": "sad", "silence.wav": "calm"}
    csv_file, out = manifest(folder, rows), tmp_path / "out"
    found = score_files(predictor, read_manifest(folder, csv_file), folder, emotions="happy,angry")
    metrics = write_scores(out, found, predictor, folder=folder, manifest=csv_file, command="a test")
    assert metrics.clips == 2 and metrics.labels == metrics.answers == ["angry", "happy"]
    assert metrics.scoring["emotions"] == ["angry", "happy"]
    assert metrics.scoring["not_chosen"] == {"neutral": 1, "sad": 1} and metrics.scoring["as_neutral"] == 0
    own = predictor.predict(folder / "a, b" / "angry.wav", emotions="angry,happy")
    row = predictions(out)[0]
    shares = {label: math.exp(float(row[f"logit_{label}"])) for label in metrics.answers}
    assert shares == pytest.approx(own.probabilities, abs=1e-3)
    assert refresh(out) == metrics == read_metrics(out)
    words = visible(check_page(write_report(out, metrics)))
    assert "cnn1d on söme recordings among angry, happy" in words and "choosing among angry, happy only" in words
    assert "chance level 50.0 %" in words and "neutral (1 clip), sad (1 clip)" in words
    with pytest.raises(CorpusError, match="None is of the chosen emotions; they are of angry, happy, sad, neutral"):
        none = score_files(predictor, read_manifest(folder, csv_file), folder, emotions="disgust,fear")
        write_scores(out, none, predictor, folder=folder, manifest=csv_file, command="a test")


@pytest.mark.parametrize("adapt", ["speaker", "folder"])
def test_answers_are_adapted_to_all_recordings_of_a_speaker(voice_predictor, folder, tmp_path, adapt):
    (folder / "b").mkdir()
    (folder / "b" / "sad.wav").write_bytes((folder / "a, b" / "sad.wav").read_bytes())
    rows = {f"a, b/{name}.wav": name for name in ("angry", "happy", "sad")} | {"b/sad.wav": "sad", "text.wav": "sad"}
    csv_file, out = folder / "labels.csv", tmp_path / "out"
    listed = "".join(f'"{name}",{emotion},{"one" if "," in name else "two"}\n' for name, emotion in rows.items())
    csv_file.write_text(f"path,emotion,speaker\n{listed}", encoding="utf-8")
    utterances = read_manifest(folder, csv_file)
    chosen = ("happy", "sad")  # the angry recording is not scored, but heard
    found = score_files(voice_predictor, utterances, folder, emotions=chosen, adapt=adapt)
    metrics = write_scores(out, found, voice_predictor, folder=folder, manifest=csv_file, command="a test")
    profile = voice_predictor.enroll("one", [folder / name for name in rows if "," in name])
    for row in predictions(out):
        own = voice_predictor.predict(
            folder / row["file"], profile=profile if "," in row["file"] else None, emotions=chosen
        )
        shares = {label: math.exp(float(row[f"logit_{label}"])) for label in chosen}
        assert shares == pytest.approx(own.probabilities, abs=1e-3)
    assert [name for name, _ in metrics.scoring["failed"]] == ["text.wav"] and metrics.clips == 3
    assert metrics.scoring["adapt"] == adapt and refresh(out) == metrics
    words = visible(check_page(write_report(out, metrics)))
    assert "adapted to" in words and "without labels" in words and "adapted" in words[:200]


def test_a_resumed_score_adapts_to_all_recordings_of_a_speaker(voice_predictor, folder, tmp_path):
    rows = {f"a, b/{name}.wav": name for name in ("angry", "happy", "sad")}
    utterances = [replace(one, speaker="one") for one in read_manifest(folder, manifest(folder, rows))]
    whole = score_files(voice_predictor, utterances, folder, adapt="speaker")
    with ResumeLog(tmp_path / "out", {}, resume=False) as log:
        log.add(whole.rows[0])
    with ResumeLog(tmp_path / "out", {}, resume=True) as log:
        resumed = score_files(voice_predictor, utterances, folder, adapt="speaker", log=log)
        assert resumed.rows == whole.rows == log.entries


def test_without_adaptation_no_answer_is_adapted(voice_predictor, folder):
    rows = {f"a, b/{name}.wav": name for name in ("angry", "happy", "sad")}
    utterances = [replace(one, speaker="one") for one in read_manifest(folder, manifest(folder, rows))]
    plain, adapted = (score_files(voice_predictor, utterances, folder, adapt=mode) for mode in ("none", "speaker"))
    own = voice_predictor.predict(folder / "a, b" / "sad.wav")
    shares = {label: math.exp(float(plain.rows[2][f"logit_{label}"])) for label in own.probabilities}
    assert shares == pytest.approx(own.probabilities, abs=1e-3) and plain.rows != adapted.rows
