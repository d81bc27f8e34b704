"""Bad input, one by one: what is an error names file, row and remedy; what can be read is told."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fivefold.errors import ArchiveError, ConfigError, DataError
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.readers.choose import read_series
from plugins.finance.series_files import bars, only, read, written

DAYS = [str(day) for day in np.arange("2020-01-06", "2020-01-11", dtype="datetime64[D]")]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        # duplicate dates
        (
            ("date,x", "2020-01-01,1", "2020-01-02,2", "2020-01-01,1"),
            "row 4: .*2020-01-01T00:00:00Z also in row 2; remove",
        ),
        (("symbol,date,x", "a,2020-01-01,1", "a,2020-01-01,2"), "row 3: expected each time of 'a' once"),
        # prices
        (
            ("date,close", "2020-01-01,1", "2020-01-02,0"),
            "row 3: expected a price above 0 in column 'close', found 0",
        ),
        (
            ("Date,Open,Close", "2020-01-01,-1,1"),
            "row 2: expected a price above 0 in column 'Open', found -1",
        ),
        (
            ("date,close,adj close", "2020-01-01,1,-0.5"),
            "row 2: expected a price above 0 in column 'adj close'",
        ),
        # cells
        (("date,x", "2020-01-01,inf"), "row 2: expected a finite number in column 'x'"),
        (("date,x", "2020-01-01,1e999"), "row 2: expected a finite number in column 'x'"),
        (
            ("date,x", "2020-01-01,1", "2020-01-02,high"),
            "row 3: expected a number in column 'x', found 'high'.* --columns.values",
        ),
        (("date,x", '2020-01-01,"1,234.5"'), "row 2: expected a number in column 'x', found '1,234.5'"),
        (
            ("symbol,date,x", "a,2020-01-01,1", ",2020-01-02,1"),
            "row 3: expected a symbol in column 'symbol', found none",
        ),
        # rows and headers
        (("date,x", "2020-01-01,1", "2020-01-02,1,2"), "row 3: expected 2 cells as in the header, found 3"),
        (("date,x", '2020-01-01,"1'), "row 2: expected a row of CSV, found one that cannot be read"),
        (("date,x,x", "2020-01-01,1,2"), "row 1: expected one column 'x', found 2; rename"),
        (
            ("date,close,Close", "2020-01-01,1,2"),
            "expected one column for 'close', found 'close' and 'Close'",
        ),
        (("date,x",), "expected rows below the header, found none"),
        (("", "2020-01-01,1"), "expected a header that names the columns, found an empty line"),
        (("date", "2020-01-01"), "expected columns with values beside 'date', found none"),
        # a changed name of a column
        (
            ("day,x", "2020-01-01,1"),
            r"expected one column of times \(time, date, .*found day, x; name it by --columns.time",
        ),
        (("date,time,x", "2020-01-01,10:00,1"), "expected one column of times .* found date, time; name it"),
    ],
)
def test_refused(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=f"prices.csv.*{message}"):
        read(tmp_path, *lines)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": "when"}, "expected one column 'when', found date, symbol, x; name it by --columns.time"),
        (
            {"symbol": "ticker"},
            "expected the column 'ticker' that --columns.symbol names, found date, symbol, x",
        ),
        (
            {"values": ("x", "y")},
            "expected a column 'y', as --columns.values says, found x; correct --columns.values",
        ),
    ],
)
def test_columns_that_options_name_and_the_file_lacks(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, "date,symbol,x", "2020-01-01,a,1", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"date_order": "ymd"}, "--series.date-order: expected mdy or dmy, found 'ymd'"),
        ({"epoch": "h"}, "--series.epoch: expected s, ms, us or ns, found 'h'"),
        ({"max_bad_share": 1.0}, "--max-bad-share: expected a share from 0 to below 1, found 1.0"),
        ({"prices": False, "adjusted": True}, "--series.adjusted: expected it for prices only"),
    ],
)
def test_options_that_are_wrong(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SeriesOptions(**options)  # type: ignore[arg-type]  # wrong on purpose


def test_unsorted_rows_are_sorted_with_a_caution(tmp_path: Path) -> None:
    found = read(tmp_path, "date,x", "2020-01-02,2", "2020-01-01,1", "2020-01-03,3")
    assert only(found).columns["x"].tolist() == [1, 2, 3]
    assert only(found).rows.tolist() == [3, 2, 4]
    (caution,) = found.cautions
    assert "rows are not in the order of time, 1 step back in all" in caution
    assert "row 3); sorted" in caution


def test_rows_from_new_to_old_are_sorted_with_a_caution(tmp_path: Path) -> None:
    found = read(tmp_path, "date,x", "2020-01-03,3", "2020-01-02,2", "2020-01-01,1")
    assert only(found).columns["x"].tolist() == [1, 2, 3]
    assert found.cautions == ("prices: rows run from the newest to the oldest; sorted by time",)


def test_a_gap_is_a_caution_and_never_filled(tmp_path: Path) -> None:
    hours = [
        "2020-01-04 00:00",
        "2020-01-04 01:00",
        "2020-01-04 02:00",
        "2020-01-04 06:00",
        "2020-01-04 07:00",
    ]
    found = read(tmp_path, "time,x", *(f"{hour},{number}" for number, hour in enumerate(hours)))
    assert len(only(found)) == 5
    (caution,) = found.cautions
    assert "bars 1 hour apart are missing in 1 place (first: 4 hours before 2020-01-04T06:00:00Z" in caution
    assert "row 5; longest: 4 hours); nothing was filled in" in caution


def test_weekends_nights_and_holidays_are_no_gaps_but_weeks_are(tmp_path: Path) -> None:
    days = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-13"]
    assert read(tmp_path, "date,x", *(f"{day},{day[-1]}" for day in days)).cautions == ()
    cautions = read(tmp_path, "date,x", *(f"{day},{day[-1]}" for day in [*days, "2020-01-22"])).cautions
    assert "first: 9 days before 2020-01-22" in cautions[0]


def test_a_constant_series_is_a_caution(tmp_path: Path) -> None:
    found = read(tmp_path, "date,x,y", "2020-01-01,5,1", "2020-01-02,5,2", "2020-01-03,,3")
    assert found.cautions == (
        "prices: the value never changes in x, so there is nothing to forecast or learn from there",
    )


def test_a_column_without_a_value_is_a_caution(tmp_path: Path) -> None:
    found = read(tmp_path, "date,x,y", "2020-01-01,,1", "2020-01-02,,2")
    assert found.cautions == ("prices: there is no value in x; name the others by --columns.values",)


@pytest.mark.parametrize(
    "broken", ["10,9,8,9.5,100", "10,12,11,11.5,100", "13,12,9,10,100", "10,12,9,12.5,100"]
)
def test_a_bar_that_contradicts_itself_is_a_problem_and_its_prices_missing(
    tmp_path: Path, broken: str
) -> None:
    lines = bars([10, 11, 10.5, 11.5, 11], DAYS)
    lines[3] = f"{DAYS[2]},{broken}"
    found = read(tmp_path, *lines, max_bad_share=0.2)
    (problem,) = found.problems
    assert problem.sample == f"prices, {tmp_path / 'prices.csv'}, row 4"
    assert "expected low <= open, close <= high, found open" in problem.reason
    series = only(found)
    for name in ("open", "high", "low", "close"):
        assert np.flatnonzero(np.isnan(series.columns[name])).tolist() == [2]
    assert series.columns["volume"][2] == 100


def test_too_many_such_bars_are_an_error(tmp_path: Path) -> None:
    lines = bars([10, 11, 10.5, 11.5, 11], DAYS)
    lines[3] = f"{DAYS[2]},10,9,8,9.5,100"
    message = "row 4: expected low <= open, close <= high and volume >= 0 in all but 0.01 .* found 1 of 5"
    with pytest.raises(DataError, match=message):
        read(tmp_path, *lines)


def test_volume_below_zero_is_a_problem(tmp_path: Path) -> None:
    found = read(tmp_path, *bars([10, 11, 10.5, 11.5, 11], DAYS, [1, 2, -3, 4, 5]), max_bad_share=0.2)
    assert "expected a volume of 0 or more" in found.problems[0].reason
    np.testing.assert_array_equal(only(found).columns["volume"], [1, 2, np.nan, 4, 5])
    assert not np.isnan(only(found).columns["close"]).any()


def test_rounding_is_no_contradiction(tmp_path: Path) -> None:
    assert read(tmp_path, "date,high,close", "2020-01-01,1.0000000,1.0000001").problems == ()


def test_one_symbol_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        written(tmp_path, "symbol,date,x", "s,2020-01-01,1", name=name)
    with pytest.raises(DataError, match=r"b.csv: expected each symbol in one file, found 's' also in a.csv"):
        read_series(tmp_path)


def test_flags_of_one_symbol_that_differ_are_refused(tmp_path: Path) -> None:
    lines = ("date,close,adjusted", "2020-01-01,1,true", "2020-01-02,2,false")
    with pytest.raises(
        DataError, match="row 3: expected true or false in column 'adjusted', the same in all rows"
    ):
        read(tmp_path, *lines)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent.csv: no such file or folder; expected a table"):
        read_series(tmp_path / "absent.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected a table .* found an empty folder"):
        read_series(tmp_path / "empty")
    with pytest.raises(DataError, match=r"expected a table .* found another kind"):
        read_series(written(tmp_path, "date,x", name="x.docx"))
    (tmp_path / "nothing.csv").touch()
    with pytest.raises(DataError, match="found an empty file"):
        read_series(tmp_path / "nothing.csv")


def test_text_in_another_encoding_names_the_row(tmp_path: Path) -> None:
    file = tmp_path / "latin.csv"
    file.write_bytes("date,x\n2020-01-01,1\n2020-01-02,é\n".encode("latin-1"))
    with pytest.raises(DataError, match="row 3: expected text in UTF-8, found the byte 0xe9"):
        read_series(file)
    file.write_bytes("date,x\n2020-01-01,1\n".encode("utf-16-le"))
    with pytest.raises(DataError, match="row 1: expected text, found a NUL byte"):
        read_series(file)


def test_archives_that_are_broken_or_hold_more_than_one_table(tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"date,x\n2020-01-01,1\n" * 99)[:-20])
    with pytest.raises(ArchiveError, match=r"broken.csv.gz: expected a file packed with gzip"):
        read_series(broken)
    two = tmp_path / "two.tar.gz"
    with tarfile.open(two, "w:gz") as archive:
        for name in ("a.csv", "b.csv"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(ArchiveError, match=r"expected an archive with one CSV file, found a.csv, b.csv"):
        read_series(two)
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"date,x\n2020-01-01,1\n")
    with pytest.raises(ArchiveError, match=r"broken.tar.gz: expected a file packed with gzip"):
        read_series(broken)


def test_parquet_that_is_none_or_holds_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x.parquet: expected a Parquet file, found one that cannot be read"):
        read_series(written(tmp_path, "date,x", name="x.parquet"))
    file = tmp_path / "text.parquet"
    pd.DataFrame({"date": ["2020-01-01", "2020-01-02"], "x": ["1", "one"]}).to_parquet(file)
    with pytest.raises(DataError, match="row 2: expected a number in column 'x', found 'one'"):
        read_series(file)
    pd.DataFrame({"date": ["2020-01-01"], "x": [np.inf]}).to_parquet(file)
    with pytest.raises(DataError, match="row 1: expected a finite number in column 'x'"):
        read_series(file)


def test_cautions_that_many_series_share_are_told_once(tmp_path: Path) -> None:
    lines = [f"{symbol},{day},1" for symbol in "abcdef" for day in ("2020-01-01", "2020-01-02")]
    (caution,) = read(tmp_path, "symbol,date,x", *lines).cautions
    assert caution.startswith("a: the value never changes in x")
    assert caution.endswith("(the like holds for 5 more: b, c, d, ...)")


def test_texts_that_nobody_asked_for_are_left_out_and_told(tmp_path: Path) -> None:
    file = tmp_path / "weather.csv"
    file.write_text("date,temp,weather\n" + "".join(f"{day},{place},sun\n" for place, day in enumerate(DAYS)))
    found = read_series(file)
    assert list(found.series[0].columns) == ["temp"]
    assert found.cautions == ("weather: there are no numbers but texts in weather, left out",)
    # Where the targets are named, nothing else is read; where a text is, it is refused.
    alone = SeriesOptions(asked={"temp": "--targets"}, only_asked=True)
    assert not read_series(file, alone).cautions
    with pytest.raises(DataError, match=r"row 2: expected a number in column 'weather', found 'sun'"):
        read_series(file, SeriesOptions(asked={"weather": "--targets"}, only_asked=True))
    typo = SeriesOptions(asked={"tmep": "--targets"}, only_asked=True)
    with pytest.raises(
        DataError, match=r"column 'tmep', as --targets says, found temp, weather; did you mean 'temp'"
    ):
        read_series(file, typo)
    file.write_text("date,weather\n2020-01-06,sun\n2020-01-07,rain\n")
    with pytest.raises(
        DataError, match="expected columns of numbers beside 'date', found only texts in weather"
    ):
        read_series(file)
