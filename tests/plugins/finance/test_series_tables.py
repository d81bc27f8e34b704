"""Series as files have them: columns found by name, several symbols, packed files, folders, and real sets."""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fivefold.data.manifest import load_manifest
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.readers.choose import read_series, recognise
from plugins.finance.series_files import only, read, written

PRICES = ("Date,Open,High,Low,Close,Volume", "2020-01-02,1,2,0.5,1.5,10", "2020-01-03,1.5,3,1,2,20")


@pytest.fixture
def finance_data() -> Path:
    folder = os.environ.get("FINANCE_DATA")
    if not folder:
        pytest.skip("needs the unpacked packages arch and pmdarima (FINANCE_DATA), which are absent")
    return Path(folder)


def test_prices_get_their_common_names_and_order(tmp_path: Path) -> None:
    series = only(read(tmp_path, "Volume,Close,Date,Low,High,Open", "10,1.5,2020-01-02,0.5,2,1"))
    assert list(series.columns) == ["open", "high", "low", "close", "volume"]
    assert {name: values[0] for name, values in series.columns.items()} == {
        "open": 1,
        "high": 2,
        "low": 0.5,
        "close": 1.5,
        "volume": 10,
    }
    assert (series.symbol, series.zone, series.adjusted, series.rows.tolist()) == ("prices", "UTC", None, [2])
    assert series.times.dtype == np.dtype("datetime64[ns]")


def test_other_columns_keep_their_names_and_may_be_negative(tmp_path: Path) -> None:
    series = only(read(tmp_path, "date,HUFL,Low", "2016-07-01 00:00,-5.5,-1", "2016-07-01 01:00,0,2"))
    assert {name: values.tolist() for name, values in series.columns.items()} == {
        "HUFL": [-5.5, 0],
        "Low": [-1, 2],
    }
    assert series.adjusted is None


def test_prices_that_may_be_negative_are_read_where_the_user_says_so(tmp_path: Path) -> None:
    lines = ("date,close", "2020-04-17,18.27", "2020-04-20,-37.63", "2020-04-21,10.01")
    assert only(read(tmp_path, *lines, prices=False)).columns["close"].tolist() == [18.27, -37.63, 10.01]


def test_symbols_of_a_long_table_are_told_apart_in_order_of_appearance(tmp_path: Path) -> None:
    found = read(
        tmp_path, "symbol,time,value", "b,2020-01-01,1", "a,2020-01-01,2", "b,2020-01-02,3", "a,2020-01-02,4"
    )
    assert [(one.symbol, one.columns["value"].tolist(), one.rows.tolist()) for one in found.series] == [
        ("b", [1, 3], [2, 4]),
        ("a", [2, 4], [3, 5]),
    ]


def test_missing_values_stay_missing(tmp_path: Path) -> None:
    series = only(read(tmp_path, "date,vix", "1/17/2014,12.44", "1/20/2014,.", "1/21/2014,", "1/22/2014,NaN"))
    np.testing.assert_array_equal(series.columns["vix"], [12.44, np.nan, np.nan, np.nan])


def test_blank_lines_count_as_rows_but_are_none(tmp_path: Path) -> None:
    assert only(read(tmp_path, "date,x", "2020-01-01,1", "", "2020-01-02,2")).rows.tolist() == [2, 4]


def test_semicolons_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    series = only(read(tmp_path, "\ufeffdate;x", "2020-01-01;1", "2020-01-02;2"))
    assert series.columns["x"].tolist() == [1, 2]


def test_columns_named_by_options(tmp_path: Path) -> None:
    lines = ("wann,wer,was,note", "2020-01-01,a,1,text", "2020-01-02,a,2,text")
    series = only(read(tmp_path, *lines, time="wann", symbol="wer", values=("was",)))
    assert (series.symbol, list(series.columns)) == ("a", ["was"])


def test_values_asked_for_come_alone_yet_the_bar_is_checked_whole(tmp_path: Path) -> None:
    assert list(only(read(tmp_path, *PRICES, values=("Close",))).columns) == ["close"]
    broken = (*PRICES[:2], "2020-01-03,1.5,0.4,1,2,20")
    found = read(tmp_path, *broken, values=("close",), max_bad_share=0.5)
    np.testing.assert_array_equal(only(found).columns["close"], [1.5, np.nan])


def test_packed_files_and_parquet_read_like_the_plain_one(tmp_path: Path) -> None:
    plain = written(tmp_path, *PRICES)
    with gzip.open(tmp_path / "gz.csv.gz", "wb") as packed:
        packed.write(plain.read_bytes())
    with tarfile.open(tmp_path / "tar.tar.gz", "w:gz") as archive:
        archive.add(plain, "folder/prices.csv")
    pd.read_csv(plain).to_parquet(tmp_path / "parquet.parquet")
    expected = only(read_series(plain))
    for name in ("gz.csv.gz", "tar.tar.gz", "parquet.parquet"):
        series = only(read_series(tmp_path / name))
        assert series.symbol == name.partition(".")[0]
        np.testing.assert_array_equal(series.times, expected.times)
        for column, values in expected.columns.items():
            np.testing.assert_array_equal(series.columns[column], values)


def test_a_folder_gives_a_symbol_a_file_and_tells_of_the_rest(tmp_path: Path) -> None:
    written(tmp_path, *PRICES, name="b.csv")
    written(tmp_path, *PRICES, name="a.csv")
    written(tmp_path, "hello", name="README.md")
    found = read_series(tmp_path)
    assert [series.symbol for series in found.series] == ["a", "b"]
    assert any("README.md" in caution for caution in found.cautions)
    assert recognise(tmp_path) == "a folder of prices (2 tables)"


def test_parquet_with_zone_and_adjusted_columns_as_the_cache_of_yahoo_has_them(tmp_path: Path) -> None:
    days = pd.to_datetime(["2021-03-12", "2021-03-15"]).tz_localize("America/New_York").tz_convert("UTC")
    frame = pd.DataFrame({"symbol": "AAPL", "time": days, "close": [120.0, 122.0], "adjusted": True})
    frame["zone"] = "America/New_York"
    frame.to_parquet(tmp_path / "cache.parquet")
    found = read_series(tmp_path / "cache.parquet")
    series = only(found)
    assert (series.symbol, series.zone, series.adjusted) == ("AAPL", "America/New_York", True)
    # clocks went forward between the two
    assert series.times.astype(str).tolist() == [
        "2021-03-12T05:00:00.000000000",
        "2021-03-15T04:00:00.000000000",
    ]
    assert found.cautions == ()


def test_the_zone_of_a_parquet_column_is_that_of_the_series(tmp_path: Path) -> None:
    hours = pd.date_range("2020-01-01", periods=3, freq="h", tz="Europe/Berlin")
    pd.DataFrame({"x": [1.0, 2.0, 4.0]}, index=hours.rename("time")).reset_index().to_parquet(
        tmp_path / "a.parquet"
    )
    series = only(read_series(tmp_path / "a.parquet"))
    assert series.zone == "Europe/Berlin"
    assert series.times[0] == np.datetime64("2019-12-31T23:00")


def test_what_is_recognised(tmp_path: Path) -> None:
    assert recognise(written(tmp_path, *PRICES)) == (
        "a table of prices (prices.csv: Date, Open, High, Low, Close, Volume)"
    )
    assert recognise(written(tmp_path, "date,x")) == "a table of series (prices.csv: date, x)"
    assert recognise(written(tmp_path, "text,label")) is None
    assert recognise(tmp_path / "absent.csv") is None
    assert recognise(written(tmp_path, "no parquet", name="x.parquet")) is None


def test_etth1_reads_with_no_problem(shared: Path) -> None:
    found = read_series(shared / "ett" / "ETTh1.csv")
    series = only(found)
    assert (series.symbol, len(series), list(series.columns)) == (
        "ETTh1",
        17_420,
        ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"],
    )
    assert series.columns["OT"][0] == 30.5310001373291
    assert (found.cautions, found.problems) == ((), ())


def test_the_manifest_of_etth1_names_the_shared_file(shared: Path) -> None:
    (file,) = load_manifest("fivefold_data:datasets/etth1.yaml").files
    content = (shared / file.path).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)


@pytest.mark.parametrize("name", ["sp500", "nasdaq", "vix", "msft"])
def test_manifests_name_the_files_of_the_packages(name: str, finance_data: Path) -> None:
    manifest = load_manifest(f"fivefold_data:datasets/{name}.yaml")
    ((member, size),) = ((source.partition("!")[2], size) for source, size in manifest.files[0].ways)
    content = (finance_data / member).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (size, manifest.files[0].sha256)


@pytest.mark.parametrize(
    ("path", "bars", "adjusted"),
    [
        ("arch/data/sp500/sp500.csv.gz", 5_031, True),
        ("arch/data/nasdaq/nasdaq.csv.gz", 5_031, True),
        ("arch/data/vix/vix.csv.gz", 1_305, None),
        ("pmdarima/datasets/data/msft.tar.gz", 7_983, None),
    ],
)
def test_real_sets_read_with_no_problem(
    path: str, bars: int, adjusted: bool | None, finance_data: Path
) -> None:
    found = read_series(finance_data / path)
    assert (len(only(found)), only(found).adjusted, found.problems) == (bars, adjusted, ())
    assert not any("split" in caution and "goes to" in caution for caution in found.cautions)


def test_sessions_of_the_real_prices_are_those_of_new_york(finance_data: Path) -> None:
    options = SeriesOptions(calendar="XNYS")
    assert read_series(finance_data / "arch/data/sp500/sp500.csv.gz", options).cautions == ()
    found = read_series(finance_data / "pmdarima/datasets/data/msft.tar.gz", options)
    assert "2 sessions of XNYS" in found.cautions[0]
    assert "1998-10-29, 1999-11-16" in found.cautions[0]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_with_words_is_no_series_unless_it_has_prices(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame({"time": ["2024-01-01", "2024-01-02"], "card": ["C1", "C2"], "amount": [1.0, 2.0]})

    def written(frame: pd.DataFrame) -> Path:
        path = tmp_path / f"table.{ending}"
        frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path, index=False)
        return path

    assert recognise(written(frame)) is None
    assert recognise(written(frame.drop(columns="card"))) is not None
    assert recognise(written(frame.rename(columns={"amount": "close"}))) is not None
