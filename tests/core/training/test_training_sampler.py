from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fivefold.errors import ConfigError
from fivefold.training.sampler import Sampler


@given(
    size=st.integers(1, 200),
    batch_size=st.integers(1, 70),
    seed=st.integers(0, 2**40),
    epoch=st.integers(0, 1000),
)
def test_every_sample_once_in_an_order_of_seed_and_epoch(
    size: int, batch_size: int, seed: int, epoch: int
) -> None:
    sampler = Sampler(size, batch_size, seed=seed)
    batches = sampler.batches(epoch)
    assert torch.cat(batches).sort().values.tolist() == list(range(size))
    assert [len(batch) for batch in batches] == sampler.sizes
    assert max(sampler.sizes) <= batch_size + 1
    assert torch.equal(torch.cat(batches), Sampler(size, batch_size, seed=seed).order(epoch))


def test_orders_differ_between_epochs_and_seeds() -> None:
    orders = [Sampler(100, 10, seed=seed).order(epoch).tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4


def test_a_sample_left_over_joins_the_batch_before() -> None:
    assert Sampler(9, 4, seed=0).sizes == [4, 5]
    assert Sampler(10, 4, seed=0).sizes == [4, 4, 2]
    assert Sampler(1, 4, seed=0).sizes == [1]
    assert Sampler(3, 1, seed=0).sizes == [1, 1, 1]


def test_weights_balance_and_exclude() -> None:
    weights = torch.tensor([1.0] * 900 + [9.0] * 90 + [0.0] * 10)
    sampler = Sampler(1000, 100, seed=0, weights=weights)
    drawn = torch.cat([sampler.order(epoch) for epoch in range(20)])
    assert int((drawn >= 990).sum()) == 0
    # 810 of 1710 shares of chance; 20,000 draws have a standard deviation of 0.0035
    assert float((drawn >= 900).double().mean()) == pytest.approx(810 / 1710, abs=0.018)
    assert torch.equal(sampler.order(3), sampler.order(3))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (torch.ones(3), r"shape \(3,\); expected \(4,\)"),
        (torch.zeros(4), "at least one must be above zero"),
        (torch.tensor([1.0, -1.0, 1.0, 1.0]), "not negative"),
        (torch.tensor([1.0, torch.nan, 1.0, 1.0]), "finite"),
    ],
)
def test_wrong_weights(weights: torch.Tensor, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Sampler(4, 2, seed=0, weights=weights)


def test_no_samples() -> None:
    with pytest.raises(ConfigError, match="no samples; expected at least one"):
        Sampler(0, 2, seed=0)


@given(
    size=st.integers(1, 400),
    batch_size=st.integers(1, 9),
    seed=st.integers(0, 2**40),
    epoch=st.integers(0, 100),
)
def test_uneven_samples_each_once_and_the_same_after_a_stop(
    size: int, batch_size: int, seed: int, epoch: int
) -> None:
    lengths = torch.randint(1, 50, (size,), generator=torch.Generator().manual_seed(size))
    sampler = Sampler(size, batch_size, seed=seed, lengths=lengths)
    batches = sampler.batches(epoch)
    assert torch.cat(batches).sort().values.tolist() == list(range(size))
    seen = len(batches) // 2
    start = sum(sampler.sizes[:seen])
    assert [batch.tolist() for batch in sampler.batches(epoch, start)] == [
        batch.tolist() for batch in batches[seen:]
    ]


def test_batches_of_uneven_samples_hold_little_padding_in_an_order_of_chance() -> None:
    lengths = torch.randint(1, 100, (6400,), generator=torch.Generator().manual_seed(0))
    sampler = Sampler(6400, 64, seed=0, lengths=lengths)
    epochs = [[lengths[batch] for batch in sampler.batches(epoch)] for epoch in (0, 1)]
    for batches in epochs:
        padded = sum(int(batch.max()) * len(batch) for batch in batches)
        assert padded < 1.05 * int(lengths.sum())  # shuffled alone, it would be twice as much
        longest = [int(batch.max()) for batch in batches]
        assert longest != sorted(longest)
    assert sampler.order(0).tolist() != sampler.order(1).tolist()


def test_a_fixed_order_is_that_of_every_epoch() -> None:
    fixed = torch.tensor([4, 0, 2, 1])
    sampler = Sampler(5, 2, seed=0, fixed=fixed)
    assert sampler.size == 4
    assert [batch.tolist() for batch in sampler.batches(7)] == [[4, 0], [2, 1]]


@pytest.mark.parametrize("fixed", [[0, 0, 1], [0, 5], [-1, 0]])
def test_an_order_that_repeats_or_lies_outside_is_refused(fixed: list[int]) -> None:
    with pytest.raises(ConfigError, match="each at most once"):
        Sampler(5, 2, seed=0, fixed=torch.tensor(fixed))


def test_weights_and_a_fixed_order_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="cannot be drawn by weights"):
        Sampler(2, 1, seed=0, weights=torch.ones(2), fixed=torch.arange(2))
