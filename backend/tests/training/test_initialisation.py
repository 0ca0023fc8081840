"""Closed-form fitting of the heads of a network on a frozen encoder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ser.audio.synthetic_sounds import SOUNDS, make_sound
from ser.core.errors import TrainingError
from ser.data.frame_tensors import FrameBank
from ser.models.encoder import EncoderNetwork
from ser.models.recipe import Recipe
from ser.models.whisper_encoder import DIMS, HEADS
from ser.training.batching import Task
from ser.training.head_fitting import domains_of
from ser.training.initialisation import known_statistics
from ser.training.loop import fit, predict, predict_logits, unweighted_recall


@pytest.fixture
def recipe(toy_encoder) -> Recipe:
    """The recipe with random tensors in place of the pretrained ones."""
    settings = replace(toy_encoder.training, epochs=0, batch_size=8, crop_frames=None)
    return replace(toy_encoder, training=settings)


@pytest.fixture
def task() -> Task:
    """48 clips of 8 speakers in 3 classes that differ in the spectrum, each with one augmented copy."""
    draw = np.random.default_rng(0)
    entries = []
    for clip in range(48):
        for _ in range(2):
            frames = draw.standard_normal((int(draw.integers(20, 40)), 80)).astype(np.float32)
            frames[:, 20 * (clip % 3) : 20 * (clip % 3) + 20] += 1.0
            entries.append(frames)
    offsets = np.cumsum([0, *(len(entry) for entry in entries)])
    bank = FrameBank(
        torch.from_numpy(np.concatenate(entries)), torch.from_numpy(offsets), 2, torch.ones(48, dtype=torch.bool)
    )
    speakers = [f"s/{clip % 8}" for clip in range(48)]
    return Task(bank, torch.arange(48) % 3, 3, train=list(range(36)), validation=[], speakers=speakers)


def test_without_an_epoch_the_heads_predict(recipe, task, published_tensors):
    trained = fit(recipe, task, settings=recipe.training, seed=0)
    network = recipe.network(3)
    network.load_state_dict(trained.weights)
    assert trained.history == [] and trained.best_epoch == 0
    assert unweighted_recall(predict_logits(network, task.bank, range(36, 48)), task.targets[36:]) > 0.9
    assert torch.equal(network.conv1.weight, published_tensors["conv1.weight"].float())


def test_the_encoder_equals_torch_s_own_attention_on_the_published_tensors(recipe, published_tensors):
    network = recipe.network(3).eval()
    network.load_pretrained({name: value.float() for name, value in published_tensors.items()})
    hidden = torch.randn(2, 11, DIMS, generator=torch.Generator().manual_seed(1))
    weights = {name: value.float() for name, value in published_tensors.items()}

    def linear(inputs: torch.Tensor, name: str) -> torch.Tensor:
        return inputs @ weights[f"layers.1.{name}.weight"].T + weights.get(f"layers.1.{name}.bias", torch.zeros(1))

    def norm(inputs: torch.Tensor, name: str) -> torch.Tensor:
        own = (weights[f"layers.1.{name}.{part}"] for part in ("weight", "bias"))
        return torch.nn.functional.layer_norm(inputs, (DIMS,), *own)

    normed = norm(hidden, "self_attn_layer_norm")
    heads = [
        linear(normed, f"self_attn.{letter}_proj").unflatten(2, (HEADS, DIMS // HEADS)).transpose(1, 2)
        for letter in "qkv"
    ]
    attended = (heads[0] @ heads[1].transpose(2, 3) / 8).softmax(dim=3) @ heads[2]
    by_hand = hidden + linear(attended.transpose(1, 2).flatten(2), "self_attn.out_proj")
    inner = torch.nn.functional.gelu(linear(norm(by_hand, "final_layer_norm"), "fc1"))
    by_hand = by_hand + linear(inner, "fc2")
    with torch.inference_mode():
        torch.testing.assert_close(network.layers[1](hidden), by_hand, atol=1e-4, rtol=1e-4)


def fitted(recipe: Recipe, task: Task) -> EncoderNetwork:
    network = recipe.network(3)
    network.load_state_dict(fit(recipe, task, settings=recipe.training, seed=0).weights)
    return network.eval()


def test_the_distance_is_from_the_corpus_s_own_recordings(recipe, task):
    task.bank.frames[: task.bank.offsets[48], 60:] += 3.0  # the first 24 clips sound as if from another microphone
    alone, two = fitted(recipe, task), fitted(recipe, replace(task, corpora=["a"] * 24 + ["b"] * 24))
    for network in (alone, two):
        distances = predict(network, task.bank, range(36)).distance
        assert (distances <= 1).float().mean() == pytest.approx(0.95, abs=0.06)
    assert not torch.equal(two.distance.centres[0], two.distance.centres[1])
    assert torch.equal(alone.distance.centres[0], alone.distance.centres[1])
    task.bank.frames[:, :20] += 6.0
    assert (
        predict(two, FrameBank(task.bank.frames, task.bank.offsets, 2, task.bank.speech), range(36)).distance.min() > 1
    )


def test_more_corpora_than_domains_count_as_one():
    assert domains_of(["b", "a", "b"], 2).tolist() == [1, 0, 1]
    assert domains_of(["c", "a", "b"], 2).tolist() == [0, 0, 0]


def test_the_centred_head_answers_clips_whose_speaker_s_offset_is_known(recipe, task):
    network = fitted(recipe, task)
    embeddings, offset = predict(network, task.bank, range(36, 48)).embedding, network.heads.speaker_offset
    assert offset.means.any() and (offset.ratio > 0).all() and offset.spread_between > offset.spread_within > 0
    with torch.inference_mode():
        speaker = network.heads.estimate_speaker(embeddings)
        plain = network.heads.head(embeddings)
        adapted = network.heads.adapt(plain, embeddings, speaker)
        moved = network.heads.estimate_speaker(embeddings + 0.5)
    assert unweighted_recall(adapted, task.targets[36:]) >= unweighted_recall(plain, task.targets[36:]) - 0.1
    assert 0.2 < speaker.share < 1 and moved.share == pytest.approx(speaker.share, abs=1e-3)


def test_without_speakers_every_clip_is_one_speaker_s(recipe, task):
    network = fitted(recipe, replace(task, speakers=[]))
    offset = network.heads.speaker_offset
    assert torch.isfinite(offset.ratio).all() and torch.isfinite(network.heads.centred_head.weight).all()
    recall = unweighted_recall(predict_logits(network, task.bank, range(36, 48)), task.targets[36:])
    assert recall > 0.9


def test_a_frozen_encoder_cannot_be_trained_for_epochs(recipe, task):
    with pytest.raises(TrainingError, match="2 epochs: its encoder stays frozen"):
        fit(recipe, task, settings=replace(recipe.training, epochs=2), seed=0)


def test_intensity_is_trained_on_emotions_with_several_levels(recipe, task):
    strong = torch.arange(48) // 3 % 2 == 0
    for clip in range(48):
        for copy in range(2):
            number = 2 * clip + copy
            task.bank.frames[task.bank.offsets[number] : task.bank.offsets[number + 1], 70:] += 2.0 * strong[clip]
    levels = torch.where(strong, 1.0, 0.0)
    levels[task.targets == 2] = 0.0  # this emotion is always mild, so it carries no information
    trained = fit(recipe, replace(task, intensities=levels), settings=recipe.training, seed=0)
    network = recipe.network(3)
    network.load_state_dict(trained.weights)
    found = predict(network, task.bank, range(36, 48)).intensity
    assert found[strong[36:]].min() > found[~strong[36:]].max()


def test_music_and_noise_are_distinguished_from_speech(recipe, task):
    trained = fit(recipe, task, settings=recipe.training, seed=0)
    network = recipe.network(3)
    network.load_state_dict(trained.weights)
    network.eval()
    features = recipe.features(None)
    unknown = [make_sound(kind, recipe.sample_rate, np.random.default_rng(999)) for kind in SOUNDS]
    frames = [features(torch.from_numpy(one)[None], torch.tensor([len(one)])) for one in unknown]
    assert not any(network(*one).is_speech.any() for one in frames)
    assert predict(network, task.bank, range(36, 48)).is_speech.all()


def test_cached_encoder_statistics_give_the_same_outputs(recipe, task):
    assert known_statistics(recipe, task.bank) is None
    network = recipe.network(3)
    network.load_state_dict(fit(recipe, task, settings=recipe.training, seed=0).weights)
    known = known_statistics(recipe, task.bank)
    plain, from_known = predict(network, task.bank, [40, 3]), predict(network, task.bank, [40, 3], known)
    for name in ("logits", "embedding", "speech", "intensity", "distance"):
        torch.testing.assert_close(getattr(plain, name), getattr(from_known, name), atol=1e-4, rtol=1e-4)
