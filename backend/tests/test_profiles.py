"""Profiles of voices: made from recordings, kept as statistics, used by the weights that made them only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ser.audio import SAMPLE_RATE, Waveform
from ser.calibration import Calibration
from ser.checkpoint import Checkpoint, ModelInfo
from ser.cli import app
from ser.errors import ProfileError
from ser.layers import VARIED, Voices, variety
from ser.predictor import Predictor, load_predictor
from ser.profiles import Profile, check_name, delete_profile, list_profiles, load_profile, save_profile
from ser.recipe import get_recipe
from ser.settings import load_settings

SIZE = 3840


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """A network with a voice module and random weights."""
    recipe = get_recipe("whisper")
    torch.manual_seed(0)
    network = recipe.network(len(recipe.labels)).eval()
    network.upper.voices.ratio.fill_(2.0)
    info = ModelInfo(
        name="toy",
        title="",
        summary="",
        recipe="whisper",
        labels=recipe.labels,
        sample_rate=SAMPLE_RATE,
        clip_seconds=None,
        parameters=1,
        corpora=(),
        licence="none",
        calibration=Calibration(temperature=1.0, unsure_below=0.5),
    )
    return Predictor(Checkpoint(info, recipe.features(None).eval(), network), 60.0)


def test_a_profile_moves_the_voice_to_the_middle(predictor, samples):
    profile = predictor.enrol("asha", list(samples.values()))
    assert (profile.clips, profile.model, profile.offset.shape) == (3, "toy", (SIZE,))
    plain = predictor.predict(samples["sad"]).probabilities
    own = predictor.predict(samples["sad"], profile=profile).probabilities
    none = predictor.predict(samples["sad"], profile=replace(profile, offset=0 * profile.offset)).probabilities
    assert plain == pytest.approx(none) and plain != pytest.approx(own, abs=1e-3)


def test_it_is_kept_read_listed_and_deleted(predictor, samples, tmp_path):
    profile = predictor.enrol("Asha K.-2", [samples["sad"]])
    file = save_profile(profile, tmp_path)
    found = load_profile("Asha K.-2", tmp_path)
    assert found.summary == profile.summary
    np.testing.assert_array_equal(found.offset, profile.offset)
    assert [one.name for one in list_profiles(tmp_path)] == ["Asha K.-2"]
    assert file.stat().st_size < 20_000  # statistics: two seconds of audio are 64,000 bytes
    delete_profile("Asha K.-2", tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ProfileError, match="available: none"):
        load_profile("Asha K.-2", tmp_path)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a\\b", ".hidden", "x" * 41, "ends.", "nul\0"])
def test_names_that_could_leave_the_folder_are_refused(name, tmp_path):
    with pytest.raises(ProfileError) as refused:
        check_name(name)
    assert refused.value.code == "profile_name"


def test_other_weights_refuse_it(predictor, samples):
    profile = predictor.enrol("asha", [samples["sad"]])
    with pytest.raises(ProfileError, match="other weights"):
        predictor.predict(samples["sad"], profile=replace(profile, weights="0" * 16))
    with pytest.raises(ProfileError, match="cannot be calibrated"):
        load_predictor("cnn1d", load_settings({})).predict(samples["sad"], profile=profile)


def test_silence_makes_no_profile(predictor):
    with pytest.raises(ProfileError) as refused:
        predictor.enrol("asha", [Waveform(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)])
    assert refused.value.code == "profile_empty"


def test_a_damaged_file_says_what_to_do(tmp_path):
    (tmp_path / "asha.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ProfileError, match="enrol again"):
        load_profile("asha", tmp_path)


def test_advice_is_given_where_it_helps():
    one = Profile(
        name="a", model="m", weights="w", clips=1, speech_seconds=2, variety=0, created="now", offset=np.zeros(1)
    )
    assert len(one.warnings(VARIED)) == 1 and "3 to 20" in one.warnings(VARIED)[0]
    assert "sound alike" in replace(one, clips=5).warnings(VARIED)[0]
    assert replace(one, clips=5, variety=0.9).warnings(VARIED) == []


@pytest.fixture
def crowd() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """40 speakers with 24 clips each of 6 emotions, 50 dims: vectors, targets, speakers and the true offsets."""
    draw = np.random.default_rng(0)
    offsets, emotions = draw.normal(0, 1, (40, 50)), draw.normal(0, 1.5, (6, 50))
    emotions -= emotions.mean(axis=0)
    speakers, targets = np.repeat(np.arange(40), 24), np.tile(np.arange(6), 160)
    vectors = offsets[speakers] + emotions[targets] + draw.normal(0, 1.0, (960, 50))
    tensors = (torch.from_numpy(vectors).float(), torch.from_numpy(targets), torch.from_numpy(speakers))
    return (*tensors, torch.from_numpy(offsets).float())


def test_what_is_known_of_voices_finds_an_unheard_one(crowd):
    vectors, targets, speakers, offsets = crowd
    voices = Voices(50, 6)
    heard = speakers < 39
    voices.fit(vectors[heard], targets[heard], speakers[heard])
    assert voices.ratio_within.median() == pytest.approx(1, abs=0.5)
    own, truth = vectors[speakers == 39], torch.nn.functional.one_hot(targets[speakers == 39], 6).float()
    nothing = offsets[39].square().mean()
    varied, mood = (voices.offset(own[chosen], truth[chosen]) for chosen in (slice(0, 6), slice(0, 24, 6)))
    assert (varied - offsets[39]).square().mean() < 0.5 * nothing
    assert (
        (mood - offsets[39]).square().mean() < 0.5 * nothing < (own[0:24:6].mean(dim=0) - offsets[39]).square().mean()
    )
    assert variety(truth[:6]) == pytest.approx(1) and variety(truth[0:24:6]) == pytest.approx(0, abs=1e-6)


def test_the_command_line_enrols_uses_lists_and_deletes(predictor, samples, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    monkeypatch.setenv("SER_PROFILES", str(tmp_path / "profiles"))
    monkeypatch.setattr("ser.predictor.load_predictor", lambda *_: predictor)
    run = CliRunner()
    made = run.invoke(app, ["enroll", "asha", *map(str, samples.values())])
    assert made.exit_code == 0 and "3 recordings" in made.stdout
    plain = run.invoke(app, ["predict", str(samples["sad"]), "--format", "json"]).stdout
    own = run.invoke(app, ["predict", str(samples["sad"]), "--format", "json", "--speaker", "asha"]).stdout
    assert plain != own
    assert "asha: 3 recordings" in run.invoke(app, ["profiles"]).stdout
    assert run.invoke(app, ["profiles", "--delete", "asha"]).exit_code == 0
    assert not list(Path(tmp_path / "profiles").iterdir())
