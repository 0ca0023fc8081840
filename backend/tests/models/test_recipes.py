"""The contract of all recipes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ser.audio.waveform import SAMPLE_RATE, decode
from ser.core.errors import ModelError
from ser.core.labels import EMOTIONS
from ser.data.corpus import find_corpora
from ser.models.encoder import EncoderNetwork
from ser.models.network import Network, NetworkOutput
from ser.models.recipe import Recipe, find_recipes, get_recipe

RECIPES = find_recipes()


@pytest.fixture(params=RECIPES.values(), ids=RECIPES)
def recipe(request) -> Recipe:
    return request.param


@pytest.fixture
def batch(samples) -> tuple[torch.Tensor, torch.Tensor]:
    clips = [torch.from_numpy(decode(path).samples) for path in samples.values()]
    return torch.nn.utils.rnn.pad_sequence(clips, batch_first=True), torch.tensor([len(clip) for clip in clips])


@pytest.fixture
def network(recipe) -> torch.nn.Module:
    torch.manual_seed(0)
    return recipe.network(len(recipe.labels)).eval()


def test_a_recipe_describes_itself(recipe):
    assert RECIPES[recipe.name] is recipe
    assert recipe.sample_rate == SAMPLE_RATE
    assert len(set(recipe.labels)) == len(recipe.labels)
    assert set(recipe.labels) <= set(EMOTIONS)
    for text in (recipe.title, recipe.summary, recipe.source, recipe.protocol):
        assert text.strip()


def test_only_recipes_with_an_encoder_support_profiles(recipe, network):
    assert isinstance(network, Network)
    assert network.supports_profiles is isinstance(network, EncoderNetwork) is (recipe.pretrained is not None)


@pytest.fixture(params=[name for name, recipe in RECIPES.items() if recipe.pretrained], scope="module")
def encoder_recipe(request) -> Recipe:
    return RECIPES[request.param]


@pytest.fixture(scope="module")
def encoder(encoder_recipe) -> EncoderNetwork:
    """A network with an encoder and random weights."""
    torch.manual_seed(0)
    return encoder_recipe.network(len(encoder_recipe.labels)).eval()


@torch.inference_mode()
def test_an_encoder_predicts_the_same_from_its_statistics(encoder, encoder_recipe, batch):
    frames, lengths = encoder_recipe.features(encoder_recipe.clip_seconds)(*batch)
    direct = encoder(frames, lengths)
    known = encoder.heads.predict(encoder.statistics(frames, lengths))
    for name in ("logits", "embedding", "speech", "intensity", "distance"):
        torch.testing.assert_close(getattr(known, name), getattr(direct, name))


@torch.inference_mode()
def test_a_longer_neighbour_does_not_change_an_encoder_s_statistics(encoder, encoder_recipe, batch):
    frames, lengths = encoder_recipe.features(encoder_recipe.clip_seconds)(*batch)
    together = encoder.statistics(frames, lengths)
    for row, clip, length in zip(together, frames, lengths.tolist(), strict=True):
        torch.testing.assert_close(
            row, encoder.statistics(clip[None, :length], torch.tensor([length]))[0], atol=1e-4, rtol=1e-3
        )


def test_the_fingerprint_of_an_encoder_s_heads_follows_their_weights(encoder):
    before = encoder.heads.fingerprint
    assert before == encoder.heads.fingerprint and len(before) == 16
    weight = encoder.heads.head.weight
    with torch.no_grad():
        weight[0, 0] += 1
        assert encoder.heads.fingerprint != before
        weight[0, 0] -= 1


def test_the_docstring_names_the_system_and_its_deviations(recipe):
    import importlib

    text = importlib.import_module(f"ser.models.recipes.{recipe.name}").__doc__
    assert "Deviates" in text and "System:" in text


def test_every_label_is_trained_on_some_corpus(recipe):
    mapped = {label for mapping in recipe.corpora.values() for label in mapping.values()}
    assert mapped == set(recipe.labels)
    for corpus, mapping in recipe.corpora.items():
        assert set(mapping) <= set(find_corpora()[corpus].labels)


def test_shapes(recipe, batch, network):
    frames, lengths = recipe.features(recipe.clip_seconds)(*batch)
    output = network(frames, lengths)
    assert frames.shape[:2] == (3, int(lengths.max())) or frames.shape[1] >= int(lengths.max())
    assert isinstance(output, NetworkOutput)
    assert output.logits.shape == (3, len(recipe.labels))
    assert output.embedding.ndim == 2 and len(output.embedding) == 3
    assert output.attribution is None or output.attribution.shape[0] == 3
    assert output.speech is None or output.speech.shape == (3,)
    assert output.distance is None or output.distance.shape == (3,)
    assert output.intensity is None or ((output.intensity >= 0) & (output.intensity <= 1)).tolist() == [True] * 3
    assert output.is_speech.dtype == torch.bool and output.is_speech.shape == (3,)
    assert torch.isfinite(output.logits).all()


def test_a_batch_equals_single_clips(recipe, batch, network):
    features = recipe.features(recipe.clip_seconds)
    with torch.inference_mode():
        together = network(*features(*batch)).logits.softmax(dim=1)
        for row, samples, length in zip(together, *batch, strict=True):
            alone = network(*features(samples[None, :length], length[None])).logits.softmax(dim=1)
            torch.testing.assert_close(row, alone[0], atol=1e-5, rtol=0)


def test_values_beyond_the_frame_length_are_ignored(recipe, batch, network):
    frames, lengths = recipe.features(recipe.clip_seconds)(*batch)
    wider = torch.cat([frames, torch.zeros(3, 100, frames.shape[2])], dim=1)
    torch.testing.assert_close(network(frames, lengths).logits, network(wider, lengths).logits, atol=1e-5, rtol=0)


def test_shortest_and_long_recordings_are_accepted(recipe, network):
    draw = np.random.default_rng(0)
    for seconds in (0.1, 10.0):
        samples = torch.from_numpy(draw.standard_normal((1, int(seconds * SAMPLE_RATE))).astype(np.float32))
        frames, lengths = recipe.features(recipe.clip_seconds)(samples, torch.tensor([samples.shape[1]]))
        logits = network(frames, lengths).logits
        assert torch.isfinite(logits).all()


def test_augmentation_gives_valid_audio_and_is_reproducible(recipe, samples):
    clip = decode(samples["happy"]).samples
    change = recipe.training.augmentation
    one, again, other = (change(clip, SAMPLE_RATE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert one.dtype == np.float32 and np.isfinite(one).all()
    assert len(one) != len(other) or not np.array_equal(one, other)
    assert 0.8 < len(one) / len(clip) < 1.25


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(ModelError, match="available: .*cnn1d"):
        get_recipe("cnn9d")
