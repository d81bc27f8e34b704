"""Times as they are written, and what becomes of them: instants in UTC, never guessed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fivefold.errors import ConfigError, DataError
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.readers.choose import read_series
from plugins.finance.series_files import only, read


def times(folder: Path, *cells: str, **options: object) -> list[str]:
    lines = [f"{cell},{number}" for number, cell in enumerate(cells)]
    return [str(time)[:19] for time in only(read(folder, "time,x", *lines, **options)).times]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2016-07-01", "2016-07-01T00:00:00"),
        ("2016/7/1", "2016-07-01T00:00:00"),
        ("2016-07", "2016-07-01T00:00:00"),
        ("2016", "2016-01-01T00:00:00"),
        ("20160701", "2016-07-01T00:00:00"),
        ("2016-07-01 13:05", "2016-07-01T13:05:00"),
        ("2016-07-01T13:05:09Z", "2016-07-01T13:05:09"),
        ("2016-07-01T13:05:09.5+0200", "2016-07-01T11:05:09"),
        ("2016-07-01 13:05:09-04:00", "2016-07-01T17:05:09"),
        ("7/31/2016", "2016-07-31T00:00:00"),
        ("31.07.2016", "2016-07-31T00:00:00"),
        ("7/31/2016 1:05 PM", "2016-07-31T13:05:00"),
        ("7/31/2016 12:05 am", "2016-07-31T00:05:00"),
        ("7/7/2016", "2016-07-07T00:00:00"),
        ("1467378309", "2016-07-01T13:05:09"),
        ("1467378309.25", "2016-07-01T13:05:09"),
        ("1467378309250", "2016-07-01T13:05:09"),
        ("1467378309250000", "2016-07-01T13:05:09"),
        ("1467378309250000000", "2016-07-01T13:05:09"),
        ("1700-01-01", "1700-01-01T00:00:00"),
        ("2000-02-29", "2000-02-29T00:00:00"),
        ("Jan 1 2000", "2000-01-01T00:00:00"),
        ("Jan-1-1995", "1995-01-01T00:00:00"),
        ('"September 30, 1999 1:05 PM"', "1999-09-30T13:05:00"),
        ("1974Q1", "1974-01-01T00:00:00"),
        ("1974-q4", "1974-10-01T00:00:00"),
        ("1949.0833", "1949-02-01T00:00:00"),
    ],
)
def test_forms(tmp_path: Path, cell: str, expected: str) -> None:
    assert times(tmp_path, cell) == [expected]


@pytest.mark.parametrize(
    ("cells", "options", "message"),
    [
        (("1/4/1999", "1/5/1999"), {}, r"row 2: expected to see whether day or month comes first"),
        (
            ("1/13/1999", "13/1/1999"),
            {},
            r"row 3: expected day and month in the same order .* '13/1/1999' in row 3",
        ),
        (("1/13/1999",), {"date_order": "dmy"}, r"row 2: expected dates in the order dmy.*say mdy"),
        (("2016-07-01", "7/2/2016"), {}, r"row 3: expected times in one form .* as '2016-07-01' in row 2"),
        (("2016-07-01", "tomorrow"), {}, r"row 3: expected a time in column 'time' such as .*'tomorrow'"),
        (("soon",), {}, r"row 2: expected a time in column 'time' such as"),
        (("2016-07-01", ""), {}, r"row 3: expected a time in column 'time', found none; fill it in"),
        (("2016-02-30",), {}, r"row 2: expected a day and time that there are.*'2016-02-30'"),
        (("2016-13-01",), {}, r"row 2: expected a day and time that there are"),
        (("2016-07-01 24:00",), {}, r"row 2: expected a day and time that there are"),
        (("7/31/2016 13:05 PM",), {}, r"row 2: expected a day and time that there are"),
        (("1500-01-01",), {}, r"row 2: .*of the years 1700 to 2261.*'1500-01-01'"),
        (("7/31/16",), {}, r"row 2: expected a time in column 'time' such as"),
        (("17",), {}, r"row 2: expected a time in column 'time' such as .*'17'"),
        (("1467378309", "1467378309250"), {}, r"row 3: expected times in one form"),
        (("9" * 19,), {"epoch": "s"}, r"row 2: .*name its unit by --series.epoch"),
    ],
)
def test_times_that_cannot_be_read(
    tmp_path: Path, cells: tuple[str, ...], options: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        times(tmp_path, *cells, **options)


def test_an_unproven_order_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"say --series\.date-order mdy or dmy"):
        times(tmp_path, "1/4/1999", "1/5/1999")


def test_an_option_or_a_day_above_twelve_decides_the_order(tmp_path: Path) -> None:
    assert times(tmp_path, "1/4/1999", date_order="dmy") == ["1999-04-01T00:00:00"]
    assert times(tmp_path, "1/4/1999", date_order="mdy") == ["1999-01-04T00:00:00"]
    assert times(tmp_path, "1/4/1999", "1/13/1999")[0] == "1999-01-04T00:00:00"
    assert times(tmp_path, "1/4/1999", "13/4/1999")[0] == "1999-04-01T00:00:00"


def test_the_unit_of_numbers_may_be_named(tmp_path: Path) -> None:
    assert times(tmp_path, "-1.5", "0", "3600", epoch="s") == [
        "1969-12-31T23:59:58",
        "1970-01-01T00:00:00",
        "1970-01-01T01:00:00",
    ]


def test_offsets_that_differ_all_become_utc(tmp_path: Path) -> None:
    cells = ("2021-11-07T01:30:00-04:00", "2021-11-07T01:30:00-05:00", "2021-11-07T13:00:00+05:30")
    assert times(tmp_path, *cells) == ["2021-11-07T05:30:00", "2021-11-07T06:30:00", "2021-11-07T07:30:00"]


def test_mixed_zones_are_refused(tmp_path: Path) -> None:
    message = "row 3: expected all times in column 'time' with an offset .* row 2 and one without in row 3"
    with pytest.raises(DataError, match=message):
        times(tmp_path, "2021-11-07T01:30:00-04:00", "2021-11-07T02:30:00")


def test_two_zones_of_one_symbol_are_refused_and_of_two_symbols_are_not(tmp_path: Path) -> None:
    lines = ("time,symbol,zone,x", "2021-01-04,a,America/New_York,1", "2021-01-05,a,Europe/London,2")
    with pytest.raises(DataError, match=r"row 3: expected one zone for all rows of 'a', found Europe/London"):
        read(tmp_path, *lines)
    lines = ("time,symbol,zone,x", "2021-01-04,a,America/New_York,1", "2021-01-04,b,Europe/London,2")
    assert [(one.zone, str(one.times[0])[:13]) for one in read(tmp_path, *lines).series] == [
        ("America/New_York", "2021-01-04T05"),
        ("Europe/London", "2021-01-04T00"),
    ]


def test_a_zone_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"row 2: expected a time zone .* in column 'zone', found 'Mars/Base'"
    ):
        read(tmp_path, "time,zone,x", "2021-01-04,Mars/Base,1")
    with pytest.raises(ConfigError, match=r"zone: expected a time zone such as .* found 'Mars/Base'"):
        SeriesOptions(zone="Mars/Base")
    with pytest.raises(ConfigError, match=r"zone: expected a time zone"):
        SeriesOptions(zone="../passwd")


def test_an_hour_that_clocks_show_twice_is_refused_with_a_remedy(tmp_path: Path) -> None:
    message = "row 3: .* America/New_York .*2021-11-07T01:30:00, which is there twice .* offset .* --zone UTC"
    with pytest.raises(DataError, match=message):
        times(tmp_path, "2021-11-07 00:30", "2021-11-07 01:30", zone="America/New_York")


def test_an_hour_that_clocks_leave_out_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"row 3: .*2021-03-14T02:30:00, which is left out when clocks are changed"
    ):
        times(tmp_path, "2021-03-14 01:30", "2021-03-14 02:30", zone="America/New_York")


def test_days_are_midnight_of_their_zone_also_where_clocks_change_at_midnight(tmp_path: Path) -> None:
    assert times(tmp_path, "2021-03-12", "2021-03-15", zone="America/New_York") == [
        "2021-03-12T05:00:00",
        "2021-03-15T04:00:00",
    ]
    # at midnight of 4 November 2018 clocks in Sao Paulo showed 1 o'clock; on 18 February 2018 midnight came twice
    assert times(tmp_path, "2018-11-03", "2018-11-04", "2018-11-05", zone="America/Sao_Paulo") == [
        "2018-11-03T03:00:00",
        "2018-11-04T03:00:00",
        "2018-11-05T02:00:00",
    ]


def test_hours_of_prices_without_a_zone_are_a_caution(tmp_path: Path) -> None:
    lines = ("time,close", "2021-01-04 10:00,1", "2021-01-04 11:00,2")
    assert any(
        "carry no zone and are taken for UTC" in caution for caution in read(tmp_path, *lines).cautions
    )
    cautions = read(tmp_path, *lines, zone="America/New_York").cautions
    assert not any("carry no zone" in caution for caution in cautions)


def test_missing_and_far_times_of_parquet_name_their_row(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    pd.DataFrame({"time": pd.to_datetime(["2020-01-01", None]), "x": [1.0, 2.0]}).to_parquet(file)
    with pytest.raises(DataError, match=r"row 2: expected a time in column 'time', found none"):
        read_series(file)
    far = pd.Series(["1066-10-14", "2020-01-01"]).astype("datetime64[s]")
    pd.DataFrame({"time": far, "x": [1.0, 2.0]}).to_parquet(file)
    with pytest.raises(DataError, match=r"row 1: .*found the year 1066"):
        read_series(file)


@pytest.mark.parametrize("form", ["%b %d %Y", "%b-%d-%Y", "%B %d, %Y", "%b. %d %Y"])
def test_months_by_name_are_those_of_pandas(tmp_path: Path, form: str) -> None:
    days = pd.date_range("1995-01-28", periods=400, freq="D")
    found = only(read(tmp_path, "time;x", *(f'"{day.strftime(form)}";{n}' for n, day in enumerate(days))))
    assert (pd.DatetimeIndex(found.times) == days).all()


def test_quarters_are_those_of_pandas(tmp_path: Path) -> None:
    quarters = pd.period_range("1974Q1", "1987Q3", freq="Q")
    found = only(read(tmp_path, "period,x", *(f"{one},{n}" for n, one in enumerate(quarters)), time="period"))
    assert (pd.DatetimeIndex(found.times) == quarters.to_timestamp()).all()


@pytest.mark.parametrize(("a_year", "freq"), [(12, "MS"), (4, "QS")])
@pytest.mark.parametrize("digits", [2, 4, 6, 12])
def test_decimal_years_are_months_or_quarters(tmp_path: Path, a_year: int, freq: str, digits: int) -> None:
    months = pd.date_range("1949-01-01", periods=5 * a_year, freq=freq)
    written = [f"{round(1949 + n / a_year, digits):.12g}" for n in range(len(months))]
    found = only(read(tmp_path, "time,x", *(f"{one},{n}" for n, one in enumerate(written))))
    assert written[0] == "1949"
    assert (pd.DatetimeIndex(found.times) == months).all()


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ("1958.2027", "1958.2877"),
            r"row 2: expected a time in column 'time' such as .* found '1958\.2027'",
        ),
        (("Jan 1 2000", "2000-01-02"), r"row 3: expected times in one form .* as 'Jan 1 2000' in row 2"),
        (("Feb 30 2000",), r"row 2: expected a day and time that there are, .* found 'Feb 30 2000'"),
        (("Foo 1 2000",), r"row 2: expected a time in column 'time' such as .*Jul 1 2016, 2016Q3"),
        (("1974Q5",), r"row 2: expected a time in column 'time' such as"),
    ],
)
def test_names_quarters_and_years_that_are_none(tmp_path: Path, cells: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        times(tmp_path, *cells)
