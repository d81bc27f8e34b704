"""What yfinance returns, checked: its changes are told with its version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from fivefold.errors import DataError
from fivefold_finance.series.yahoo_schema import EXPECTED, finished, rows

DAYS = ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05")
CLOSES = [100.0, 102.0, 101.0, 104.0]


def frame(**columns: Any) -> pd.DataFrame:
    """What the library returns, with columns changed."""
    times = pd.DatetimeIndex(DAYS, tz="America/New_York")
    values = {name: [0.0] * 4 if name in ("Dividends", "Stock Splits") else CLOSES for name in EXPECTED}
    return pd.DataFrame({**values, **columns}, index=times)


def test_a_renamed_column_is_named_with_the_library() -> None:
    renamed = frame().rename(columns={"Stock Splits": "Splits"})
    with pytest.raises(
        DataError,
        match=r"expected columns Open, .* from yfinance [\d.]+, found .*Splits \(without Stock Splits\)",
    ):
        rows("AAPL", renamed, adjusted=True)


def test_columns_of_two_levels_are_refused() -> None:
    doubled = frame()
    doubled.columns = pd.MultiIndex.from_product([doubled.columns, ["AAPL"]])
    with pytest.raises(DataError, match=r"found columns of 2 levels"):
        rows("AAPL", doubled, adjusted=True)


def test_times_without_zone_are_refused() -> None:
    with pytest.raises(DataError, match=r"expected times with a zone .*, found an index of datetime64"):
        rows("AAPL", frame().tz_localize(None), adjusted=True)
    with pytest.raises(DataError, match=r"expected times with a zone .*, found an index of int64"):
        rows("AAPL", frame().reset_index(drop=True), adjusted=True)


def test_columns_of_text_are_refused() -> None:
    with pytest.raises(DataError, match=r"found ValueError: could not convert"):
        rows("AAPL", frame(Volume=["many", "few", "some", "none"]), adjusted=True)


def test_new_columns_of_the_library_do_not_matter() -> None:
    more = frame(**{"Capital Gains": [0.0] * 4})
    pd.testing.assert_frame_equal(rows("F", more, adjusted=True), rows("F", frame(), adjusted=True))


@pytest.mark.parametrize(
    ("interval", "kept"), [("15m", 3), ("1h", 3), ("1d", 2), ("1wk", 1), ("1mo", 0), ("3mo", 0)]
)
def test_every_interval_has_its_length(interval: str, kept: int) -> None:
    starts = ["2024-05-01", "2024-05-09", "2024-05-10T20:00"]
    table = pd.DataFrame({"time": pd.to_datetime(starts, format="ISO8601", utc=True), "zone": "UTC"})
    assert len(finished(table, interval, datetime(2024, 5, 10, 21, tzinfo=UTC))) == kept
