"""Past, validation and test: no target of one split is later than the first origin of the next."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.leakage import search
from fivefold.data.splits import Splits
from fivefold.errors import ConfigError, DataError
from fivefold_finance.forecast.config import ForecastConfig, SplitConfig, WalkConfig
from fivefold_finance.forecast.origins import window_keys
from fivefold_finance.forecast.splits import split_fold, split_in_time
from plugins.finance.forecast_cases import origins, series, walk


def parts(splits: Splits) -> tuple[Any, ...]:
    return splits.train, splits.val, splits.test


def test_the_standard_split_of_a_benchmark_has_its_published_sizes() -> None:
    """ETTh1: 12, 4 and 4 months of hours; 8640 - L - H + 1 windows, and twice 2880 - H + 1 (Zhou et al. 2021)."""
    table = origins(series(np.arange(17420.0), step="h"), lookback=336, horizon=96)
    splits = split_in_time(table, SplitConfig(sizes=(8640, 2880, 2880)))
    assert [len(one) for one in parts(splits)] == [8640 - 336 - 96 + 1, 2880 - 96 + 1, 2880 - 96 + 1]
    # The first forecast of validation is of row 8640, and looks back into training.
    assert splits.val["row"][0] == 8639
    assert splits.train["row"][-1] + 96 == 8639
    assert splits.test["row"][-1] + 96 == 8640 + 2 * 2880 - 1
    assert "190 origins whose targets reach over a border are left out (purge)" in splits.how
    assert re.search(r", and 3,020 outside all three periods\.$", splits.how)


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(60, 200),
    other=st.integers(40, 200),
    offset=st.integers(0, 60),
    lookback=st.integers(1, 6),
    horizon=st.integers(1, 6),
    embargo=st.integers(0, 5),
)
def test_no_target_reaches_the_next_split(
    length: int, other: int, offset: int, lookback: int, horizon: int, embargo: int
) -> None:
    late = np.datetime64("2020-01-01") + np.timedelta64(offset, "D")
    both = (series(walk(length), "a"), series(walk(other, 1), "b", start=str(late)))
    table = origins(*both, lookback=lookback, horizon=horizon)
    splits = split_in_time(table, SplitConfig(embargo=embargo))
    times = np.unique(table.bars.times)
    train, val, test = parts(splits)
    for early, later in ((train, val), (val, test), (train, test)):
        reached = np.searchsorted(times, early["last"].max())
        begun = np.searchsorted(times, later["first"].min())
        assert reached + embargo < begun
    assert len({*train["id"], *val["id"], *test["id"]}) == len(train) + len(val) + len(test)
    assert not [finding for finding in search(splits, window_keys) if finding.severe]
    told = [int(found.replace(",", "")) for found in re.findall(r"([\d,]+) (?:origins|more)", splits.how)]
    assert sum(told) == len(table) - len(train) - len(val) - len(test)


def test_purge_and_embargo_by_hand() -> None:
    # Ten times: six to train, two to validate, two to test; horizon 2, look-back 1.
    table = origins(series(np.arange(20.0)), lookback=1, horizon=2)
    splits = split_in_time(table, SplitConfig(train=0.5, val=0.25))
    assert splits.train["row"].tolist() == list(
        range(8)
    )  # the last forecasts rows 8 and 9, validation from row 10 on
    assert splits.val["row"].tolist() == [9, 10, 11, 12]
    assert splits.test["row"].tolist() == [14, 15, 16, 17]
    kept = split_in_time(table, SplitConfig(train=0.5, val=0.25, embargo=3))
    assert kept.train["row"].tolist() == list(range(5))
    assert kept.val["row"].tolist() == [9]
    assert kept.test["row"].tolist() == [14, 15, 16, 17]
    assert "2 origins whose targets reach over a border" in kept.how
    assert "6 more within 3 rows of one (embargo)" in kept.how


def test_dates_begin_at_midnight_of_the_zone() -> None:
    hourly = series(np.arange(24.0 * 30), step="h", zone="America/New_York")
    table = origins(hourly, lookback=2, horizon=1)
    chosen = SplitConfig(dates=(date(2020, 1, 10), date(2020, 1, 20), date(2020, 1, 25)))
    train, val, test = parts(split_in_time(table, chosen))
    assert str(val["first"][0]) == "2020-01-10T05:00:00.000000000"
    assert str(test["first"][0]) == "2020-01-20T05:00:00.000000000"
    assert test["last"].max() < np.datetime64("2020-01-25T05")
    assert train["last"].max() < np.datetime64("2020-01-10T05")


@pytest.mark.parametrize("window", [None, 30])
def test_folds_cut_the_end_of_the_history(window: int | None) -> None:
    table = origins(series(walk(220)), lookback=3, horizon=2)
    folds = [split_fold(table, 4, fold, WalkConfig(tested=0.4, window=window)) for fold in range(4)]
    tested = [part.test["row"] for part in folds]
    # Each period has 22 rows, so 21 origins of two steps, and the last ends with the history.
    assert [len(rows) for rows in tested] == [21] * 4
    assert tested[-1][-1] + 2 == 219
    assert [rows[0] + 1 for rows in tested] == [132, 154, 176, 198]
    for part in folds:
        assert part.train["last"].max() < part.val["first"].min()
        assert part.val["last"].max() < part.test["first"].min()
        first = part.train["row"].min() - 2
        assert first == (0 if window is None else part.val["row"].min() + 1 - window)


def test_an_embargo_holds_in_folds() -> None:
    table = origins(series(walk(220)), lookback=3, horizon=2)
    part = split_fold(table, 4, 0, WalkConfig(), embargo=7)
    assert part.val["row"].min() - (part.train["row"].max() + 2) == 7


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            SplitConfig(sizes=(80, 20, 20)),
            r"expected at most 100 rows together, as series.csv has, found 120",
        ),
        (
            SplitConfig(dates=(date(2019, 1, 1), date(2020, 2, 1))),
            r"expected days between 2020-01-01 and .* 2019-01-01",
        ),
        (
            SplitConfig(dates=(date(2020, 2, 1), date(2020, 2, 2))),
            r"expected validation rows for at least one forecast",
        ),
        (
            SplitConfig(train=0.04, val=0.2),
            r"expected training rows for at least one forecast, 6 without a gap",
        ),
        (SplitConfig(embargo=90), r"expected training rows .* found none in the 60 of 100 rows"),
    ],
)
def test_splits_that_cannot_be_are_told(chosen: SplitConfig, message: str) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        split_in_time(origins(series(walk(100))), chosen)


def test_too_many_folds_are_told() -> None:
    with pytest.raises(
        ConfigError, match=r"--folds 50: expected test periods of at least 2 rows, the horizon, found 1"
    ):
        split_fold(origins(series(walk(100))), 50, 0, WalkConfig())


def test_shares_that_are_not_given_stay() -> None:
    assert ForecastConfig().split.fractions == (0.6, 0.2, 0.2)
    assert ForecastConfig.model_validate({"split": {"val": 0.3, "embargo": 2}}).split.fractions == (
        0.6,
        0.3,
        0.1,
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dates": ("2020-01-01", "2021-01-01"), "sizes": (1, 2, 3)}, "choose one"),
        ({"train": 0.8, "val": 0.2}, "must leave a share for the test, found 0.8 and 0.2; lower one"),
        ({"dates": ("2021-01-01", "2020-01-01")}, "one after the other"),
        ({"dates": ("2021-01-01",)}, "two or three days"),
        ({"sizes": (3, 4)}, "three numbers of rows"),
        ({"sizes": (3, 4, 0)}, "three numbers of rows"),
    ],
)
def test_settings_that_contradict_themselves(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SplitConfig.model_validate(wrong)
