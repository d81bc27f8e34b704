"""Windows: what they hold, what breaks them, and what the training part says of scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.errors import DataError
from fivefold_finance.forecast import data
from fivefold_finance.forecast.bars import calendar_features
from fivefold_finance.forecast.data import Origins, measure, time_blocks
from fivefold_finance.forecast.origins import OriginTable, window_keys
from plugins.finance.forecast_cases import origins, series, sessions, walk


def windows(table: OriginTable, *, by_symbol: bool = False) -> Origins:
    return Origins(table, measure(table, None, by_symbol=by_symbol))


def test_a_window_by_hand() -> None:
    one = series({"a": np.arange(10.0), "b": np.arange(10.0) * 10}, step="h")
    table = origins(one, lookback=3, horizon=2, targets=("b",), covariates=("a",))
    found = Origins(table, measure(table, 1, by_symbol=False))
    batch = found.batch(torch.tensor([0, 4]))
    assert len(found) == 6
    # The target's own past comes first.
    assert batch["input"].tolist() == [[[0, 0], [10, 1], [20, 2]], [[40, 4], [50, 5], [60, 6]]]
    assert batch["target"].tolist() == [[[30], [40]], [[70], [80]]]
    assert batch["last"].tolist() == [[20], [60]]
    assert batch["naive_error"].tolist() == [[10], [10]]
    hours = np.array(["2020-01-01T02", "2020-01-01T06"], "datetime64[ns]")
    assert batch["time"].tolist() == hours.astype(np.int64).tolist()
    assert "known" not in batch
    assert "static" not in batch
    assert found.ids.tolist()[0] == "a@2020-01-01T02:00"


def test_returns_are_of_the_bar_before_and_nothing_reaches_over_what_has_none() -> None:
    close = np.array([100, 110, 121, 0, 100, 90, 81, 72.9, 80, 88])
    table = origins(series({"close": close}, times=sessions(10)), lookback=2, horizon=1)
    assert table.layout.returns
    found = windows(table)
    # Bars 0 (the first), 3 (a price of zero) and 4 (after it) have no return.
    assert table["row"].tolist() == [6, 7, 8]
    batch = found.batch(torch.tensor([0]))
    np.testing.assert_allclose(batch["input"][0, :, 0], [np.log(0.9), np.log(0.9)], rtol=1e-6)
    np.testing.assert_allclose(batch["target"][0, 0, 0], np.log(0.9), rtol=1e-6)
    assert found.facts.level == "returns"
    assert found.facts.season == 1


def test_columns_of_prices_are_returns_and_others_are_not() -> None:
    columns = {
        "open": np.array([1.0, 2, 4, 8]),
        "close": np.array([1.0, 2, 4, 8]),
        "volume": np.array([0.0, 1, 3, 7]),
        "mood": np.array([5.0, 6, 7, 8]),
    }
    table = origins(
        series(columns, times=sessions(4)), lookback=1, horizon=1, covariates=("open", "volume", "mood")
    )
    seen = windows(table).batch(torch.tensor([0]))["input"][0, 0]
    np.testing.assert_allclose(seen, [np.log(2), np.log(2), np.log(2), 6], rtol=1e-6)
    assert table.layout.columns == ("close", "open", "volume", "mood")


def test_no_window_reaches_over_a_gap_of_a_grid() -> None:
    times = np.delete(np.datetime64("2020-01-01", "ns") + np.arange(13) * np.timedelta64(1, "h"), 6)
    table = origins(series(np.arange(12.0), times=times), lookback=3, horizon=2)
    assert table["row"].tolist() == [2, 3, 8, 9]


def test_sessions_follow_each_other_over_weekends_but_not_over_a_month() -> None:
    times = np.concatenate([sessions(12), sessions(12, "2015-03-02")])
    table = origins(series({"close": walk(24)}, times=times), lookback=2, horizon=1, target_as="levels")
    assert table["row"].tolist() == [*range(1, 11), *range(13, 23)]


def test_a_session_that_the_exchange_had_is_a_gap() -> None:
    """30 March 2018, Good Friday, was none in New York; 2 April was one."""
    days = np.array(
        ["2018-03-27", "2018-03-28", "2018-03-29", "2018-04-03", "2018-04-04", "2018-04-05"], "datetime64[ns]"
    )
    local = days + np.timedelta64(4, "h")  # midnight in New York
    prices = series({"close": walk(6)}, times=local, zone="America/New_York")
    asked: dict[str, Any] = {"lookback": 2, "horizon": 1, "target_as": "levels"}
    assert origins(prices, **asked)["row"].tolist() == [1, 2, 3, 4]
    assert origins(prices, **asked, series={"calendar": "XNYS"})["row"].tolist() == [1, 4]


@pytest.mark.parametrize("column", ["value", "other"])
def test_a_missing_value_breaks_the_windows_that_need_it(column: str) -> None:
    columns = {"value": np.arange(12.0), "other": np.arange(12.0)}
    columns[column][5] = np.nan
    table = origins(
        series(columns, step="h"), lookback=2, horizon=2, targets=("value",), covariates=("other",)
    )
    # The other column need not be known ahead.
    assert table["row"].tolist() == ([1, 2, 7, 8, 9] if column == "value" else [1, 2, 3, 4, 7, 8, 9])


def test_calendar_features_are_of_the_clock_on_the_wall() -> None:
    times = np.array(
        ["2020-03-07T12:00", "2020-03-09T12:00"], "datetime64[ns]"
    )  # before and after the clock change
    found = calendar_features(times, "America/New_York", ("hour", "weekday", "day", "month"))
    expected = [[7 / 23, 5 / 6, 6 / 30, 2 / 11], [8 / 23, 0, 8 / 30, 2 / 11]]
    np.testing.assert_allclose(found + 0.5, expected)


def test_what_is_known_ahead_is_of_the_steps_that_are_forecast() -> None:
    columns = {"value": np.arange(30.0), "holiday": np.arange(30.0) % 2}
    table = origins(series(columns, step="h"), lookback=3, horizon=2, calendar=("hour",), known=("holiday",))
    found = windows(table)
    batch = found.batch(torch.tensor([0]))
    assert found.facts.known == ["hour", "holiday"]
    np.testing.assert_allclose(batch["known"][0], [[3 / 23 - 0.5, 1], [4 / 23 - 0.5, 0]], rtol=1e-6)
    assert batch["input"].shape == (1, 3, 1)


def test_symbols_are_codes_where_they_are_asked_for() -> None:
    table = origins(series(walk(30), "x"), series(walk(30, 1), "y"))
    found = windows(table, by_symbol=True)
    assert found.facts.static == {"symbol": 2}
    codes = found.batch(torch.arange(len(found)))["static"]
    assert codes[:, 0].tolist() == [0] * 25 + [1] * 25
    with pytest.raises(
        DataError, match=r"series 'z': expected one of the series that were trained on \(x, y\), found"
    ):
        Origins(origins(series(walk(30), "z")), found.facts)


def test_a_series_that_is_new_has_the_usual_scale() -> None:
    facts = windows(origins(series(np.arange(30.0), "x"), series(3 * np.arange(30.0), "y"))).facts
    assert facts.naive_error == {"x": [7.0], "y": [21.0]}  # days have a season of seven
    new = Origins(origins(series(walk(30), "z")), facts)
    assert new.batch(torch.tensor([0]))["naive_error"].tolist() == [[14.0]]


def test_scales_are_of_the_training_part_each_bar_once() -> None:
    values = np.random.default_rng(0).normal(5, 2, (100, 2))
    table = origins(series({"p": values[:, 0], "q": values[:, 1]}, step="h"), lookback=10, horizon=5)
    facts = measure(table.take(np.arange(40)), 3, by_symbol=False)
    part = values[: 40 + 10 + 5 - 1]
    np.testing.assert_allclose(facts.column_mean, part.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(facts.column_scale, part.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(facts.naive_error["a"], np.abs(part[3:] - part[:-3]).mean(axis=0), rtol=1e-5)


def test_a_constant_series_has_a_scale_and_no_error() -> None:
    facts = windows(origins(series(np.full(40, 7.3)))).facts
    assert facts.column_scale == [1.0]
    assert facts.naive_error == {"a": [0.0]}


@pytest.mark.parametrize(
    ("step", "count", "season"),
    [("h", 1, 24), ("m", 15, 96), ("D", 1, 7), ("D", 7, 52), ("D", 31, 12), ("s", 7, 1)],
)
def test_the_season_is_that_of_the_step(step: str, count: int, season: int) -> None:
    times = np.datetime64("2020-01-01", "ns") + np.arange(30) * np.timedelta64(count, step)
    assert windows(origins(series(walk(30), times=times))).facts.season == season


def test_blocks_of_time_hold_all_series_and_are_as_long_as_the_horizon() -> None:
    table = origins(series(walk(60), "x"), series(walk(50, 1), "y"), lookback=3, horizon=8)
    units = Origins(table, measure(table, None, by_symbol=False)).units
    for time in np.unique(table["seen"]):
        assert len(set(units[table["seen"] == time])) == 1
    first = table["series"] == 0
    _, counts = np.unique(units[first].astype(str), return_counts=True)
    assert counts.tolist() == [8] * 6 + [2]
    assert len(set(time_blocks(np.arange(1000).astype("datetime64[s]"), 1))) == 100


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), several=st.booleans(), features=st.integers(1, 3), held=st.booleans())
def test_held_windows_are_those_that_are_gathered(
    seed: int, several: bool, features: int, held: bool
) -> None:
    generator = np.random.default_rng(seed)
    columns = {f"c{number}": generator.normal(size=40) for number in range(features)}
    columns["c0"][generator.integers(0, 40, 2)] = np.nan
    some = [series(columns, "x"), *([series(columns, "y", start="2021-01-01")] if several else [])]
    table = origins(*some, targets=("c0",), covariates=tuple(columns), calendar=("weekday",))
    before = data.HELD
    data.HELD = before if held else 0
    try:
        found = windows(table)
    finally:
        data.HELD = before
    whole = found.tensors()
    if whole is None:
        return
    batch = found.batch(torch.arange(len(found)))
    assert batch.keys() == whole.keys()
    for name, tensor in batch.items():
        torch.testing.assert_close(whole[name], tensor, rtol=0, atol=0)
    assert torch.isfinite(batch["input"]).all()
    torch.testing.assert_close(found.targets(), batch["target"], rtol=0, atol=0)


def test_windows_of_one_series_without_a_gap_take_no_memory() -> None:
    found = windows(origins(series(walk(500)), lookback=64, horizon=8))
    held = found.tensors()
    assert held is not None
    assert held["input"].untyped_storage().nbytes() == 500 * 4


def test_keys_tell_windows_apart() -> None:
    same = np.tile(np.arange(10.0), 6)
    one = window_keys(origins(series(same), lookback=3, horizon=2)).exact
    assert len(set(one.tolist())) == len(one)  # the same values at other times
    copies = window_keys(origins(series(same, "x"), series(same, "y"), lookback=3, horizon=2)).exact
    assert len(set(copies.tolist())) == len(copies) / 2
    changed = same.copy()
    changed[30] += 1
    moved = window_keys(origins(series(changed), lookback=3, horizon=2)).exact
    assert np.flatnonzero(moved != one).tolist() == list(range(26, 31))
