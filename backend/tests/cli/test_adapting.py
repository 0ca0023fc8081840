"""``predict`` adapts the answers to recordings of one speaker together: by folder, by a list of speakers, or not."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import Result
from typer.testing import CliRunner

from ser.cli import app
from ser.core.errors import AudioError, CorpusError, ProfileError, SettingsError
from ser.core.prediction import Prediction
from ser.core.resume_log import SUFFIX
from ser.core.settings import load_settings
from ser.core.speaker_profile import Profile
from ser.inference.predictor import Predictor
from ser.storage.database import LOCAL, opened
from ser.storage.profiles import save_profile

RATE = 16_000


@pytest.fixture
def folders(samples, tmp_path) -> Path:
    """Two folders with three recordings each, of two speakers."""
    for number, name in enumerate(("anna", "ben")):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for emotion, source in samples.items():
            clip, rate = soundfile.read(source)
            part = clip[8_000 * number :][: 3 * rate // 2]
            soundfile.write(tmp_path / "mine" / name / f"{emotion}.wav", part, rate)
    return tmp_path / "mine"


@pytest.fixture
def run(voice_predictor, monkeypatch) -> Callable[..., Result]:
    """Runs ``predict`` with a model that adapts to speakers."""
    monkeypatch.setattr("ser.inference.predictor.load_predictor", lambda *_: voice_predictor)

    def invoke(*arguments: str | Path, **options: object) -> Result:
        return CliRunner().invoke(app, ["predict", *map(str, arguments)], **options)

    return invoke


def rows(result: Result) -> list[Prediction]:
    assert result.exception is None or result.exit_code == 1, result.exception
    return [Prediction.from_dict(json.loads(line)) for line in result.stdout.splitlines()]


def shares(predictions: list[Prediction]) -> list[float]:
    return [share for one in predictions for share in one.probabilities.values()]


def stored(profile: Profile) -> Profile:
    """Stores a profile of the command line."""
    with opened(load_settings().database_url) as store:
        save_profile(profile, store, LOCAL)
    return profile


def with_profile(predictor: Predictor, paths: list[Path]) -> list[Prediction]:
    """The answers to recordings with a profile made from the same recordings."""
    profile = predictor.enroll("them", paths)
    return [predictor.predict(path, profile=profile) for path in paths]


def test_recordings_of_a_folder_are_answered_as_with_a_profile_of_the_folder(run, folders, voice_predictor):
    found = rows(run(folders, "--adapt", "folder", "--format", "jsonl"))
    paths = sorted(folders.rglob("*.wav"))
    assert [one.file for one in found] == list(map(str, paths))
    expected = with_profile(voice_predictor, paths[:3]) + with_profile(voice_predictor, paths[3:])
    assert shares(found) == pytest.approx(shares(expected), abs=1e-5)
    assert [one.adapted_seconds for one in found] == pytest.approx([one.adapted_seconds for one in expected], abs=0.2)
    plain = rows(run(folders, "--format", "jsonl"))
    assert shares(found) != pytest.approx(shares(plain), abs=1e-2)
    assert shares(plain) == pytest.approx(shares(rows(run(folders, "--adapt", "none", "--format", "jsonl"))))
    assert {one.adapted_seconds for one in plain} == {0}, "short clips do not adapt to themselves"


def test_recordings_of_a_speaker_in_a_list_are_answered_together(run, folders, voice_predictor, tmp_path):
    listed = tmp_path / "speakers.csv"
    names = ["mine/anna/angry.wav", "mine/ben/sad.wav", "mine/anna/happy.wav"]
    listed.write_text("path,speaker\n" + "".join(f"{name},one\n" for name in names) + "mine/ben/happy.wav,two\n")
    done = run(folders, "--speakers", listed, "--format", "jsonl")
    found = {one.file: one for one in rows(done)}
    paths = [str(tmp_path / name) for name in ("mine/anna/angry.wav", "mine/anna/happy.wav", "mine/ben/sad.wav")]
    assert list(found)[:3] == paths and len(found) == 6, "the group of the first recording comes first"
    expected = with_profile(voice_predictor, list(map(Path, paths)))
    assert shares([found[path] for path in paths]) == pytest.approx(shares(expected), abs=1e-5)
    assert {found[path].adapted_seconds for path in found if path not in paths} == {0}
    assert "2 of 6 recordings are not listed" in done.stderr


def test_paths_in_a_list_may_be_relative_to_a_given_folder(run, folders, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    listed = tmp_path / "elsewhere" / "labels.csv"
    listed.write_text("path;emotion;speaker\nanna\\sad.wav;sad;one\nanna\\happy.wav;happy;one\n")
    found = rows(run(folders, "--speakers", listed, "--format", "jsonl"))
    assert sum(one.adapted_seconds > 0 for one in found) == 2
    listed.write_text("path,speaker\nsad.wav,one\n")
    with pytest.raises(SettingsError, match="lists none of the recordings"):
        raise run(folders, "--speakers", listed).exception
    with pytest.raises(CorpusError, match="cannot be read"):
        raise run(folders, "--speakers", tmp_path / "nowhere.csv").exception


def test_a_long_recording_adapts_to_its_own_speaker(run, samples, tmp_path, voice_predictor):
    clip = np.concatenate([soundfile.read(path)[0] for path in samples.values()] * 2)
    soundfile.write(tmp_path / "long.wav", clip, RATE)
    (found,) = rows(run(tmp_path / "long.wav", "--format", "jsonl"))
    expected = voice_predictor.predict(tmp_path / "long.wav")
    assert (
        shares([found]) == pytest.approx(shares([expected])) and found.adapted_seconds == expected.adapted_seconds > 5
    )
    (alone,) = rows(run(tmp_path / "long.wav", "--adapt", "folder", "--format", "jsonl"))
    assert shares([alone]) == pytest.approx(shares([expected]))
    (plain,) = rows(run(tmp_path / "long.wav", "--adapt", "none", "--format", "jsonl"))
    assert plain.adapted_seconds == 0 and shares([plain]) != pytest.approx(shares([expected]), abs=1e-3)


def test_a_recording_that_cannot_be_read_is_left_out(run, folders, voice_predictor):
    (folders / "anna" / "bad.wav").write_text("not audio", encoding="utf-8")
    done = run(folders / "anna", "--adapt", "folder", "--format", "jsonl")
    assert done.exit_code == 1 and "bad.wav: Unsupported audio format" in done.stderr
    paths = [folders / "anna" / f"{name}.wav" for name in ("angry", "happy", "sad")]
    assert shares(rows(done)) == pytest.approx(shares(with_profile(voice_predictor, paths)), abs=1e-5)


def test_silence_and_an_empty_folder_have_no_speaker(run, folders, tmp_path):
    quiet, empty = tmp_path / "quiet", tmp_path / "empty"
    for folder in (quiet, empty):
        folder.mkdir()
    for number in range(2):
        soundfile.write(quiet / f"{number}.wav", np.zeros(RATE), RATE)
    found = rows(run(quiet, "--adapt", "folder", "--format", "jsonl"))
    assert [(one.state, one.adapted_seconds) for one in found] == [("no_speech", 0)] * 2
    done = run(empty, "--adapt", "folder")
    assert done.exit_code == AudioError.exit_code and "contains no recording" in done.stderr
    soundfile.write(folders / "anna" / "quiet.wav", np.zeros(RATE), RATE)
    with_silence = rows(run(folders / "anna", "--adapt", "folder", "--format", "jsonl"))
    (folders / "anna" / "quiet.wav").unlink()
    without = rows(run(folders / "anna", "--adapt", "folder", "--format", "jsonl"))
    assert shares(with_silence) == shares(without)


def test_a_recording_that_is_given_twice_counts_once(run, folders):
    anna = folders / "anna"
    once = rows(run(anna, "--adapt", "folder", "--format", "jsonl"))
    twice = rows(
        run(anna / "sad.wav", anna, anna / ".." / "anna" / "sad.wav", "--adapt", "folder", "--format", "jsonl")
    )
    assert [Path(one.file).name for one in twice] == ["sad.wav", "angry.wav", "happy.wav", "sad.wav", "sad.wav"]
    assert shares(twice[1:4]) == pytest.approx(shares(once), abs=1e-5)


def test_standard_input_is_a_speaker_of_its_own(run, folders):
    anna = folders / "anna"
    content = (anna / "sad.wav").read_bytes()
    found = rows(run(anna, "-", "--adapt", "folder", "--format", "jsonl", input=content))
    assert [one.adapted_seconds > 0 for one in found] == [True, True, True, False]
    assert shares(found[:3]) == shares(rows(run(anna, "--adapt", "folder", "--format", "jsonl")))


def test_a_profile_goes_before_and_excludes_other_speakers(run, folders, voice_predictor, tmp_path):
    anna = sorted((folders / "anna").iterdir())
    profile = stored(voice_predictor.enroll("asha", anna))
    for options in ([], ["--adapt", "none"]):
        found = rows(run(anna[0], "--speaker", "asha", "--format", "jsonl", *options))
        assert shares(found) == pytest.approx(shares([voice_predictor.predict(anna[0], profile=profile)]))
    (tmp_path / "speakers.csv").write_text("path,speaker\n")
    cases = [(["--speaker", "asha", "--adapt", "folder"], "omit it, or --adapt folder")]
    cases += [(["--speaker", "asha", "--speakers", tmp_path / "speakers.csv"], "omit it, or --speakers")]
    cases += [(["--adapt", mode, "--speakers", tmp_path / "speakers.csv"], mode) for mode in ("none", "folder")]
    for options, message in cases:
        with pytest.raises(SettingsError, match=message):
            raise run(folders, *options).exception


def test_a_model_that_cannot_adapt_says_so(folders, tmp_path):
    def predict(*options: str | Path) -> Result:
        return CliRunner().invoke(app, ["predict", str(folders), "--model", "cnn1d", *map(str, options)])

    listed = tmp_path / "speakers.csv"
    listed.write_text("path,speaker\nmine/anna/sad.wav,anna\n")
    for options in (["--adapt", "folder"], ["--speakers", listed]):
        with pytest.raises(SettingsError, match="cnn1d cannot adapt to speakers; choose another model"):
            raise predict(*options).exception
    assert predict().exit_code == 0 and predict().stdout == predict("--adapt", "none").stdout


def test_options_that_are_wrong_for_every_recording_stop_before_any_is_encoded(
    run, folders, voice_predictor, monkeypatch
):
    stored(replace(voice_predictor.enroll("asha", [folders / "anna" / "sad.wav"]), weights="0" * 16))
    monkeypatch.setattr(Predictor, "encode", lambda *_, **__: pytest.fail("it was encoded"))
    with pytest.raises(SettingsError, match="coverage of 85 %"):
        raise run(folders, "--coverage", "85", "--adapt", "folder").exception
    with pytest.raises(ProfileError, match="other weights"):
        raise run(folders, "--speaker", "asha").exception


@pytest.mark.parametrize("answered", [1, 4])
def test_an_interrupted_run_is_resumed_with_the_same_answers(run, folders, tmp_path, monkeypatch, answered):
    command = [folders, "--adapt", "folder", "--format", "jsonl", "--out"]
    assert run(*command, tmp_path / "whole.jsonl").exit_code == 0
    genuine, count = Predictor.answer, 0

    def interrupted(self, *given, **options):
        nonlocal count
        count += 1
        if count > answered:
            raise KeyboardInterrupt
        return genuine(self, *given, **options)

    out = tmp_path / "out.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(Predictor, "answer", interrupted)
        run(*command, out)
    assert not out.exists() and len(out.with_name(out.name + SUFFIX).read_bytes().splitlines()) == 1 + answered
    encoded, encode = [], Predictor.encode
    monkeypatch.setattr(
        Predictor, "encode", lambda self, path, *rest, **o: encoded.append(path) or encode(self, path, *rest, **o)
    )
    assert run(*command, out, "--resume").exit_code == 0
    assert {path.parent.name for path in encoded} == ({"anna", "ben"} if answered < 3 else {"ben"})
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_run_is_only_resumed_with_the_same_adaptation(run, folders, tmp_path, monkeypatch):
    command = [folders / "anna", "--format", "jsonl", "--out", tmp_path / "out.jsonl"]
    listed = tmp_path / "speakers.csv"
    listed.write_text("path,speaker\nmine/anna/sad.wav,anna\n")
    with monkeypatch.context() as patch:
        patch.setattr(Predictor, "answer", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        run(*command, "--speakers", listed)
    for options in ([], ["--adapt", "none"], ["--adapt", "folder"]):
        with pytest.raises(SettingsError, match="another run"):
            raise run(*command, "--resume", *options).exception
    listed.write_text("path,speaker\nmine/anna/sad.wav,ben\n")
    with pytest.raises(SettingsError, match="another run"):
        raise run(*command, "--resume", "--speakers", listed).exception
    listed.write_text("path,speaker\nmine/anna/sad.wav,anna\n")
    assert run(*command, "--resume", "--speakers", listed).exit_code == 0


def test_the_csv_ends_with_the_seconds_adapted_to(run, folders):
    table = csv.DictReader(io.StringIO(run(folders, "--adapt", "folder", "--format", "csv").stdout))
    lines = list(table)
    assert table.fieldnames[-1] == "adapted_seconds"
    found = [float(line["adapted_seconds"]) for line in lines]
    assert len(found) == 6 and min(found) > 1 and found[0] == found[2] != found[3]
