"""Adaptation to a speaker without labels, on synthetic speakers whose offsets are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ser.models.domain_distance import DomainDistance
from ser.models.encoder import EncoderHeads
from ser.models.layers import Standardise
from ser.models.speaker_offset import HALF_WAY_CLIPS, SpeakerOffset, share_of
from ser.training.linear_probe import fit_probe

SIZE, CLASSES, SPEAKERS, CLIPS = 50, 6, 60, 24
UNSEEN = 40  # the speakers from here on


class Crowd:
    """Clips of many speakers: vectors are the sum of the speaker's offset, the emotion's mean, and noise."""

    def __init__(self):
        draw = torch.Generator().manual_seed(0)
        self.offsets = 1.5 * torch.randn(SPEAKERS, SIZE, generator=draw)
        emotions = 0.6 * torch.randn(CLASSES, SIZE, generator=draw)
        self.emotions = emotions - emotions.mean(dim=0)
        self.speakers = torch.arange(SPEAKERS).repeat_interleave(CLIPS)
        self.targets = torch.arange(CLASSES).repeat(SPEAKERS * CLIPS // CLASSES)
        noise = torch.randn(SPEAKERS * CLIPS, SIZE, generator=draw)
        # the speaker differs more than the emotion
        self.vectors = self.offsets[self.speakers] + self.emotions[self.targets] + noise

    def mood(self, speaker: int, emotion: int) -> Tensor:
        """Further vectors of one speaker in one mood."""
        noise = torch.randn(CLIPS, SIZE, generator=torch.Generator().manual_seed(emotion))
        return self.offsets[speaker] + self.emotions[emotion] + noise

    def of(self, speaker: int) -> tuple[Tensor, Tensor]:
        """Vectors and targets of one speaker."""
        own = self.speakers == speaker
        return self.vectors[own], self.targets[own]


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return Crowd()


@pytest.fixture(scope="module")
def heads(crowd) -> EncoderHeads:
    """Heads that are fitted to the first speakers."""
    seen = crowd.speakers < UNSEEN
    vectors, targets, speakers = crowd.vectors[seen], crowd.targets[seen], crowd.speakers[seen]
    one_hot = nn.functional.one_hot(targets, CLASSES).float()
    offset, head, centred_head = SpeakerOffset(SIZE, CLASSES), nn.Linear(SIZE, CLASSES), nn.Linear(SIZE, CLASSES)
    centred = offset.fit(vectors, targets, speakers)
    for layer, inputs in ((head, vectors), (centred_head, centred)):
        weight, bias = fit_probe(inputs, one_hot, one_hot >= 0, torch.ones(len(inputs)), penalty=0.01)
        layer.load_state_dict({"weight": weight, "bias": bias})
    with torch.no_grad():
        offset.fit_spread(centred_head(vectors), targets, speakers)
    return EncoderHeads(
        standardise=Standardise(SIZE),
        head=head,
        centred_head=centred_head,
        speaker_offset=offset,
        distance=DomainDistance(SIZE, 1, 2),
        speech=nn.Linear(SIZE, 1),
        intensity=nn.Linear(SIZE, 1),
    )


@torch.inference_mode()
def adapted(heads: EncoderHeads, vectors: Tensor, known: Tensor, weights: Tensor | None = None) -> Tensor:
    """Adapted log probabilities of vectors (clips, size), given those that the speaker is known from."""
    return heads.adapt(heads.head(vectors), vectors, heads.estimate_speaker(known, weights))


@torch.inference_mode()
def plain(heads: EncoderHeads, vectors: Tensor) -> Tensor:
    return heads.head(vectors).log_softmax(dim=1)


def test_adapting_makes_answers_about_unseen_speakers_more_accurate(heads, crowd):
    right = {"plain": 0.0, "adapted": 0.0}
    for speaker in range(UNSEEN, SPEAKERS):
        vectors, targets = crowd.of(speaker)
        right["plain"] += float((plain(heads, vectors).argmax(dim=1) == targets).float().mean())
        right["adapted"] += float((adapted(heads, vectors, vectors).argmax(dim=1) == targets).float().mean())
    gain = (right["adapted"] - right["plain"]) / (SPEAKERS - UNSEEN)
    assert gain > 0.1, right


@torch.inference_mode()
def test_the_offset_of_an_unseen_speaker_is_found(heads, crowd):
    for speaker in range(UNSEEN, SPEAKERS):
        found = heads.estimate_speaker(crowd.of(speaker)[0]).offset
        true = crowd.offsets[speaker] - crowd.offsets[:UNSEEN].mean(dim=0)
        assert (found - true).square().mean() < 0.2 * true.square().mean()


@torch.inference_mode()
def test_one_clip_and_one_mood_change_nothing(heads, crowd):
    vectors, _ = crowd.of(UNSEEN)
    alone = heads.estimate_speaker(vectors[:1])
    assert alone.share == 0
    torch.testing.assert_close(adapted(heads, vectors, vectors[:1]), plain(heads, vectors))
    shares = [heads.estimate_speaker(crowd.mood(UNSEEN, mood)).share for mood in range(CLASSES)]
    assert max(shares) < 0.15 and sum(shares) / CLASSES < 0.1 * heads.estimate_speaker(vectors).share
    same = vectors[:1].expand(20, -1)
    assert heads.estimate_speaker(same).share == 0


@torch.inference_mode()
def test_more_clips_are_trusted_more(heads, crowd):
    vectors, _ = crowd.of(UNSEEN)
    shares = [heads.estimate_speaker(vectors[:count]).share for count in (1, 6, 12, 24)]
    assert shares == sorted(shares) and 0 < shares[1] < shares[3] < 1
    assert share_of(1.0, HALF_WAY_CLIPS) == 0.5 and share_of(0.0, 100) == 0


def test_a_constant_in_all_clips_of_a_varied_speaker_is_undone(heads, crowd):
    draw = torch.Generator().manual_seed(1)
    for speaker in range(UNSEEN, UNSEEN + 5):
        vectors, targets = crowd.of(speaker)
        moved = vectors + torch.randn(SIZE, generator=draw)
        before, after = (
            float((adapted(heads, own, own).argmax(dim=1) == targets).float().mean()) for own in (vectors, moved)
        )
        assert after == pytest.approx(before, abs=0.09)
    with torch.inference_mode():
        logits = (heads.centred_head(own) for own in (vectors, moved))
        one, other = (heads.speaker_offset.variety(own) for own in logits)
    assert one == pytest.approx(other, abs=1e-4), "variety does not depend on the offset"


def test_the_order_of_clips_does_not_matter(heads, crowd):
    vectors, _ = crowd.of(UNSEEN)
    mixed = vectors[torch.randperm(len(vectors), generator=torch.Generator().manual_seed(0))]
    torch.testing.assert_close(adapted(heads, vectors, mixed), adapted(heads, vectors, vectors), atol=1e-4, rtol=1e-4)


def test_a_clip_that_weighs_half_twice_counts_once(heads, crowd):
    vectors, _ = crowd.of(UNSEEN)
    vectors = vectors[:10]
    once = adapted(heads, vectors, vectors, torch.ones(10))
    torch.testing.assert_close(once, adapted(heads, vectors, vectors))
    with torch.inference_mode():
        single = heads.estimate_speaker(vectors)
        twice = heads.estimate_speaker(vectors.repeat(2, 1), torch.full((20,), 0.5))
    torch.testing.assert_close(twice.offset, single.offset)
    assert twice.share == pytest.approx(single.share, abs=0.05)
    ignored = torch.cat([torch.ones(10), torch.full((1,), 1e-6)])
    other = torch.cat([vectors, 100 * torch.ones(1, SIZE)])
    torch.testing.assert_close(adapted(heads, vectors, other, ignored), once, atol=1e-2, rtol=1e-2)


@torch.inference_mode()
def test_an_estimate_of_no_weight_leaves_the_answer_alone(heads, crowd):
    from dataclasses import replace

    vectors, _ = crowd.of(UNSEEN)
    estimate = heads.estimate_speaker(vectors)
    logits = heads.head(vectors)
    torch.testing.assert_close(heads.adapt(logits, vectors, replace(estimate, share=0.0)), logits.log_softmax(dim=1))
    full = heads.adapt(logits, vectors, replace(estimate, share=1.0))
    torch.testing.assert_close(full, heads.centred_head(vectors - estimate.offset).log_softmax(dim=1))


def test_fitting_finds_the_ratio_of_variances_and_removes_offsets(crowd):
    offset = SpeakerOffset(SIZE, CLASSES)
    centred = offset.fit(crowd.vectors, crowd.targets, crowd.speakers)
    assert offset.ratio.median() == pytest.approx(1 / 1.5**2, abs=0.15)
    means = torch.stack([centred[crowd.speakers == speaker].mean(dim=0) for speaker in range(SPEAKERS)])
    assert means.std(dim=0).mean() < 0.1 * crowd.offsets.std(dim=0).mean()


def test_a_speaker_with_one_clip_can_be_fitted(crowd):
    offset = SpeakerOffset(SIZE, CLASSES)
    speakers = torch.arange(len(crowd.vectors))  # speakers are unknown: each clip is one of its own
    centred = offset.fit(crowd.vectors, crowd.targets, speakers)
    offset.fit_spread(centred[:, :CLASSES], crowd.targets, speakers)
    assert torch.isfinite(centred).all() and torch.isfinite(offset.ratio).all()
    assert offset.spread_between == 1 and offset.spread_within == 0, "as at the beginning"
