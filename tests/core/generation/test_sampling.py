import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from fivefold.errors import ConfigError
from fivefold.generation.sampling import Sampling, candidates, pick


def shares(logits: torch.Tensor, how: Sampling) -> torch.Tensor:
    """Probabilities by token number."""
    found, order = candidates(logits, how)
    found = found / found.sum(dim=1, keepdim=True)
    return found if order is None else torch.zeros_like(logits).scatter(1, order, found)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    temperature=st.sampled_from([0.3, 1.0, 1.7]),
    top_k=st.sampled_from([None, 1, 3, 50]),
    top_p=st.sampled_from([None, 0.2, 0.7, 1.0]),
    min_p=st.sampled_from([None, 0.05, 0.5]),
)
def test_the_tokens_that_may_come_are_those_of_transformers(seed, temperature, top_k, top_p, min_p) -> None:
    logits = 2 * torch.randn(3, 12, generator=torch.Generator().manual_seed(seed))
    expected = TemperatureLogitsWarper(temperature)(None, logits) if temperature != 1 else logits
    if top_k is not None:
        expected = TopKLogitsWarper(top_k)(None, expected)
    if top_p is not None and top_p < 1:
        expected = TopPLogitsWarper(top_p)(None, expected)
    if min_p is not None:
        expected = MinPLogitsWarper(min_p)(None, expected)
    found = shares(logits, Sampling(temperature, top_k, top_p, min_p))
    torch.testing.assert_close(found, expected.softmax(dim=1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("how", [Sampling(), Sampling(top_k=4), Sampling(0.5, top_p=0.8)])
def test_draws_are_as_frequent_as_they_should_be(how: Sampling) -> None:
    logits = torch.tensor([[0.0, 1.0, -1.0, 2.0, 0.5]])
    uniforms = (torch.arange(20_000) + 0.5) / 20_000
    drawn = pick(logits.expand(20_000, 5), uniforms, how)
    frequency = drawn.bincount(minlength=5) / 20_000
    torch.testing.assert_close(frequency, shares(logits, how)[0], rtol=0, atol=2e-4)


def test_no_token_of_probability_zero_comes() -> None:
    logits = torch.full((2, 6), float("-inf"))
    logits[:, 2], logits[:, 4] = 0.0, 0.0
    assert pick(logits, torch.tensor([0.0, 1.0]), Sampling()).tolist() == [2, 4]


def test_temperature_zero_takes_the_likeliest() -> None:
    logits = torch.randn(4, 9)
    assert torch.equal(pick(logits, None, Sampling(0)), logits.argmax(dim=1))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"temperature": -1.0}, "temperature must be 0 or more, found -1"),
        ({"temperature": float("nan")}, "temperature must be 0 or more, found nan"),
        ({"top_k": 0}, "top_k must be 1 or more, found 0"),
        ({"top_p": 0.0}, "top_p must be above 0 and at most 1, found 0"),
        ({"min_p": 1.5}, "min_p must be above 0 and at most 1, found 1.5"),
    ],
)
def test_values_out_of_range(values: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Sampling(**values)
