"""Datasets: mapping native labels to the label set of a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser.core.errors import CorpusError
from ser.data.corpus import Utterance, get_corpus
from ser.data.dataset import label_utterances
from ser.models.recipe import get_recipe

RECIPE = get_recipe("cnn1d_published")


def natives(*names: str) -> list[Utterance]:
    return [Utterance(path=Path(f"{n}.wav"), corpus="ravdess", speaker="1", native_label=n) for n in names]


def test_the_recipe_maps_calm_to_neutral_and_a_label_set_can_be_chosen():
    ravdess = get_corpus("ravdess")
    utterances = natives("calm", "happy", "disgust")
    calm, happy, disgust = utterances
    assert label_utterances(RECIPE, ravdess, utterances, None) == [
        (calm, "neutral"),
        (happy, "happy"),
        (disgust, "disgust"),
    ]
    assert label_utterances(RECIPE, ravdess, utterances, ("calm", "happy")) == [(calm, "calm"), (happy, "happy")]
    assert label_utterances(RECIPE, ravdess, utterances, ("neutral", "sad")) == [(calm, "neutral")]
    with pytest.raises(CorpusError, match="No clip"):
        label_utterances(RECIPE, ravdess, utterances, ("sad", "angry"))
