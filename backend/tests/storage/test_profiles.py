"""Speaker profiles: computed from recordings, stored as statistics, and tied to the weights they were made with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ser.audio.waveform import SAMPLE_RATE, Waveform
from ser.cli import app
from ser.core.errors import ProfileError
from ser.core.settings import load_settings
from ser.core.speaker_profile import Profile, check_name
from ser.inference.predictor import Predictor, load_predictor
from ser.models.whisper_encoder import EMBEDDING_SIZE
from ser.storage.database import LOCAL, opened, owner_of
from ser.storage.profiles import delete_profile, list_profiles, load_profile, save_profile


@pytest.fixture
def predictor(voice_predictor: Predictor) -> Predictor:
    return voice_predictor


def test_a_profile_is_the_speaker_of_its_recordings(predictor, samples):
    profile = predictor.enroll("asha", list(samples.values()))
    assert (profile.clips, profile.model, profile.offset.shape) == (3, "toy", (EMBEDDING_SIZE,))
    together = predictor.common_speaker([predictor.encode(path) for path in samples.values()])
    np.testing.assert_allclose(profile.offset, together.estimate.offset.numpy(), atol=1e-6)
    assert profile.share == pytest.approx(together.estimate.share) and profile.variety > 0
    plain = predictor.predict(samples["sad"])
    own = predictor.predict(samples["sad"], profile=profile)
    assert own.probabilities != pytest.approx(plain.probabilities, abs=1e-3)
    assert (own.adapted_seconds, plain.adapted_seconds) == (profile.speech_seconds, 0)
    unused = predictor.predict(samples["sad"], profile=replace(profile, share=0.0))
    assert unused.probabilities == pytest.approx(plain.probabilities, abs=1e-6)


def test_a_profile_of_one_recording_changes_nothing(predictor, samples):
    profile = predictor.enroll("asha", [samples["happy"]])
    assert profile.share == 0 and profile.variety == 0
    found = predictor.predict(samples["sad"], profile=profile).probabilities
    assert found == pytest.approx(predictor.predict(samples["sad"]).probabilities, abs=1e-6)


def test_a_profile_is_stored_read_listed_and_deleted(predictor, samples, store):
    profile = predictor.enroll("Asha K.-2", [samples["sad"]])
    save_profile(replace(profile, clips=7, offset=profile.offset[:3]), store, LOCAL)
    save_profile(profile, store, LOCAL)  # replaces the first
    found = load_profile("Asha K.-2", store, LOCAL)
    assert found.summary == profile.summary
    np.testing.assert_array_equal(found.offset, profile.offset)
    assert [one.name for one in list_profiles(store, LOCAL)] == ["Asha K.-2"]
    delete_profile("Asha K.-2", store, LOCAL)
    assert list_profiles(store, LOCAL) == []
    for action in (load_profile, delete_profile):
        with pytest.raises(ProfileError, match="available: none"):
            action("Asha K.-2", store, LOCAL)


def test_a_profile_belongs_to_its_owner(predictor, samples, store):
    mine, theirs = owner_of("a" * 32), owner_of("b" * 32)
    profile = predictor.enroll("asha", [samples["sad"]])
    save_profile(profile, store, mine)
    save_profile(replace(profile, name="other", clips=9), store, theirs)
    for action in (load_profile, delete_profile):
        with pytest.raises(ProfileError, match="no profile 'asha'; available: other"):
            action("asha", store, theirs)
    save_profile(replace(profile, clips=2), store, theirs)
    delete_profile("asha", store, theirs)
    assert [one.summary for one in list_profiles(store, mine)] == [profile.summary]


def test_a_deleted_profile_leaves_no_byte(predictor, samples, tmp_path):
    url = f"sqlite:///{(tmp_path / 'x.sqlite').as_posix()}"
    profile = predictor.enroll("VERYOWNNAME", [samples["sad"]])
    numbers = profile.offset.astype("<f4").tobytes()[:64]
    assert any(numbers)
    with opened(url) as store:
        save_profile(profile, store, LOCAL)
        assert numbers in b"".join(file.read_bytes() for file in tmp_path.iterdir())
        delete_profile(profile.name, store, LOCAL)
        content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert numbers not in content and b"VERYOWNNAME" not in content


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", "a\\b", ".hidden", "x" * 41, "ends.", "nul\0", "-x", " x", "x ", "\ud800", "a\u202eb"]
)
def test_names_that_could_escape_a_folder_are_refused(name):
    with pytest.raises(ProfileError) as refused:
        check_name(name)
    assert refused.value.code == "profile_name"


@pytest.mark.parametrize("name", ["x" * 40, "Asha K.-2_b", "आशा हिन्दी", "Zoë", "李雷"])
def test_names_in_all_scripts_are_accepted(name):
    assert check_name(name) == name


def test_other_weights_refuse_a_profile(predictor, samples):
    profile = predictor.enroll("asha", [samples["sad"]])
    with pytest.raises(ProfileError, match="other weights"):
        predictor.predict(samples["sad"], profile=replace(profile, weights="0" * 16))
    with pytest.raises(ProfileError, match="cannot adapt to speakers"):
        load_predictor("cnn1d", load_settings({})).predict(samples["sad"], profile=profile)


def test_silence_gives_no_profile(predictor):
    with pytest.raises(ProfileError) as refused:
        predictor.enroll("asha", [Waveform(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)])
    assert refused.value.code == "profile_empty"


def made_profile(name: str = "a") -> Profile:
    return Profile(
        name=name,
        model="m",
        weights="w",
        clips=1,
        speech_seconds=2,
        variety=0,
        share=0.25,
        created="now",
        offset=np.zeros(1, np.float32),
    )


def test_warnings_are_given_for_too_few_or_similar_recordings():
    one = made_profile()
    assert list(one.warnings) == ["few_recordings"] and "5 to 20" in one.warnings["few_recordings"]
    assert one.warnings["few_recordings"].startswith("1 recording is too few")
    assert replace(one, clips=2, variety=0.9).warnings["few_recordings"].startswith("2 recordings are too few")
    assert "sound alike" in replace(one, clips=5).warnings["alike"]
    assert replace(one, clips=5, variety=0.9).warnings == {}


def test_the_command_line_enrolls_uses_lists_and_deletes(predictor, samples, monkeypatch):
    from typer.testing import CliRunner

    monkeypatch.setattr("ser.inference.predictor.load_predictor", lambda *_: predictor)
    run = CliRunner()
    made = run.invoke(app, ["enroll", "asha", *map(str, samples.values())])
    assert made.exit_code == 0 and "3 recordings" in made.stdout
    plain = run.invoke(app, ["predict", str(samples["sad"]), "--format", "json"]).stdout
    own = run.invoke(app, ["predict", str(samples["sad"]), "--format", "json", "--speaker", "asha"]).stdout
    assert plain != own
    assert "asha: 3 recordings" in run.invoke(app, ["profiles"]).stdout
    assert run.invoke(app, ["profiles", "--delete", "asha"]).exit_code == 0
    assert run.invoke(app, ["profiles"]).stdout == ""
    assert "available: none" in str(run.invoke(app, ["predict", "x.wav", "--speaker", "asha"]).exception)


def test_profiles_per_owner_are_limited(store, monkeypatch):
    profile = made_profile()
    monkeypatch.setattr("ser.storage.profiles.MOST_PROFILES", 2)
    for name in ("a", "b", "b"):
        save_profile(replace(profile, name=name), store, LOCAL)
    with pytest.raises(ProfileError) as caught:
        save_profile(replace(profile, name="c"), store, LOCAL)
    assert caught.value.code == "quota_reached"
    assert [one.name for one in list_profiles(store, LOCAL)] == ["a", "b"]
