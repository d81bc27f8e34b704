"""Properties: what is written comes back, and what is appended changes nothing before it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.readers.choose import read_series
from fivefold_finance.series.schema import Series, SeriesSet

SMALL = settings(max_examples=30, deadline=None)
ANY = st.floats(allow_infinity=False, allow_nan=True, width=64)
PRICE = st.floats(0.01, 1e6)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """A long table of any series: up to three symbols, each with increasing instants; rows in any order."""
    rows = []
    for symbol in draw(st.lists(st.sampled_from(["a", "B 2", "x.y"]), min_size=1, max_size=3, unique=True)):
        seconds = draw(st.lists(st.integers(-(10**9), 4 * 10**9), min_size=1, max_size=8, unique=True))
        rows += [(symbol, second, draw(ANY), draw(ANY)) for second in seconds]
    frame = pd.DataFrame(rows, columns=["symbol", "time", "p", "q"])
    frame["time"] = pd.to_datetime(frame["time"], unit="s", utc=True)
    return frame


@st.composite
def prices(draw: st.DrawFn) -> list[str]:
    """Lines of daily prices that hold together, with an adjusted close, some values missing."""
    days = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")
    lines = ["Date,Open,High,Low,Close,Adj Close,Volume"]
    for day in days[: draw(st.integers(2, 30))]:
        low, opened, close, high = sorted(draw(st.tuples(PRICE, PRICE, PRICE, PRICE)))
        adjusted = draw(st.sampled_from([close, close / 2, close * (1 + 5e-10), ""]))
        lines.append(f"{day},{opened},{high},{low},{close},{adjusted},{draw(st.integers(0, 10**9))}")
    return lines


def read(name: str, content: str | pd.DataFrame, options: SeriesOptions | None = None) -> SeriesSet:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        if isinstance(content, str):
            file.write_text(content, encoding="utf-8")
        else:
            content.to_parquet(file)
        return read_series(file, options or SeriesOptions())


def same(one: Series, other: Series, length: int | None = None) -> None:
    """Both hold the same, or the first ``length`` bars of ``other`` what ``one`` does."""
    assert (one.symbol, one.zone, one.adjusted) == (other.symbol, other.zone, other.adjusted)
    assert list(one.columns) == list(other.columns)
    np.testing.assert_array_equal(one.times, other.times[:length])
    np.testing.assert_array_equal(one.rows, other.rows[:length])
    for name, values in one.columns.items():
        np.testing.assert_array_equal(values, other.columns[name][:length])


@SMALL
@given(frames())
def test_series_come_back_from_csv_and_parquet_to_the_last_bit(frame: pd.DataFrame) -> None:
    text = frame.assign(time=frame["time"].map(pd.Timestamp.isoformat)).to_csv(index=False)
    for found in (read("s.csv", text), read("s.parquet", frame)):
        assert found.problems == ()
        assert [series.symbol for series in found.series] == list(dict.fromkeys(frame["symbol"]))
        for series in found.series:
            rows = frame[frame["symbol"] == series.symbol].sort_values("time")
            np.testing.assert_array_equal(
                series.times, rows["time"].dt.tz_convert(None).to_numpy().astype("datetime64[ns]")
            )
            assert (np.diff(series.times) > np.timedelta64(0)).all()
            for name in ("p", "q"):
                np.testing.assert_array_equal(series.columns[name], rows[name].to_numpy())


@SMALL
@given(prices(), st.data())
def test_appended_rows_change_nothing_before_them(lines: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(2, len(lines)))
    options = SeriesOptions(zone="America/New_York")
    whole, start = (read("p.csv", "\n".join(part), options) for part in (lines, lines[:cut]))
    same(start.series[0], whole.series[0], cut - 1)


@SMALL
@given(prices(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(lines: list[str], random: object) -> None:
    shuffled = lines[1:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own random.Random
    one, other = (read("p.csv", "\n".join([lines[0], *rows])).series[0] for rows in (lines[1:], shuffled))
    np.testing.assert_array_equal(one.times, other.times)
    for name, values in one.columns.items():
        np.testing.assert_array_equal(values, other.columns[name])


@SMALL
@given(st.integers(2, 400), st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Sydney"]))
def test_local_times_are_the_instants_that_they_were_written_from(hours: int, zone: str) -> None:
    instants = pd.date_range(
        "2021-05-01", periods=hours, freq="6h", tz="UTC"
    )  # May to August: no change of clocks
    local = instants.tz_convert(zone).tz_localize(None)
    text = "time,x\n" + "\n".join(f"{time.isoformat()},{number}" for number, time in enumerate(local))
    series = read("l.csv", text, SeriesOptions(zone=zone)).series[0]
    np.testing.assert_array_equal(series.times, instants.tz_convert(None).to_numpy().astype("datetime64[ns]"))
