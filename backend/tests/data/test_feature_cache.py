"""The feature cache: its contents, its key, and tensors derived from it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ser.audio.augmentation import Gain
from ser.audio.vad import find_speech
from ser.audio.waveform import decode, resample
from ser.core.errors import AudioError
from ser.data.clip_frames import clip_frames
from ser.data.feature_cache import KEYED_CODE, KEYED_MODELS, CachedBank, cache_key, load_frames
from ser.data.frame_view import join, subset
from ser.models.recipe import find_recipes, get_recipe
from tests.project.test_rooms import NAMES, SER, imported
from tests.project.test_rooms import module as module_name

RECIPE = get_recipe("cnn1d_published")


@pytest.fixture
def files(samples, tmp_path) -> list[Path]:
    made = []
    for name, source in samples.items():
        path = tmp_path / f"{name}.wav"
        shutil.copy(source, path)
        made.append(path)
    return made


def bank_of(files: list[Path], cache: Path, copies: int = 1, on_progress=None):
    return load_frames(files, RECIPE, clip_seconds=None, copies=copies, cache=cache, on_progress=on_progress)


def test_a_bank_holds_the_frames_of_every_clip_and_its_augmented_copies(files, tmp_path):
    bank = bank_of(files, tmp_path / "cache")
    module = RECIPE.features(None)
    assert len(bank) == 3 and bank.copies == 2 and bank.speech.all()
    for n, file in enumerate(files):
        clip = resample(decode(file), 16_000).samples
        samples = torch.from_numpy(clip[find_speech(clip).span()])
        frames, _ = module(samples[None], torch.tensor([len(samples)]))
        torch.testing.assert_close(bank.entry(n), frames[0])
        assert bank.entry(n, 1).shape != bank.entry(n).shape or not torch.equal(bank.entry(n, 1), bank.entry(n))


def test_a_second_run_reads_the_cache_unless_a_file_changed(files, tmp_path):
    seen: list[int] = []
    first = bank_of(files, tmp_path / "cache", on_progress=lambda done, total: seen.append(done))
    assert seen[-1] == 3
    again = bank_of(files, tmp_path / "cache", on_progress=lambda done, total: seen.append(-1))
    assert -1 not in seen
    assert torch.equal(first.frames, again.frames)
    shutil.copy(files[0], files[1])
    changed = bank_of(files, tmp_path / "cache")
    assert torch.equal(changed.entry(1), first.entry(0))


def test_silence_is_marked_as_no_speech(tmp_path, encode):
    path = tmp_path / "silence.wav"
    path.write_bytes(encode(np.zeros(32_000, np.float32), 16_000))
    frames, spoken = clip_frames(path, RECIPE, None, copies=0)
    assert not spoken and len(frames) == 1


def test_an_unreadable_clip_is_an_error_that_names_it(files, tmp_path):
    files[1].write_bytes(b"not audio")
    with pytest.raises(AudioError, match=files[1].name):
        bank_of(files, tmp_path / "cache")


def test_statistics_are_computed_once_and_cached(files, tmp_path):
    bank = bank_of(files, tmp_path / "cache")
    calls = []

    def means(frames: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        calls.append(len(frames))
        return frames.sum(dim=1) / lengths[:, None]

    made = bank.statistics("mean", means)
    assert bank.statistics("mean", means) is made and made.shape[:2] == (3, 2)
    for clip in range(3):
        for copy in range(2):
            torch.testing.assert_close(made[clip, copy], bank.entry(clip, copy).mean(dim=0))
    again = bank_of(files, tmp_path / "cache").statistics("mean", means)
    assert torch.equal(again, made) and sum(calls) == 6


def test_joined_banks_hold_all_clips(files, tmp_path):
    parts = [bank_of(files[:1], tmp_path / "cache"), bank_of(files[1:], tmp_path / "cache")]
    whole, bank = bank_of(files, tmp_path / "cache"), join(parts)
    assert len(bank) == 3 and bank.copies == 2
    assert torch.equal(bank.frames, whole.frames) and torch.equal(bank.offsets, whole.offsets)
    first = bank.statistics("first", lambda frames, lengths: frames[:, 0])
    assert torch.equal(first[2, 1], whole.entry(2, 1)[0])


def test_a_subset_uses_the_statistics_of_the_whole_bank(files, tmp_path):
    bank = bank_of(files, tmp_path / "cache")
    some = subset(bank, [2, 0])
    assert len(some) == 2 and subset(bank, [0, 1, 2]) is bank
    for place, clip in enumerate((2, 0)):
        for copy in range(2):
            assert torch.equal(some.entry(place, copy), bank.entry(clip, copy))
    means = some.statistics("mean", lambda frames, lengths: frames.sum(dim=1) / lengths[:, None])
    torch.testing.assert_close(means[1, 1], bank.entry(0, 1).mean(dim=0))
    assert bank.memory["mean"] is not None and list((tmp_path / "cache").glob("*.mean-*.safetensors"))


def test_statistics_of_other_code_are_computed_again(files, tmp_path, monkeypatch):
    some = subset(bank_of(files, tmp_path / "cache"), [2, 0])
    assert not some.statistics("size", lambda frames, lengths: torch.zeros(len(frames), 1)).any()
    monkeypatch.setattr("ser.data.feature_cache.KEY_VERSION", 2)
    again = CachedBank(some.frames, some.offsets, 2, some.speech, file=some.source.file)
    assert again.statistics("size", lambda frames, lengths: torch.ones(len(frames), 1)).all()


def test_the_key_covers_the_recordings_the_settings_the_code_and_the_libraries(files, monkeypatch):
    keys = {cache_key(files, RECIPE, None, 1), cache_key(files, RECIPE, 2.0, 1), cache_key(files, RECIPE, None, 2)}
    keys |= {cache_key(files[:2], RECIPE, None, 1), cache_key(files, get_recipe("cnn1d"), None, 1)}
    changed = replace(RECIPE, training=replace(RECIPE.training, augmentation=Gain(6.0)))
    keys.add(cache_key(files, changed, None, 1))
    monkeypatch.setattr("ser.data.feature_cache.KEYED_CODE", KEYED_CODE[1:])
    keys.add(cache_key(files, RECIPE, None, 1))
    monkeypatch.setattr("ser.data.feature_cache.version", lambda name: "0")
    keys.add(cache_key(files, RECIPE, None, 1))
    assert len(keys) == 8


SHAPES_NO_FRAME = {  # prefixes of what clip_frames and the recipes import besides KEYED_CODE
    "ser.core.errors": "errors",
    "ser.core.labels": "names of classes",
    "ser.core.optional_packages": "what to say when librosa is not installed",
    "ser.models": "networks and their tensors; a recipe's features are in its own file or in ser.features",
}


def test_the_key_covers_every_module_that_shapes_frames():
    used: set[str] = set()
    left = [SER / "data" / "clip_frames.py", *(SER / "models" / "recipes").glob("*.py")]
    while left:
        path = left.pop()
        used.add(module_name(path))
        imports = {name for name in imported(path) & NAMES if not name.startswith(tuple(SHAPES_NO_FRAME))}
        left += [SER.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in imports - used]
    # each recipe is part of the key of its own frames
    own = {name for name in used if not name.startswith("ser.models.recipes")}
    assert own == {module_name(SER / name) for name in KEYED_CODE}


@pytest.mark.parametrize("recipe", find_recipes().values(), ids=lambda recipe: recipe.name)
def test_code_that_computes_recipe_features_is_in_the_key(recipe):
    keyed = {module_name(SER / name) for name in KEYED_CODE} | {f"ser.models.recipes.{recipe.name}"}
    own = {type(part).__module__ for part in recipe.features(None).modules()}
    assert {name for name in own if name.startswith("ser.")} <= keyed


SHAPES_NO_STATISTICS = {  # what the networks on an encoder import besides KEYED_MODELS
    "ser.core": "errors and settings",
    "ser.models.domain_distance": "a head",
    "ser.models.encoder": "the heads",
    "ser.models.network": "the shape of the output",
    "ser.models.pretrained": "checks the published tensors against the checksum that the network's file states",
    "ser.models.speaker_offset": "a head",
}


@pytest.mark.parametrize("name", [name for name, recipe in find_recipes().items() if recipe.pretrained])
def test_the_key_of_statistics_covers_every_module_that_computes_them(name):
    used: set[str] = set()
    left = {get_recipe(name).network.__module__}
    while left:
        module = left.pop()
        used.add(module)
        path = SER.joinpath(*module.split(".")[1:]).with_suffix(".py")
        found = imported(path) & NAMES
        left |= {one for one in found if not one.startswith(tuple(SHAPES_NO_STATISTICS))} - used
    keyed = {module_name(SER / file) for file in (*KEYED_CODE, *KEYED_MODELS)}
    assert {module_name(SER / file) for file in KEYED_MODELS} <= used <= keyed
