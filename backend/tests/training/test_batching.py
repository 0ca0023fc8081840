"""Batching: sampling, class weights, masking, crops, mixup and soft labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ser.data.corpus import Utterance, get_corpus
from ser.data.dataset import Data, Unlabelled
from ser.data.frame_tensors import FrameBank
from ser.data.splits import make_folds, speaker_of
from ser.models.recipe import get_recipe
from ser.training.batching import Task, class_weights, draw_batches, make_batch, make_task

PLAIN = replace(get_recipe("cnn1d").training, batch_size=4, mixup=0.0, crop_frames=None)
CLIPS = 60


@pytest.fixture
def bank() -> FrameBank:
    """Clips of 10 to 69 frames of 5 dims, all ones, in two copies; the last clip has no speech."""
    lengths = np.repeat(10 + np.arange(CLIPS), 2)
    speech = torch.ones(CLIPS, dtype=torch.bool)
    speech[-1] = False
    offsets = torch.from_numpy(np.cumsum([0, *lengths]))
    return FrameBank(torch.ones(int(lengths.sum()), 5), offsets, 2, speech)


@pytest.fixture
def task(bank) -> Task:
    """A task in which nine of ten clips are of class 0."""
    targets = torch.tensor([int(clip % 10 == 0) for clip in range(CLIPS)])
    return Task(bank, targets, 2, train=list(range(CLIPS)), validation=[])


def draw() -> np.random.Generator:
    return np.random.default_rng(0)


def test_an_epoch_holds_every_clip_once(task):
    batches = draw_batches(task, PLAIN, draw())
    assert sorted(np.concatenate(batches).tolist()) == list(range(CLIPS))
    assert {len(batch) for batch in batches} == {4}


def test_clips_of_a_batch_are_of_similar_length(task):
    spread = [np.ptp(batch) for batch in draw_batches(task, PLAIN, draw())]
    alike = [np.ptp(batch) for batch in np.split(draw().permutation(CLIPS), 15)]
    assert np.mean(spread) < 0.5 * np.mean(alike)


def test_balanced_sampling_draws_classes_equally_often(task):
    balanced = replace(PLAIN, balanced=True)
    many = [np.concatenate(draw_batches(task, balanced, np.random.default_rng(seed))) for seed in range(20)]
    share = task.targets[torch.from_numpy(np.concatenate(many))].float().mean()
    assert share == pytest.approx(0.5, abs=0.05)


def test_class_weights_are_inverse_class_frequencies(task):
    weights = class_weights(task)
    assert weights.tolist() == pytest.approx([CLIPS / (2 * 54), CLIPS / (2 * 6)])
    assert weights[task.targets].mean() == pytest.approx(1.0)


def test_masks_blank_times_and_bands_without_changing_the_bank(task):
    masked = replace(PLAIN, time_mask_frames=8, dim_mask=2)
    blanked = []
    for seed in range(50):
        frames, *_ = make_batch(task, np.array([50]), masked, np.random.default_rng(seed))
        empty = frames[0] == 0
        rows, columns = empty.all(dim=1), empty.all(dim=0)
        assert rows.sum() <= 8 and columns.sum() <= 2
        assert torch.equal(empty, rows[:, None] | columns[None, :])
        blanked.append(bool(empty.any()))
    assert np.mean(blanked) > 0.5
    assert task.bank.frames.min() == 1


def test_a_crop_is_never_longer_than_requested(task):
    _, lengths, *_ = make_batch(task, np.arange(CLIPS), replace(PLAIN, crop_frames=30), draw())
    assert lengths.tolist() == [min(30, 10 + clip) for clip in range(CLIPS)]


def test_mixup_mixes_targets_like_frames(task):
    _, _, targets, _ = make_batch(task, np.arange(CLIPS), replace(PLAIN, mixup=0.3), draw())
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(CLIPS))


def test_listener_votes_are_used_where_available(bank):
    votes = {"angry": 0.2, "sad": 0.6, "neutral": 0.2}
    utterances = [
        Utterance(path=Path("a"), corpus="crema-d", speaker="1", native_label="SAD", soft_labels=votes),
        Utterance(path=Path("b"), corpus="crema-d", speaker="1", native_label="ANG"),
    ]
    data = Data((get_corpus("crema-d"),), utterances, ["sad", "angry"], ("angry", "sad"), bank)
    voted = make_task(data, [0, 1], [], votes=True)
    torch.testing.assert_close(voted.learnt, torch.tensor([[0.25, 0.75], [1.0, 0.0]]))
    assert make_task(data, [0, 1], []).learnt.tolist() == [[0, 1], [1, 0]]


def test_clips_without_speech_are_not_used(bank):
    utterances = [Utterance(path=Path("a"), corpus="ravdess", speaker="1", native_label="sad")] * CLIPS
    data = Data((get_corpus("ravdess"),), utterances, ["sad"] * CLIPS, ("angry", "sad"), bank)
    task = make_task(data, range(CLIPS - 5, CLIPS), [CLIPS - 1])
    assert CLIPS - 1 not in task.train and task.validation == []


def test_a_clip_is_trained_on_the_classes_of_its_corpus_only(bank):
    targets = torch.tensor([clip % 2 if clip < 30 else clip % 3 for clip in range(CLIPS)])
    corpora = ["two"] * 30 + ["three"] * 30
    task = Task(bank, targets, 3, train=list(range(CLIPS)), validation=[], corpora=corpora)
    assert task.allowed[:30].tolist() == [[True, True, False]] * 30
    assert task.allowed[30:].all()
    smooth = replace(PLAIN, label_smoothing=0.2)
    _, _, shares, allowed = make_batch(task, np.array([0, 30]), smooth, draw())
    assert shares.tolist() == pytest.approx(np.array([[0.9, 0.1, 0.0], [0.8 + 0.2 / 3, 0.2 / 3, 0.2 / 3]]))
    assert torch.equal(allowed, task.allowed[[0, 30]])
    _, _, shares, allowed = make_batch(task, np.array([0, 30]), replace(smooth, mixup=0.5), draw())
    assert shares.sum(dim=1).tolist() == pytest.approx([1, 1]) and not shares[~allowed].any()


def test_balanced_sampling_also_draws_corpora_equally_often(bank):
    corpora = ["small"] * 6 + ["large"] * 54
    task = Task(bank, torch.arange(CLIPS) % 2, 2, train=list(range(CLIPS)), validation=[], corpora=corpora)
    balanced = replace(PLAIN, balanced=True)
    many = np.concatenate([np.concatenate(draw_batches(task, balanced, np.random.default_rng(s))) for s in range(20)])
    assert np.mean(many < 6) == pytest.approx(0.5, abs=0.05)


def test_songs_of_a_test_actor_do_not_reach_the_distillation(bank):
    actors = [f"{actor:02d}" for actor in range(1, 25)]
    speech = [Utterance(path=Path(a), corpus="ravdess", speaker=a, native_label="sad") for a in actors]
    song = [replace(one, corpus="ravdess-song", population="ravdess") for one in speech]
    others = [replace(one, corpus="crema-d", speaker=f"10{one.speaker}") for one in speech]
    clips = FrameBank(bank.frames[: bank.offsets[48]], bank.offsets[:49], 2, bank.speech[:24])
    unlabelled = tuple(
        Unlabelled(get_corpus(name), own, clips, clips) for name, own in (("ravdess-song", song), ("crema-d", others))
    )
    corpora = (get_corpus("ravdess"),)
    data = Data(corpora, speech, ["sad"] * 24, ("angry", "sad"), clips, clips, unlabelled)
    for fold in make_folds("emobox", speech, 0):
        labelled, sung, foreign = make_task(data, fold.train, fold.validation).distillation
        assert list(labelled.clips) == fold.train
        assert {speaker_of(song[i]) for i in sung.clips} == {speaker_of(speech[i]) for i in fold.train}
        assert len(foreign.clips) == len(others)
