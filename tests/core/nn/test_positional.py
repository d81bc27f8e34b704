import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.errors import ConfigError
from fivefold.nn import RotaryPositions, SinusoidalPositions


def test_sinusoids_are_the_papers() -> None:
    positions = SinusoidalPositions(6)(torch.zeros(1, 9, 6))[0]
    for time in range(9):
        for pair in range(3):
            angle = time / 10000 ** (2 * pair / 6)
            assert positions[time, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert positions[time, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_sinusoids_keep_the_type() -> None:
    assert SinusoidalPositions(4)(torch.zeros(2, 3, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16


@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 20), second=st.integers(0, 20), shift=st.integers(0, 20))
def test_rotary_products_depend_on_distance_only(first: int, second: int, shift: int) -> None:
    torch.manual_seed(0)
    rotary = RotaryPositions(8)
    query, key = torch.randn(8), torch.randn(8)
    queries = rotary(query.expand(1, 1, 41, 8))[0, 0]
    keys = rotary(key.expand(1, 1, 41, 8))[0, 0]
    here = queries[first] @ keys[second]
    there = queries[first + shift] @ keys[second + shift]
    torch.testing.assert_close(here, there, atol=1e-4, rtol=1e-4)


def test_rotary_keeps_lengths_and_the_first_position() -> None:
    vectors = torch.randn(2, 3, 5, 8)
    turned = RotaryPositions(8)(vectors)
    torch.testing.assert_close(turned.norm(dim=-1), vectors.norm(dim=-1))
    torch.testing.assert_close(turned[:, :, 0], vectors[:, :, 0])
    assert not torch.allclose(turned[:, :, 1], vectors[:, :, 1])


@pytest.mark.parametrize("make", [SinusoidalPositions, RotaryPositions])
def test_odd_width(make) -> None:
    with pytest.raises(ConfigError, match="even number of features a head, found 5"):
        make(5)


@pytest.mark.parametrize("longest", [0, 4, 64])
def test_an_offset_is_the_place_in_the_whole(longest: int) -> None:
    vectors = torch.randn(1, 2, 9, 8)
    whole = RotaryPositions(8)(vectors)
    parts = [RotaryPositions(8, longest)(vectors[:, :, start : start + 3], start) for start in (0, 3, 6)]
    torch.testing.assert_close(torch.cat(parts, dim=2), whole)
