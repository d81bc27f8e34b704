"""Tables as spreadsheets of many countries write them: semicolons, tabs or bars, and decimal commas."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.data.decimals import DecimalCommas
from fivefold.errors import DataError
from fivefold_finance.decimal_points import with_points
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.readers.choose import read_series, recognise
from fivefold_finance.transactions.options import ColumnsConfig
from fivefold_finance.transactions.readers.choose import Options, read_transactions
from fivefold_finance.transactions.readers.choose import recognise as recognise_transactions
from plugins.finance.fraud_cases import HEAD, payments, write_csv
from plugins.finance.series_files import only, read, written

CELLS = (
    st.none() | st.from_regex(r"\A ?[-+]?[0-9.,]{0,7}(e-?[0-9])? ?\Z") | st.sampled_from(["x", "", "1,234"])
)


def german(cell: object) -> str:
    """A cell as a German spreadsheet writes it, with points between thousands."""
    if isinstance(cell, float):
        return f"{cell:,.5f}".translate(str.maketrans(",.", ".,"))
    return "" if cell is None else str(cell)


def in_german(
    path: Path, rows: Sequence[Sequence[object]], head: Sequence[str] = HEAD, delimiter: str = ";"
) -> Path:
    lines = [delimiter.join(head), *(delimiter.join(map(german, row)) for row in rows)]
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


def transactions(path: Path, *lines: str, **columns: Any) -> Any:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_transactions(path, Options(ColumnsConfig(**columns)))


@given(cells=st.lists(CELLS, max_size=12))
def test_numbers_of_one_form_are_read_alike(cells: list[str | None]) -> None:
    """What is read by form, for speed, is what the core reads of each cell by itself."""
    rows = list(range(2, len(cells) + 2))

    def each(commas: DecimalCommas) -> list[str | None]:
        return [commas.read_row(row, {"a": cell})["a"] for row, cell in zip(rows, cells, strict=True)]

    def together(commas: DecimalCommas) -> list[str | None]:
        return with_points({"a": cells}, rows, commas)["a"]

    def outcome(read: Callable[[DecimalCommas], list[str | None]]) -> object:
        commas = DecimalCommas("x.csv", ("a",))
        try:
            return [cell and cell.strip() for cell in read(commas)], commas.notes()
        except DataError as error:
            return str(error)

    assert outcome(together) == outcome(each)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_series_reads_like_the_one_with_commas_and_points(tmp_path: Path, delimiter: str) -> None:
    rows = [("2020-01-02", 1234.5, -0.25), ("2020-01-03", 1.25, None), ("2020-01-06", 0.5, 12.0)]
    expected = only(
        read(tmp_path, "date,x,y", *(",".join(map(str, row)).replace("None", "") for row in rows))
    )
    file = in_german(tmp_path / "prices.csv", rows, ("date", "x", "y"), delimiter)
    assert recognise(file) == "a table of series (prices.csv: date, x, y)"
    found = read_series(file)
    np.testing.assert_array_equal(only(found).times, expected.times)
    for name, values in expected.columns.items():
        np.testing.assert_array_equal(only(found).columns[name], values)
    assert found.cautions == (
        "prices: commas in 'x', 'y' were read as decimal commas, as in '1.234,50000' of row 2",
    )


def test_packed_series_and_those_of_a_folder_share_the_caution(tmp_path: Path) -> None:
    rows = [(f"2020-01-0{day}", day + 0.5) for day in range(1, 6)]
    packed = in_german(tmp_path / "a.csv.gz", rows, ("date", "x"))
    plain = in_german(tmp_path / "b.tsv", rows, ("date", "x, scaled"), "\t")
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as archive:
        archive.add(plain, "inside/prices.tsv")
    for file in (packed, plain, tmp_path / "c.tar.gz"):
        (values,) = only(read_series(file)).columns.values()
        assert values.tolist() == [1.5, 2.5, 3.5, 4.5, 5.5]
    (tmp_path / "c.tar.gz").unlink()
    (caution,) = read_series(tmp_path).cautions
    assert caution == (
        "a: commas in 'x' were read as decimal commas, as in '1,50000' of row 2 (the like holds for 1 more: b)"
    )


def test_times_that_are_numbers_may_have_decimal_commas(tmp_path: Path) -> None:
    series = only(read(tmp_path, "time;x", "1577836800,5;1", "1577836801,5;2"))
    assert series.times[0] == np.datetime64("2020-01-01T00:00:00.5")


def test_points_stay_points_and_whole_numbers_decide_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, "date;x;y", "2020-01-01;1.5;7", "2020-01-02;1.234;8")
    assert only(found).columns["x"].tolist() == [1.5, 1.234]
    assert found.cautions == ()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("date;x", "2020-01-01;1,5", "2020-01-02;1.234"),
            r"row 3: expected decimal commas or decimal points in column 'x', found both \('1,5' in row 2, '1.234'",
        ),
        (
            ("date;x", "2020-01-01;2.5", "", "2020-01-02;1,5"),
            r"row 4: expected decimal commas or decimal points",
        ),
        (
            ("date;x", "2020-01-01;7", "2020-01-02;1,234", "2020-01-03;2,500"),
            r"row 3: expected numbers in column 'x' that can be read in one way, found '1,234'",
        ),
        (
            ("date;x", "2020-01-01;1,5", "2020-01-02;1.234.567"),
            r"row 3: expected a number .* found '1.234.567'",
        ),
        (("date;x", "2020-01-01;1,5", "2020-01-02;1,5,5"), r"row 3: expected a number .* found '1,5,5'"),
        (("date,x", '2020-01-01,"1,5"'), r"row 2: expected a number in column 'x', found '1,5'"),
        (
            ("date;x|y", "2020-01-01;1|2", "2020-01-02;1|2"),
            r"several that part header and rows alike \(semicolon into 2, bar into 2\)",
        ),
        (
            ("date;x", "2020-01-01;1", "2020-01-02;2;3", "2020-01-03;4"),
            r"row 3: expected 2 cells as in the header, found 3",
        ),
    ],
)
def test_series_that_can_be_read_in_two_ways_are_refused(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DataError, match=f"prices.csv.*{message}"):
        read(tmp_path, *lines)


def test_a_comma_that_may_part_thousands_is_decided_by_another(tmp_path: Path) -> None:
    series = only(read(tmp_path, "date;x", "2020-01-01;1,234", "2020-01-02;0,5"))
    assert series.columns["x"].tolist() == [1.234, 0.5]
    # The beginning alone, by which a file is recognised, need not decide it.
    file = written(tmp_path, "date;x", "2020-01-01;1,234", "2020-01-02;0,5")
    assert recognise(file, SeriesOptions()) is not None


@pytest.mark.parametrize(
    ("name", "delimiter"),
    [("a.csv", ";"), ("a.csv", "|"), ("a.csv.gz", "\t"), ("a.tsv", "\t"), ("a.tsv.gz", "\t")],
)
def test_transactions_are_those_of_the_table_with_commas_and_points(
    tmp_path: Path, name: str, delimiter: str
) -> None:
    rows = [[row[0] + 0.5, *row[1:5], float(row[5])] for row in payments(60)]
    expected = read_transactions(write_csv(tmp_path / "plain.csv", rows), Options())
    file = in_german(tmp_path / name, rows, delimiter=delimiter)
    assert recognise_transactions(file, Options()) == f"transactions ({name}: {', '.join(HEAD)})"
    found = read_transactions(file, Options())
    np.testing.assert_array_equal(found.times, expected.times)
    np.testing.assert_array_equal(found.amounts, expected.amounts)
    np.testing.assert_array_equal(found.numbers["x"], expected.numbers["x"])
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert found.categories["shop"].tolist() == expected.categories["shop"].tolist()
    told = "commas in 'time', 'amount', 'fraud', 'x' were read as decimal commas"
    assert sum(told in caution for caution in found.cautions) == 1
    assert not any("decimal commas" in caution for caution in expected.cautions)


def test_names_keep_their_commas(tmp_path: Path) -> None:
    lines = ("time;amount;size;kind;fraud", "1;2,5;1,5;1,5;0", "2;3;2,5;large;1")
    found = transactions(tmp_path / "a.csv", *lines, categories=("size",))
    assert found.categories["size"].tolist() == ["1,5", "2,5"]
    assert found.categories["kind"].tolist() == ["1,5", "large"]
    assert found.amounts.tolist() == [2.5, 3]
    assert "commas in 'amount' were read" in found.cautions[1]


def test_many_rows_are_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fivefold_finance.transactions.decimals._ROWS", 7)
    lines = [f"{row};{row},{row % 10}5;0" for row in range(1, 40)]
    found = transactions(tmp_path / "a.csv", "time;amount;fraud", *lines)
    assert found.amounts.tolist() == [float(f"{row}.{row % 10}5") for row in range(1, 40)]
    with pytest.raises(DataError, match=r"row 41: .* found both \('1,15' in row 2, '3.5' in row 41\)"):
        transactions(tmp_path / "a.csv", "time;amount;fraud", *lines, "40;3.5;0")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("time;amount;fraud", "1;1,5;0", "2;1.234;0"),
            r"row 3: expected decimal commas or decimal points in column 'amount', found both \('1,5' in row 2",
        ),
        (
            ("time;amount;fraud", "1;1,234;0", "2;7;0"),
            r"row 2: expected numbers in column 'amount' that can be read in one way, found '1,234'",
        ),
        (
            ("time;amount;x;fraud", "1;2;1,5;0", "2;3;2.5;0"),
            r"row 3: expected decimal commas or decimal points in column 'x'",
        ),
        (
            ("time;amount;fraud", "1;2,5;0", "2;ten;0"),
            r"row 3: expected a number in column 'amount', found 'ten'",
        ),
        (("time,amount,fraud", '1,"2,5",0'), r"row 2: expected a number in column 'amount', found '2,5'"),
        (
            ("time;amount;x|fraud", "1;2;3|0", "2;3;4|1"),
            r"several that part header and rows alike \(semicolon into 3, bar into 2\)",
        ),
        (("time;amount;fraud",), r"expected rows below the header, found none"),
    ],
)
def test_transactions_that_can_be_read_in_two_ways_are_refused(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DataError, match=f"a.csv.*{message}"):
        transactions(tmp_path / "a.csv", *lines)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize(
    ("content", "row"),
    [("time;amount;größe\n1;2;3\n", 1), ("time;amount;x\n" + "1;2;a\n" * 9999 + "1;2;ä\n", 10_001)],
)
def test_transactions_in_another_encoding_name_the_row(
    tmp_path: Path, name: str, content: str, row: int
) -> None:
    file = tmp_path / name
    encoded = content.encode("latin-1")
    file.write_bytes(gzip.compress(encoded) if name.endswith(".gz") else encoded)
    with pytest.raises(
        DataError, match=rf"{name}, row {row}: expected text in UTF-8, found the byte 0x.*; save the"
    ):
        read_transactions(file, Options(ColumnsConfig(label="none")))
