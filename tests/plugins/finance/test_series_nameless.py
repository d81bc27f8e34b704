"""Row numbers of R and pandas, and columns without a name."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fivefold.errors import DataError
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.readers.choose import read_series, recognise
from plugins.finance.series_files import only, read, written

DAYS = [f"2020-01-{day:02}" for day in range(1, 8)]


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index", "rownames"])
@pytest.mark.parametrize("first", [0, 1, 17])
def test_row_numbers_are_left_out_and_told(tmp_path: Path, name: str, first: int) -> None:
    lines = [f'"{first + n}","{day}",{n * n}' for n, day in enumerate(DAYS)]
    found = read(tmp_path, f'"{name}","date","x"', *lines)
    assert list(only(found).columns) == ["x"]
    called = f"the column '{name}'" if name else "column 1, which has no name,"
    assert found.cautions == (f"prices: {called} only numbers the rows, and is left out",)


def test_what_pandas_and_r_write_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"date": DAYS, "x": range(7)})
    frame.to_csv(tmp_path / "pandas.csv")
    frame.to_csv(tmp_path / "r.csv", index_label="")
    frame.to_parquet(tmp_path / "index.parquet")
    for file in tmp_path.iterdir():
        assert list(only(read_series(file)).columns) == ["x"]
    assert recognise(tmp_path / "r.csv") == "a table of series (r.csv: date, x)"


def test_other_numbers_in_a_column_called_index_are_values(tmp_path: Path) -> None:
    found = read(tmp_path, "index,date,x", *(f"{n * 2},{day},1" for n, day in enumerate(DAYS)))
    assert list(only(found).columns) == ["index", "x"]
    assert not any("numbers the rows" in caution for caution in found.cautions)


def test_row_numbers_that_are_asked_for_are_read(tmp_path: Path) -> None:
    lines = ["index,date,x", *(f"{n},{day},1" for n, day in enumerate(DAYS))]
    assert list(only(read(tmp_path, *lines, values=("index", "x"))).columns) == ["index", "x"]
    assert list(only(read(tmp_path, *lines, asked={"index": "--targets"})).columns) == ["index", "x"]


def test_a_nameless_index_of_times_or_years_is_the_time(tmp_path: Path) -> None:
    for times in (DAYS, range(1990, 1997)):
        series = only(read(tmp_path, ",x", *(f"{time},1" for time in times)))
        assert list(series.columns) == ["x"]
    assert str(series.times[0])[:10] == "1990-01-01"


def test_a_table_of_row_numbers_alone_has_no_time(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"expected one column of times .* found x; name it by --columns.time"
    ):
        read(tmp_path, '"","x"', *(f"{n},{n}" for n in range(1, 9)))


def test_a_nameless_column_of_something_else_is_refused(tmp_path: Path) -> None:
    told = (
        r"row 3: expected a name for each column in the header, found none for column 3 \('4\.5'\); name it"
    )
    lines = ["date,x,", "2020-01-01,1,", "2020-01-02,2,4.5"]
    with pytest.raises(DataError, match=told):
        read(tmp_path, *lines)
    assert list(only(read(tmp_path, *lines, values=("x",))).columns) == ["x"]
    with pytest.raises(DataError, match=r"found none for column 1 \('Mazda'\)"):
        read(tmp_path, ",date,x", "Mazda,2020-01-01,1", "Fiat,2020-01-02,2")


def test_a_nameless_column_without_cells_is_passed_over(tmp_path: Path) -> None:
    found = read_series(written(tmp_path, "date,x,", "2020-01-01,1,", "2020-01-02,2,"), SeriesOptions())
    assert list(only(found).columns) == ["x"]
    assert found.cautions == ()
