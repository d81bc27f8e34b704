"""Histories of a whole table against a plain loop, and those of a stream against them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold_finance.fraud.history import Accounts, Histories, nanoseconds

DAY = nanoseconds(1)

EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([0, 1, DAY // 2, DAY - 1, DAY, DAY + 1, 3 * DAY])),
    min_size=1,
    max_size=40,
)


def plain(accounts: list[str], moments: list[int], row: int, most: int, window: int) -> list[int]:
    """The history of a row, by looking at every row before it."""
    near = [
        other
        for other in range(row + 1)
        if accounts[other] == accounts[row] and moments[row] - moments[other] <= window
    ]
    return near[-most:]


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(1, 4))
def test_histories_are_the_last_transactions_within_the_window(
    events: list[tuple[int, int]], most: int
) -> None:
    accounts = [f"c{one}" for one, _ in events]
    moments = np.cumsum([gap for _, gap in events]).tolist()
    times = np.array(moments, dtype="datetime64[ns]")
    histories = Histories.of(np.array(accounts, dtype=object), times, most, 1.0)
    found = histories.of_rows(np.arange(len(events)))
    for row in range(len(events)):
        expected = plain(accounts, moments, row, most, DAY)
        assert found[row][found[row] >= 0].tolist() == expected
        assert histories.lengths[row] == len(expected)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(1, 4))
def test_a_stream_remembers_the_same(events: list[tuple[int, int]], most: int) -> None:
    accounts = [f"c{one}" for one, _ in events]
    moments = np.cumsum([gap for _, gap in events]).tolist()
    held = Accounts(most, 1.0)
    for row, (account, moment) in enumerate(zip(accounts, moments, strict=True)):
        history = [place for _, place in held.add(account, moment, row)]
        assert history == plain(accounts, moments, row, most, DAY)
        alive = {one for one, then in zip(accounts[: row + 1], moments, strict=False) if moment - then <= DAY}
        assert len(held) == len(alive)


def test_one_that_comes_in_late_sees_only_what_is_no_later() -> None:
    held = Accounts(3, 1.0)
    for moment in (0, 10, 20):
        held.add("a", moment, moment)
    assert held.add("a", 15, 15) == [(0, 0), (10, 10), (15, 15)]
    assert held.add("a", 30, 30) == [(15, 15), (20, 20), (30, 30)]
