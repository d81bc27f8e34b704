"""Random numbers of each sample: their distribution, their independence, and that nothing else matters to them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fivefold.nn.generation.draws import normals, uniforms
from fivefold.nn.generation.latents import interpolated, truncated
from fivefold.training.seeds import derive_seed

SAMPLES = torch.arange(2000)
SEED = derive_seed(1, 2, 3)


def test_distributions() -> None:
    even, normal = uniforms(SEED, SAMPLES, 25), normals(SEED, SAMPLES, 25)
    assert stats.kstest(even.flatten().numpy(), "uniform").pvalue > 0.01
    assert stats.kstest(normal.flatten().numpy(), "norm").pvalue > 0.01
    assert even.min() >= 0
    assert even.max() < 1
    assert torch.isfinite(normal).all()


@pytest.mark.parametrize("draw", [uniforms, normals])
def test_numbers_are_not_correlated(draw) -> None:
    """Neither those of one sample, nor of neighbours, nor of neighbouring seeds; bounds of 5 standard errors."""
    numbers = draw(SEED, SAMPLES, 16)
    limit = 5 / len(SAMPLES) ** 0.5
    among = torch.corrcoef(numbers.T) - torch.eye(16)
    assert among.abs().max() < limit
    for other in (numbers.roll(1, 0), draw(SEED + 1, SAMPLES, 16)):
        both = torch.corrcoef(torch.cat([numbers, other], 1).T)[:16, 16:]
        assert both.abs().max() < limit


@given(
    seed=st.integers(0, 2**63 - 1),
    samples=st.lists(st.integers(0, 2**62), min_size=1, max_size=9),
    count=st.integers(1, 7),
)
@settings(max_examples=40, deadline=None)
def test_a_sample_draws_the_same_in_any_company(seed: int, samples: list[int], count: int) -> None:
    indices = torch.tensor(samples)
    together = uniforms(seed, indices, count)
    alone = torch.cat([uniforms(seed, indices[place : place + 1], count) for place in range(len(samples))])
    assert torch.equal(together, alone)
    torch.testing.assert_close(
        normals(seed, indices, count), torch.cat([normals(seed, one[None], count) for one in indices])
    )


def _splitmix(state: int) -> int:
    mask = 2**64 - 1
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
    state = (state ^ state >> 27) * 0x94D049BB133111EB & mask
    return state ^ state >> 31


def test_the_hash_is_splitmix64_in_whole_numbers() -> None:
    golden, mask = 0x9E3779B97F4A7C15, 2**64 - 1
    expected = []
    for sample in (0, 1, 77):
        key = _splitmix((sample * golden + SEED) & mask)
        words = [_splitmix((key + place * golden) & mask) for place in (1, 2)]
        expected.append([word >> 40 for word in words] + [word >> 8 & 0xFFFFFF for word in words])
    found = uniforms(SEED, torch.tensor([0, 1, 77]), 4) * 2**24
    assert found.long().tolist() == expected


def test_truncated_noise_is_the_normal_distribution_cut_off() -> None:
    noise = normals(SEED, SAMPLES, 20).flatten()
    cut = truncated(noise, 1.5)
    assert stats.kstest(cut.numpy(), stats.truncnorm(-1.5, 1.5).cdf).pvalue > 0.01
    assert (cut[noise.argsort()].diff() >= 0).all()
    torch.testing.assert_close(truncated(noise, 12.0), noise, atol=1e-4, rtol=0)


def test_interpolated_noise_stays_typical() -> None:
    first, second = normals(SEED, torch.tensor([3, 4]), 256)
    way = interpolated(first, second, torch.linspace(0, 1, 5))
    torch.testing.assert_close(way[0], first)
    torch.testing.assert_close(way[-1], second)
    assert (way.norm(dim=1) / 16 - 1).abs().max() < 0.15
    assert (torch.lerp(first, second, 0.5).norm() / 16) < 0.8
    torch.testing.assert_close(interpolated(first, first, torch.tensor([0.5]))[0], first)
