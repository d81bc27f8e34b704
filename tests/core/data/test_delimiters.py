"""Delimiters found from a table's first lines, and numbers with decimal commas."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.delimiters import NAMES
from fivefold.data.records import column_names, read_records
from fivefold.errors import DataError

WORDS = st.text("abc ,;|\t\"'\n", max_size=6)
NUMBER = st.floats(-1e6, 1e6, allow_nan=False)


def written(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    file = folder / "x.csv"
    file.write_bytes(content.encode(encoding))
    return file


def rows(file: Path, *numbers: str, encoding: str = "utf-8") -> tuple[list[dict[str, object]], list[str]]:
    told: list[str] = []
    found = read_records(file, [], encoding=encoding, numbers=numbers, tell=told.append)
    return [dict(record.values) for record in found], told


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=60), delimiter=st.sampled_from(list(NAMES))
)
def test_what_a_writer_wrote_with_any_delimiter_is_read(
    cells: list[tuple[str, str]], delimiter: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "delimited.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("text", "b"), *cells])
    assert column_names(file) == ["text", "b"]
    assert rows(file)[0] == [{"text": a or None, "b": b or None} for a, b in cells]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("text;label\nGut, sehr;pos\nSchlecht;neg\n", ["text", "label"]),
        ("text,label\na; b,pos\nc,neg\n", ["text", "label"]),
        ("text;note,label\na;b,pos\n", ["text;note", "label"]),  # the comma wins
        ("text\na; b\nc, d\n", ["text"]),
        ("a|b|c\n1|2|3\n", ["a", "b", "c"]),
        ("a;b\n", ["a", "b"]),
        ("", []),
    ],
)
def test_the_sign_that_fits_header_and_rows_is_taken(
    content: str, expected: list[str], tmp_path: Path
) -> None:
    assert column_names(written(tmp_path, content)) == expected


def test_a_row_that_differs_is_named_and_not_the_header(tmp_path: Path) -> None:
    file = written(tmp_path, "text;label\ngut;pos\nschlecht;sehr;neg\nschlimm;neg\n")
    with pytest.raises(DataError, match="row 3: expected 2 cells as in the header, found 3"):
        rows(file)


def test_several_signs_that_fit_alike_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "a;b|c\n1;2|3\n4;5|6\n")
    with pytest.raises(
        DataError, match=r"several that part header and rows alike \(semicolon into 2, bar into 2\)"
    ):
        rows(file)


def test_a_long_file_whose_sample_ends_within_a_row(tmp_path: Path) -> None:
    file = written(tmp_path, "a;b\n" + '"x\ny\nz";1\n' * 100)
    assert rows(file)[0] == [{"a": "x\ny\nz", "b": "1"}] * 100


@settings(max_examples=60, deadline=None)
@given(values=st.lists(NUMBER, min_size=1, max_size=8))
def test_decimal_commas_give_the_numbers_that_were_written(
    values: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "commas.csv"
    german = [f"{value:,.4f}".translate(str.maketrans(",.", ".,")) for value in values]
    file.write_text("wert;text\n" + "".join(f"{value};1,5\n" for value in german), encoding="utf-8")
    found, told = rows(file, "wert", "absent")
    assert [float(str(row["wert"])) for row in found] == pytest.approx(values, abs=1e-4)
    assert {row["text"] for row in found} == {"1,5"}  # where no number is wanted, a cell stays as it is
    assert len(told) == 1
    assert "commas in 'wert' were read as decimal commas" in told[0]


def test_nothing_is_told_where_there_are_no_decimal_commas(tmp_path: Path) -> None:
    assert rows(written(tmp_path, "a;b\n1.5;2\n;x\n"), "a", "b") == (
        [{"a": "1.5", "b": "2"}, {"a": None, "b": "x"}],
        [],
    )
    assert rows(written(tmp_path, 'a,b\n"1,5",2\n'), "a")[0] == [{"a": "1,5", "b": "2"}]  # as in RFC 4180


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ["1,5", "1.234"],
            r"row 3: expected decimal commas or decimal points in column 'a', found both \('1,5' in",
        ),
        (["1.25", "3,5"], r"row 3: expected decimal commas or decimal points"),
        (
            ["7", "1,234", "2,500"],
            r"row 3: expected numbers in column 'a' that can be read in one way, found '1,234'",
        ),
    ],
)
def test_numbers_that_can_be_read_in_two_ways_are_refused(
    cells: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        rows(written(tmp_path, "a;b\n" + "".join(f"{cell};x\n" for cell in cells)), "a")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_umlauts_in_latin_1_are_refused_with_what_to_do(mark: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(mark + "Sätze;Klasse\nschön;gut\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"row 1: .*found the byte 0xe4, .*--encoding latin-1"):
        rows(file)
    if not mark:
        assert rows(file, encoding="latin-1")[0] == [{"Sätze": "schön", "Klasse": "gut"}]
        assert column_names(file, "latin-1") == ["Sätze", "Klasse"]
    file.write_bytes(mark + "Sätze;Klasse\nschön;gut\n".encode())
    assert rows(file)[0] == [{"Sätze": "schön", "Klasse": "gut"}]
