"""The out-of-distribution temperature, fitted by leaving corpora out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ser.models.conditional_head import OodTemperature
from ser.training.head_fitting import domains_of
from ser.training.ood_temperature import Clips, fit_ood_temperature

SIZE, CLASSES = 40, 3


def corpus(number: int, draw: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """120 clips in three classes that differ in other dims for each corpus, with the corpus's own background."""
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
    domains = torch.arange(3).repeat_interleave(120)
    return Clips(
        views=torch.stack([vectors, vectors + 0.1 * torch.randn(360, SIZE, generator=draw)], dim=1),
        targets=targets,
        allowed=torch.ones(360, CLASSES, dtype=torch.bool),
        groups=domains * CLASSES + targets,
        domains=domains,
        speakers=torch.arange(360) // 12,
    )


def test_recordings_far_from_every_corpus_get_a_higher_temperature(clips):
    temperature = OodTemperature(SIZE, 3, directions=12)
    fit_ood_temperature(temperature, clips)
    assert temperature.slope > 0
    strange = torch.zeros(1, SIZE)
    strange[0, 20:35] = 5.0  # the backgrounds of all corpora combined
    domains = torch.tensor([[1.0, 0.0, 0.0]])
    assert temperature.distance(strange) > 1.2
    assert temperature(strange, domains) > 1.5 * temperature(clips.views[:1, 0], domains)


def test_nine_tenths_of_each_domain_are_within_its_usual_distance(clips):
    wide = clips.views * (1 + 2 * (clips.domains == 1))[:, None, None]
    temperature = OodTemperature(SIZE, 3, directions=12)
    temperature.fit(wide, clips.domains)
    for domain in range(3):
        assert (temperature.distance(wide[clips.domains == domain, 0]) <= 1).float().mean() >= 0.9
    assert temperature.usual[1] > 1.5 * temperature.usual[0]


def test_an_empty_domain_does_not_change_distances(clips):
    two = clips.only(clips.domains != 1)
    temperature, fewer = OodTemperature(SIZE, 3, directions=12), OodTemperature(SIZE, 2, directions=12)
    temperature.fit(two.views, two.domains)
    fewer.fit(two.views, two.domains // 2)
    assert torch.equal(temperature.distance(clips.views[:, 0]), fewer.distance(clips.views[:, 0]))


def test_a_single_corpus_gives_a_temperature_of_one(clips):
    temperature = OodTemperature(SIZE, 3, directions=12)
    alone = clips.only(clips.domains == 0)
    fit_ood_temperature(temperature, alone)
    assert temperature(torch.randn(5, SIZE), torch.full((5, 3), 1 / 3)).tolist() == [[1.0]] * 5


def test_a_class_of_only_the_left_out_corpus_is_ignored_in_the_fit(clips):
    plain = OodTemperature(SIZE, 3, directions=12)
    fit_ood_temperature(plain, clips)
    rare = (clips.domains == 2) & (clips.targets == 2)
    allowed = clips.allowed.clone()
    allowed[clips.domains != 2, 2] = False
    kept = replace(clips, allowed=allowed).only((clips.targets != 2) | rare)
    temperature = OodTemperature(SIZE, 3, directions=12)
    fit_ood_temperature(temperature, kept)
    assert torch.isfinite(temperature.by_kind).all() and torch.isfinite(temperature.slope)


def test_more_corpora_than_domains_share_one_domain():
    assert domains_of(["b", "a", "b"], 3).tolist() == [1, 0, 1]
    assert domains_of(["b", "a", "c"], 2).tolist() == [0, 0, 0]
