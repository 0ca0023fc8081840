from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from ser.audio.vad import find_speech
from ser.audio.waveform import decode, resample
from ser.core.errors import AudioError
from ser.data.feature_cache import build_bank, clip_frames, join, pad
from ser.models.recipe import get_recipe

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
    return build_bank(files, RECIPE, clip_seconds=None, copies=copies, cache=cache, on_progress=on_progress)


def test_a_bank_holds_the_frames_of_every_clip_and_of_changed_copies(files, tmp_path):
    bank = bank_of(files, tmp_path / "cache")
    module = RECIPE.features(None)
    assert len(bank) == 3 and bank.copies == 2 and bank.speech.all()
    for n, file in enumerate(files):
        clip = resample(decode(file), 16_000).samples
        samples = torch.from_numpy(clip[find_speech(clip).span()])
        frames, _ = module(samples[None], torch.tensor([len(samples)]))
        torch.testing.assert_close(bank.entry(n), frames[0])
        assert bank.entry(n, 1).shape != bank.entry(n).shape or not torch.equal(bank.entry(n, 1), bank.entry(n))


def test_a_second_run_reads_the_cache_and_a_changed_file_does_not(files, tmp_path):
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


def test_an_unreadable_clip_stops_with_its_name(files, tmp_path):
    files[1].write_bytes(b"not audio")
    with pytest.raises(AudioError, match=files[1].name):
        bank_of(files, tmp_path / "cache")


def test_padding_is_zero():
    frames, lengths = pad([torch.ones(3, 2), torch.ones(5, 2)])
    assert lengths.tolist() == [3, 5]
    assert frames.shape == (2, 5, 2) and not frames[0, 3:].any()


def test_what_a_function_makes_of_a_bank_is_made_once_and_kept(files, tmp_path):
    bank = bank_of(files, tmp_path / "cache")
    calls = []

    def halve(frames: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(len(frames))
        return frames[:, ::2], (lengths + 1) // 2

    made = bank.through("half", halve)
    assert bank.through("half", halve) is made and len(made) == 3 and made.copies == 2
    for clip in range(3):
        for copy in range(2):
            assert torch.equal(made.entry(clip, copy), bank.entry(clip, copy)[::2])
    again = bank_of(files, tmp_path / "cache").through("half", halve)
    assert torch.equal(again.frames, made.frames) and sum(calls) == 6


def test_joined_banks_hold_the_clips_of_all(files, tmp_path):
    parts = [bank_of(files[:1], tmp_path / "cache"), bank_of(files[1:], tmp_path / "cache")]
    whole, bank = bank_of(files, tmp_path / "cache"), join(parts)
    assert len(bank) == 3 and bank.copies == 2
    assert torch.equal(bank.frames, whole.frames) and torch.equal(bank.offsets, whole.offsets)
    made = bank.through("same", lambda frames, lengths: (frames, lengths), torch.float16)
    assert torch.equal(made.entry(2, 1), whole.entry(2, 1).half().float())


def test_some_clips_of_a_bank_and_what_was_made_of_all(files, tmp_path):
    bank = bank_of(files, tmp_path / "cache")
    some = bank.only([2, 0])
    assert len(some) == 2 and bank.only([0, 1, 2]) is bank
    for place, clip in enumerate((2, 0)):
        for copy in range(2):
            assert torch.equal(some.entry(place, copy), bank.entry(clip, copy))
    means = some.statistics("mean", lambda frames, lengths: frames.sum(dim=1) / lengths[:, None])
    torch.testing.assert_close(means[1, 1], bank.entry(0, 1).mean(dim=0))
    assert bank.memory["mean"] is not None and list((tmp_path / "cache").glob("*.mean.safetensors"))
