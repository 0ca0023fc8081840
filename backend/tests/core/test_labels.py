"""Emotion labels: their order, and which labels count as equal."""

from __future__ import annotations

from ser.core.labels import EMOTIONS, canonical_order, relabel


def test_labels_have_one_order_and_calm_counts_as_neutral():
    assert canonical_order(("sad", "angry", "neutral")) == ("angry", "neutral", "sad")
    assert relabel("calm", ("neutral", "sad")) == "neutral"
    assert relabel("calm", EMOTIONS) == "calm"
    assert relabel("disgust", ("neutral", "sad")) is None
