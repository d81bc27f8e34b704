"""Prices of Yahoo, asked for by the real yfinance from a stand-in for Yahoo's servers on the loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yfinance

from fivefold.errors import DataError, DownloadError
from fivefold_finance.series.readers.choose import read_series
from fivefold_finance.series.yahoo import fetch_request
from fivefold_finance.series.yahoo_client import WAITS
from fivefold_finance.series.yahoo_request import parse_request
from plugins.finance.yahoo_stand_in import (
    DAYS,
    NEW_YORK,
    TOKYO,
    Yahoo,
    altered,
    chart,
    nobody,
    yahoo,
)

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
CLOSES = [100.0, 102.0, 101.0, 104.0]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Yahoo]:
    with yahoo(monkeypatch) as stand_in:
        stand_in.charts["AAPL"] = chart(CLOSES)
        yield stand_in


class Fetching:
    """Fetches into a folder of its own; remembers what it was told and how long it would have waited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.waited: list[float] = []

    def __call__(self, address: str, now: datetime = NOW) -> Path:
        return fetch_request(
            parse_request(address), self.folder, self.told.append, now=now, wait=self.waited.append
        )


@pytest.fixture
def fetching(tmp_path: Path) -> Fetching:
    return Fetching(tmp_path / "yfinance")


def test_prices_come_in_the_schema(stand_in: Yahoo, fetching: Fetching) -> None:
    table = pd.read_parquet(fetching("AAPL"))
    columns = ["symbol", "time", "open", "high", "low", "close", "volume", "adjusted", "zone"]
    assert list(table.columns) == columns
    assert table["symbol"].tolist() == ["AAPL"] * 4
    # Midnight in New York, five hours behind in January.
    assert table["time"].tolist() == [pd.Timestamp(f"{day}T05:00", tz="UTC") for day in DAYS]
    assert table["close"].tolist() == CLOSES
    assert table["open"].tolist() == [99.5, 101.5, 100.5, 103.5]
    assert table["high"].tolist() == [101.0, 103.0, 102.0, 105.0]
    assert table["low"].tolist() == [99.0, 101.0, 100.0, 103.0]
    assert table["volume"].tolist() == [1000, 1001, 1002, 1003]
    assert table["adjusted"].all()
    assert set(table["zone"]) == {NEW_YORK}
    assert fetching.waited == []


def test_the_date_of_the_request_is_recorded_and_told(stand_in: Yahoo, fetching: Fetching) -> None:
    path = fetching("AAPL?start=2024-01-02&end=2024-01-06")
    assert path.name.startswith("AAPL-1d-")
    assert path.name.endswith("-2024-03-01.parquet")
    about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert about["address"] == "yfinance:AAPL?start=2024-01-02&end=2024-01-06&interval=1d&adjusted=true"
    assert about["requested"] == "2024-03-01T12:00:00+00:00"
    assert about["library"] == f"yfinance {yfinance.__version__}"
    assert about["rows"] == 4
    (told,) = fetching.told
    assert told.startswith(about["caution"])
    assert "requested on 2024-03-01" in told
    assert str(path) in told
    assert about["caution"] in read_series(path).cautions
    left = {file.name for file in fetching.folder.iterdir() if file.is_file()}
    assert left == {path.name, path.with_suffix(".json").name}


def test_a_second_call_of_the_day_asks_nobody(stand_in: Yahoo, fetching: Fetching) -> None:
    first = fetching("AAPL")
    asked = list(stand_in.asked)
    assert fetching("aapl, AAPL", NOW + timedelta(hours=11)) == first
    assert stand_in.asked == asked
    assert fetching.told[0] == fetching.told[1]


def test_the_next_day_is_asked_for_anew_and_the_old_answer_stays(stand_in: Yahoo, fetching: Fetching) -> None:
    first = fetching("AAPL")
    stand_in.charts["AAPL"] = chart([1.0, 2.0, 3.0, 4.0])
    second = fetching("AAPL", NOW + timedelta(days=1))
    assert pd.read_parquet(first)["close"].tolist() == CLOSES
    assert pd.read_parquet(second)["close"].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_other_options_are_other_requests(stand_in: Yahoo, fetching: Fetching) -> None:
    addresses = ("AAPL", "AAPL?adjusted=false", "AAPL?interval=1wk", "AAPL?start=2024-01-02")
    assert len({fetching(address) for address in addresses}) == len(addresses)


def test_dividends_lower_the_prices_before_them(stand_in: Yahoo, fetching: Fetching) -> None:
    stand_in.charts["AAPL"] = chart(
        CLOSES, adjusted=[99.0, 100.98, 101.0, 104.0], dividends={"2024-01-04": 1.0}
    )
    table = pd.read_parquet(fetching("AAPL"))
    np.testing.assert_allclose(table["close"], [99.0, 100.98, 101.0, 104.0])
    np.testing.assert_allclose(table["open"], [99.5 * 0.99, 101.5 * 0.99, 100.5, 103.5])
    assert "dividends" not in table


# yfinance 1.7 sorts in place, as pandas 3.1 says it should not.
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame:DeprecationWarning")
def test_adjusted_prices_are_those_of_the_library(stand_in: Yahoo, fetching: Fetching) -> None:
    stand_in.charts["AAPL"] = chart(
        CLOSES, adjusted=[97.3, 100.1, 101.0, 104.0], dividends={"2024-01-04": 1.0}
    )
    ours = pd.read_parquet(fetching("AAPL"))
    theirs = yfinance.Ticker("AAPL").history(period="max", auto_adjust=True)
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(ours[name], theirs[name.capitalize()], rtol=1e-12)


def test_an_unadjusted_split_stays_as_it_is_with_its_ratio(stand_in: Yahoo, fetching: Fetching) -> None:
    closes = [400.0, 404.0, 101.0, 104.0]
    stand_in.charts["AAPL"] = chart(
        closes, splits={"2024-01-04": (4, 1)}, dividends={"2024-01-03": 0.5}, adjusted=[399.5, *closes[1:]]
    )
    table = pd.read_parquet(fetching("AAPL?adjusted=false"))
    assert table["close"].tolist() == closes
    assert table["splits"].tolist() == [0, 0, 4, 0]
    assert table["dividends"].tolist() == [0, 0.5, 0, 0]
    assert not table["adjusted"].any()
    assert "not for dividends" in fetching.told[0]


def test_symbols_keep_their_own_zones(stand_in: Yahoo, fetching: Fetching) -> None:
    stand_in.charts["7203.T"] = chart([9.0, 8.0, 7.0, 6.0], zone=TOKYO)
    table = pd.read_parquet(fetching("AAPL,7203.T"))
    assert table.groupby("symbol")["zone"].unique().map(list).to_dict() == {
        "7203.T": [TOKYO],
        "AAPL": [NEW_YORK],
    }
    first = table.groupby("symbol")["time"].first()
    assert first["7203.T"] == pd.Timestamp("2024-01-01T15:00", tz="UTC")
    assert first["AAPL"] == pd.Timestamp("2024-01-02T05:00", tz="UTC")


def test_summer_time_begins_between_two_days(stand_in: Yahoo, fetching: Fetching) -> None:
    stand_in.charts["AAPL"] = chart([1.0, 2.0], days=("2024-03-08", "2024-03-11"))
    times = pd.read_parquet(fetching("AAPL", datetime(2024, 4, 1, tzinfo=UTC)))["time"]
    assert [stamp.hour for stamp in times] == [5, 4]


def test_missing_bars_are_not_filled(stand_in: Yahoo, fetching: Fetching) -> None:
    stand_in.charts["AAPL"] = chart([100.0, None, 101.0, 104.0])
    table = pd.read_parquet(fetching("AAPL"))
    assert [str(stamp.date()) for stamp in table["time"]] == [DAYS[0], *DAYS[2:]]
    assert table["close"].tolist() == [100.0, 101.0, 104.0]


def test_a_bar_without_a_price_has_no_volume(stand_in: Yahoo, fetching: Fetching) -> None:
    stand_in.charts["AAPL"] = chart([100.0, None, 101.0, 104.0], dividends={"2024-01-03": 1.0})
    table = pd.read_parquet(fetching("AAPL?adjusted=false"))
    assert table["dividends"].tolist() == [0, 1.0, 0, 0]
    assert table.loc[1, ["open", "high", "low", "close", "volume"]].isna().all()


def test_the_day_that_is_not_over_is_left_out(stand_in: Yahoo, fetching: Fetching) -> None:
    # Five minutes before and after midnight in New York.
    before = pd.read_parquet(fetching("AAPL", datetime(2024, 1, 6, 4, 55, tzinfo=UTC)))
    assert len(before) == 3
    after = pd.read_parquet(
        fetching("AAPL?interval=1d&start=2024-01-01", datetime(2024, 1, 6, 5, 5, tzinfo=UTC))
    )
    assert len(after) == 4
    with pytest.raises(
        DataError, match=r"expected bars of AAPL that are over, found none; choose an earlier"
    ):
        fetching("AAPL?end=2024-02-01", datetime(2024, 1, 2, 20, tzinfo=UTC))


def test_hours_are_not_adjusted(stand_in: Yahoo, fetching: Fetching) -> None:
    def hourly(result: dict[str, Any]) -> None:
        opening = result["timestamp"][0]
        result["timestamp"] = [opening + 3600 * hour for hour in range(4)]
        del result["indicators"]["adjclose"]
        period = {"start": opening, "end": opening + 23400, "timezone": "EST", "gmtoffset": -18000}
        result["meta"]["tradingPeriods"] = [[period]]

    stand_in.charts["AAPL"] = altered(chart(CLOSES), hourly)
    table = pd.read_parquet(fetching("AAPL?interval=1h"))
    assert [f"{stamp:%H:%M}" for stamp in table["time"]] == ["14:30", "15:30", "16:30", "17:30"]
    assert not table["adjusted"].any()
    assert table["close"].tolist() == CLOSES


def test_limited_requests_are_tried_again_with_growing_waits(stand_in: Yahoo, fetching: Fetching) -> None:
    stand_in.refusals = 4
    table = pd.read_parquet(fetching("AAPL"))
    assert len(table) == 4
    # The library itself asks twice before it gives up.
    assert fetching.waited == list(WAITS[:2])
    assert fetching.told[0] == "Yahoo limits requests; asking for AAPL again in 5 seconds"
    assert list(WAITS) == sorted(set(WAITS))


def test_limited_for_good_ends_in_one_sentence(stand_in: Yahoo, fetching: Fetching) -> None:
    stand_in.refusals = 1000
    with pytest.raises(
        DownloadError, match=r"AAPL.*cannot be fetched \(Yahoo limits requests\).*try again later"
    ):
        fetching("AAPL")
    assert fetching.waited == list(WAITS)
    assert list(fetching.folder.glob("*.parquet")) == []


def test_limited_for_good_with_an_earlier_answer(stand_in: Yahoo, fetching: Fetching) -> None:
    first = fetching("AAPL")
    stand_in.refusals = 1000
    assert fetching("AAPL", NOW + timedelta(days=3)) == first
    assert "Yahoo cannot be asked now (Yahoo limits requests)" in fetching.told[-2]
    assert "requested on 2024-03-01" in fetching.told[-1]


def test_without_a_network_the_newest_answer_counts(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    with yahoo(monkeypatch) as stand_in:
        stand_in.charts["AAPL"] = chart(CLOSES)
        fetching("AAPL")
        second = fetching("AAPL", NOW + timedelta(days=1))
    with nobody(monkeypatch):
        assert fetching("AAPL", NOW + timedelta(days=40)) == second
    assert "Yahoo cannot be asked now (" in fetching.told[-2]
    assert "requested on 2024-03-02" in fetching.told[-1]


def test_without_a_network_and_answer_one_sentence(
    fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nobody(monkeypatch), pytest.raises(DownloadError, match=r"cannot be fetched \(.*no earlier answer"):
        fetching("AAPL")
    assert fetching.waited == []


def test_a_page_in_place_of_an_answer_counts_as_no_network(stand_in: Yahoo, fetching: Fetching) -> None:
    stand_in.charts["AAPL"] = (200, "<html>Please sign in to the hotel's network</html>")
    with pytest.raises(DownloadError, match=r"cannot be fetched \(.*no earlier answer"):
        fetching("AAPL")


def test_unknown_symbols_are_named(stand_in: Yahoo, fetching: Fetching) -> None:
    with pytest.raises(
        DataError, match=r"has prices of, found none of NOPE \(.*\), NOPF \(.*\); look symbols up"
    ):
        fetching("AAPL,NOPE,NOPF")
    assert list(fetching.folder.glob("*.parquet")) == []


def test_days_without_prices_are_told_in_yahoos_words(stand_in: Yahoo, fetching: Fetching) -> None:
    fetching("AAPL")  # from here on the library knows the symbol's zone
    error = {"code": "Bad Request", "description": "Data doesn't exist for startDate"}
    stand_in.charts["AAPL"] = (400, {"chart": {"result": None, "error": error}})
    with pytest.raises(DataError, match=r"found none of AAPL \(Data doesn't exist for startDate\)"):
        fetching("AAPL?start=1899-01-01&end=1899-02-01")


def _renamed(result: dict[str, Any]) -> None:
    quote = result["indicators"]["quote"][0]
    quote["opening"] = quote.pop("open")


def _no_quote(result: dict[str, Any]) -> None:
    del result["indicators"]["quote"]


def _no_times(result: dict[str, Any]) -> None:
    del result["timestamp"]


def _no_zone(result: dict[str, Any]) -> None:
    result["meta"]["timezone"] = result["meta"].pop("exchangeTimezoneName")


def _in_words(result: dict[str, Any]) -> None:
    result["indicators"]["quote"][0]["close"] = ["one", "two", "three", "four"]


@pytest.mark.parametrize("change", [_renamed, _no_quote, _no_times, _no_zone, _in_words])
def test_a_changed_answer_names_the_library(
    stand_in: Yahoo, fetching: Fetching, change: Callable[[dict[str, Any]], None]
) -> None:
    stand_in.charts["AAPL"] = altered(chart(CLOSES), change)
    version = re.escape(yfinance.__version__)
    with pytest.raises(
        DataError, match=rf"^yfinance:AAPL: expected .* from yfinance {version}, found .*Error: "
    ):
        fetching("AAPL")


def test_an_adjusted_close_that_is_gone_is_missed(stand_in: Yahoo, fetching: Fetching) -> None:
    def gone(result: dict[str, Any]) -> None:
        result["indicators"]["adjustedclose"] = result["indicators"].pop("adjclose")

    paid = chart(CLOSES, adjusted=[99.0, 100.98, 101.0, 104.0], dividends={"2024-01-04": 1.0})
    stand_in.charts["AAPL"] = altered(paid, gone)
    with pytest.raises(DataError, match=r"closes adjusted for the dividend of 2024-01-04 .*adjusted=false"):
        fetching("AAPL")
    assert len(pd.read_parquet(fetching("AAPL?adjusted=false"))) == 4


def test_an_answer_whose_note_was_lost_or_broken_counts(stand_in: Yahoo, fetching: Fetching) -> None:
    path = fetching("AAPL")
    path.with_suffix(".json").write_text("{", encoding="utf-8")
    assert fetching("AAPL") == path
    path.with_suffix(".json").unlink()
    assert fetching("AAPL") == path


def test_a_fund_may_pay_gains(stand_in: Yahoo, fetching: Fetching) -> None:
    stand_in.charts["SPY"] = chart(CLOSES, kind="ETF")
    assert len(pd.read_parquet(fetching("SPY"))) == 4
