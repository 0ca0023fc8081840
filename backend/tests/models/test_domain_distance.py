"""The distance of a recording from the recordings of training."""

from __future__ import annotations

import pytest
import torch

from ser.models.domain_distance import DomainDistance

SIZE, DIRECTIONS = 40, 12


@pytest.fixture
def heard() -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors of two domains that vary in few directions, and the number of each vector's domain."""
    draw = torch.Generator().manual_seed(0)
    mixing = torch.randn(2, 8, SIZE, generator=draw)
    centres = 3 * torch.randn(2, SIZE, generator=draw)
    domains = torch.arange(800) % 2
    causes = torch.randn(800, 8, generator=draw)
    noise = 0.3 * torch.randn(800, SIZE, generator=draw)
    return centres[domains] + torch.einsum("nc,ncd->nd", causes, mixing[domains]) + noise, domains


@pytest.fixture
def distance(heard) -> DomainDistance:
    distance = DomainDistance(SIZE, 4, DIRECTIONS)
    distance.fit(*heard)
    return distance


def test_95_percent_of_a_domain_s_recordings_are_within_1(distance, heard):
    vectors, domains = heard
    for domain in (0, 1):
        within = distance(vectors[domains == domain]) <= 1
        assert within.float().mean() == pytest.approx(0.95, abs=0.01)


def test_other_recordings_are_far(distance, heard):
    vectors, _ = heard
    other = vectors.mean(dim=0) + 5 * (vectors - vectors.mean(dim=0))
    assert distance(other).median() > 2 and (distance(other) > 1).float().mean() > 0.9
    between = vectors[0::2].mean(dim=0) / 2 + vectors[1::2].mean(dim=0) / 2
    assert distance(between[None]) > 1, "the middle of two domains is in neither"


def test_domains_without_a_recording_change_nothing(distance, heard):
    exact = DomainDistance(SIZE, 2, DIRECTIONS)
    exact.fit(*heard)
    torch.testing.assert_close(distance(heard[0]), exact(heard[0]))
    moved = DomainDistance(SIZE, 4, DIRECTIONS)
    moved.fit(heard[0], 2 * heard[1] + 1)  # the numbers 1 and 3
    torch.testing.assert_close(distance(heard[0]), moved(heard[0]))


def test_a_batch_equals_single_vectors(distance, heard):
    vectors = heard[0][:20]
    alone = torch.cat([distance(vector[None]) for vector in vectors])
    torch.testing.assert_close(distance(vectors), alone)


def test_few_recordings_are_enough(heard):
    distance = DomainDistance(SIZE, 2, DIRECTIONS)
    distance.fit(heard[0][:5], torch.zeros(5, dtype=torch.long))
    assert torch.isfinite(distance(heard[0])).all()
    single = DomainDistance(SIZE, 2, DIRECTIONS)
    single.fit(heard[0][:1], torch.zeros(1, dtype=torch.long))
    assert torch.isfinite(single(heard[0])).all()


def test_before_training_every_distance_is_0(heard):
    assert not DomainDistance(SIZE, 2, DIRECTIONS)(heard[0]).any()


def test_fitting_is_the_same_each_time_and_leaves_the_random_numbers_alone(distance, heard):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    again = DomainDistance(SIZE, 4, DIRECTIONS)
    again.fit(*heard)
    assert torch.equal(torch.rand(3), expected)
    torch.testing.assert_close(again(heard[0]), distance(heard[0]))
