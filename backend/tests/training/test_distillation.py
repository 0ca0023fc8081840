"""Distillation of a large encoder into a small network before supervised training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ser.core.errors import CorpusError, ModelError
from ser.data.corpus import get_corpus
from ser.data.dataset import load_data
from ser.data.frame_tensors import FrameBank
from ser.models.layers import Standardise
from ser.models.recipe import get_recipe
from ser.training.batching import DistillationClips
from ser.training.distillation import distil

STUDENT = get_recipe("cnn1d")
SETTINGS = replace(STUDENT.training, distillation_epochs=20, crop_frames=None, time_mask_frames=0, dim_mask=0)
CLIPS, LEARNT, FRAMES = 64, 48, 24


def bank(means: torch.Tensor) -> FrameBank:
    """One entry per clip: noise around the clip's mean spectrum; ``means`` is (clips, dims)."""
    draw = torch.Generator().manual_seed(0)
    frames = means[:, None] + 0.02 * torch.randn(len(means), FRAMES, means.shape[1], generator=draw)
    offsets = FRAMES * torch.arange(len(means) + 1)
    return FrameBank(frames.flatten(0, 1), offsets, 1, torch.ones(len(means), dtype=torch.bool))


@pytest.fixture
def recordings() -> list[DistillationClips]:
    """Inputs of student and teacher that depend on the same latent variables."""
    causes = torch.randn(CLIPS, 4, generator=torch.Generator().manual_seed(1))
    means = [causes @ torch.randn(4, dims, generator=torch.Generator().manual_seed(dims)) for dims in (39, 80)]
    return [DistillationClips(*map(bank, means), range(LEARNT))]


def student(recordings: list[DistillationClips], seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    network = STUDENT.network(3).eval()
    network.standardise.fit(recordings[0].bank.frames[: LEARNT * FRAMES])
    return network


def distilled(toy_encoder, recordings: list[DistillationClips], seed: int = 0) -> torch.nn.Module:
    network = student(recordings, seed)
    distil(network, toy_encoder, recordings, SETTINGS, seed)
    return network.eval()


@torch.inference_mode()
def unexplained(network: torch.nn.Module, recordings: list[DistillationClips]) -> float:
    """Share of variance of the teacher's statistics on new clips left unexplained by a linear map of the embeddings."""
    inputs = network(*recordings[0].bank.batch(range(CLIPS))).embedding
    wanted = recordings[0].teacher_bank.memory["statistics"][:, 0]
    standardise = Standardise(wanted.shape[1])
    standardise.fit(wanted)
    inputs, wanted = torch.cat([inputs, torch.ones(CLIPS, 1)], dim=1), standardise(wanted)
    known = inputs[:LEARNT]
    learnt = torch.linalg.solve(known.T @ known + torch.eye(known.shape[1]), known.T @ wanted[:LEARNT])
    return float((inputs[LEARNT:] @ learnt - wanted[LEARNT:]).square().mean() / wanted[LEARNT:].square().mean())


def test_the_student_learns_the_teacher_s_statistics(toy_encoder, recordings):
    network = distilled(toy_encoder, recordings)
    assert unexplained(network, recordings) < 0.8 * unexplained(student(recordings), recordings)


def test_the_same_seed_gives_the_same_student(toy_encoder, recordings):
    one, again, other = (distilled(toy_encoder, recordings, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_clips_outside_the_training_data_change_nothing(toy_encoder, recordings):
    one = distilled(toy_encoder, recordings).state_dict()
    for part in (recordings[0].bank, recordings[0].teacher_bank):
        part.frames[LEARNT * FRAMES :] = 7.0
        part.memory.clear()
    again = distilled(toy_encoder, recordings).state_dict()
    assert all(torch.equal(one[name], again[name]) for name in one)


def test_a_corpus_is_labelled_or_unlabelled_but_not_both(tmp_path):
    source = (get_corpus("ravdess"), tmp_path)
    with pytest.raises(CorpusError, match="either with or without labels"):
        load_data(STUDENT, [source], labels=None, clip_seconds=None, cache=tmp_path, unlabelled=[source])
    with pytest.raises(ModelError, match="has no teacher"):
        load_data(get_recipe("mlp"), [], labels=None, clip_seconds=None, cache=tmp_path, unlabelled=[source])
