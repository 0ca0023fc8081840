"""Less sure of recordings from elsewhere, learnt from leaving corpora out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ser.models.conditional_head import Caution
from ser.training.head_fitting import kinds_of
from ser.training.ood_temperature import Clips, fit_caution

SIZE, CLASSES = 40, 3


def corpus(number: int, draw: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """120 clips in three classes that show in other dims in every corpus, and a background of its own."""
    targets = torch.arange(120) % CLASSES
    vectors = 0.5 * torch.randn(120, SIZE, generator=draw)
    vectors[torch.arange(120), 3 * number + targets] += 2.0
    vectors[:, 20 + 5 * number : 25 + 5 * number] += 2.0 * torch.randn(120, 5, generator=draw)
    return vectors, targets


@pytest.fixture
def clips() -> Clips:
    draw = torch.Generator().manual_seed(0)
    parts = [corpus(number, draw) for number in range(3)]
    vectors, targets = (torch.cat(part) for part in zip(*parts, strict=True))
    kinds = torch.arange(3).repeat_interleave(120)
    return Clips(
        views=torch.stack([vectors, vectors + 0.1 * torch.randn(360, SIZE, generator=draw)], dim=1),
        targets=targets,
        allowed=torch.ones(360, CLASSES, dtype=torch.bool),
        groups=kinds * CLASSES + targets,
        kinds=kinds,
        speakers=torch.arange(360) // 12,
    )


def test_what_is_unlike_every_corpus_is_answered_with_caution(clips):
    caution = Caution(SIZE, 3, directions=12)
    fit_caution(caution, clips)
    assert caution.slope > 0
    strange = torch.zeros(1, SIZE)
    strange[0, 20:35] = 5.0  # the backgrounds of all corpora at once
    kinds = torch.tensor([[1.0, 0.0, 0.0]])
    assert caution.unlike(strange) > 1.2
    assert caution(strange, kinds) > 1.5 * caution(clips.views[:1, 0], kinds)


def test_nine_tenths_of_each_kind_are_as_near_as_is_usual_however_far_apart_they_lie(clips):
    wide = clips.views * (1 + 2 * (clips.kinds == 1))[:, None, None]
    caution = Caution(SIZE, 3, directions=12)
    caution.learn(wide, clips.kinds)
    for kind in range(3):
        assert (caution.unlike(wide[clips.kinds == kind, 0]) <= 1).float().mean() >= 0.9
    assert caution.usual[1] > 1.5 * caution.usual[0]


def test_a_kind_that_there_is_none_of_is_like_none(clips):
    two = clips.only(clips.kinds != 1)
    caution, fewer = Caution(SIZE, 3, directions=12), Caution(SIZE, 2, directions=12)
    caution.learn(two.views, two.kinds)
    fewer.learn(two.views, two.kinds // 2)
    assert torch.equal(caution.unlike(clips.views[:, 0]), fewer.unlike(clips.views[:, 0]))


def test_one_corpus_says_nothing_about_others(clips):
    caution = Caution(SIZE, 3, directions=12)
    alone = clips.only(clips.kinds == 0)
    fit_caution(caution, alone)
    assert caution(torch.randn(5, SIZE), torch.full((5, 3), 1 / 3)).tolist() == [[1.0]] * 5


def test_a_class_that_only_the_left_out_corpus_has_is_no_reason_for_caution(clips):
    plain = Caution(SIZE, 3, directions=12)
    fit_caution(plain, clips)
    rare = (clips.kinds == 2) & (clips.targets == 2)
    allowed = clips.allowed.clone()
    allowed[clips.kinds != 2, 2] = False
    kept = replace(clips, allowed=allowed).only((clips.targets != 2) | rare)
    caution = Caution(SIZE, 3, directions=12)
    fit_caution(caution, kept)
    assert torch.isfinite(caution.by_kind).all() and torch.isfinite(caution.slope)


def test_more_corpora_than_kinds_are_all_of_one():
    assert kinds_of(["b", "a", "b"], 3).tolist() == [1, 0, 1]
    assert kinds_of(["b", "a", "c"], 2).tolist() == [0, 0, 0]
