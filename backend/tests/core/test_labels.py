"""Emotion labels: their order, and which labels count as equal."""

from __future__ import annotations

import pytest

from ser.core.errors import SettingsError
from ser.core.labels import EMOTIONS, canonical_order, choose_emotions, relabel

LABELS = ("happy", "angry", "sad", "neutral")


def test_labels_have_one_order_and_calm_counts_as_neutral():
    assert canonical_order(("sad", "angry", "neutral")) == ("angry", "neutral", "sad")
    assert relabel("calm", ("neutral", "sad")) == "neutral"
    assert relabel("calm", EMOTIONS) == "calm"
    assert relabel("disgust", ("neutral", "sad")) is None


@pytest.mark.parametrize("chosen", ["sad,angry", " Sadness, ANGER", ["sad", "angry"], ("mad", "sad")])
def test_a_choice_of_emotions_is_read_in_canonical_order(chosen):
    assert choose_emotions(chosen, LABELS) == ("angry", "sad")


@pytest.mark.parametrize("chosen", [None, "", (), [], LABELS, "neutral, happy, sad, angry"])
def test_choosing_all_emotions_is_no_choice(chosen):
    assert choose_emotions(chosen, LABELS) == ()


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ("happy", "Only happy was chosen"),
        ("happy,joy,sad", "Repeated: happy"),
        ("happy,fear,sad,xyz", "Unknown to this model: 'fear', 'xyz'"),
        ("happy,", "Unknown to this model: ''"),
        (["angry,happy", "sad"], "Unknown to this model: 'angry,happy'"),
    ],
)
def test_an_invalid_choice_lists_the_emotions_of_the_model(chosen, problem):
    with pytest.raises(SettingsError) as caught:
        choose_emotions(chosen, LABELS)
    assert str(caught.value) == f"{problem}; choose two or more different emotions of angry, happy, neutral, sad."
    assert caught.value.code == "emotions_invalid"
