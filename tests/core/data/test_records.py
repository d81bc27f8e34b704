"""Rows of tables: what is read, in what memory, and one sentence for each thing that can be wrong."""

from __future__ import annotations

import csv
import json
import sys
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from fivefold.data.records import Hints, column_names, opened, read_records
from fivefold.errors import DataError, DependencyError

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


def written(file: Path, content: str | bytes) -> Path:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def values(file: Path, *wanted: str, encoding: str = "utf-8") -> list[dict[str, object]]:
    return [dict(record.values) for record in read_records(file, wanted, encoding=encoding)]


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5), mark=st.booleans())
def test_what_a_csv_writer_wrote_is_read(
    rows: list[tuple[str, str]], mark: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "property.csv"
    with file.open("w", newline="", encoding="utf-8-sig" if mark else "utf-8") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    assert values(file, "a", "b") == [{"a": a or None, "b": b or None} for a, b in rows]


@given(rows=st.lists(st.dictionaries(st.just("a"), CELLS, min_size=1), max_size=5))
def test_what_a_json_writer_wrote_is_read(
    rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "property.jsonl"
    written(file, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    assert values(file, "a") == rows


def test_rows_have_the_numbers_that_spreadsheets_and_editors_show(tmp_path: Path) -> None:
    file = written(tmp_path / "x.csv", '"a\nb",c\n"1\r\n2",x\n\n3,y\n')
    assert [record.row for record in read_records(file, ["c"])] == [2, 4]
    file = written(tmp_path / "x.jsonl", '{"c": 1}\n\n{"c": 2}\n')
    assert [record.row for record in read_records(file, ["c"])] == [1, 3]
    parquet.write_table(pa.table({"c": range(5000)}), tmp_path / "x.parquet")
    assert [record.row for record in read_records(tmp_path / "x.parquet", ["c"])] == list(range(1, 5001))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (b"4,5,6\n", "row 3: expected 2 cells"),
        (b"4,\xff\n", "row 3: expected text in utf-8, found the byte 0xff"),
        (b'"4\n\xff",5\n', "row 3: expected text in utf-8"),
        (b'"4\n\n\x00",5\n', "row 3: expected text, found a NUL byte"),
        (b'"4" x,5\n', "row 3: expected a row of CSV"),
        (b'"4\n\n5', "row 3: expected a row of CSV"),
    ],
)
def test_cells_with_line_breaks_do_not_shift_the_rows_of_messages(
    broken: bytes, message: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "x.csv", b'a,b\n"1\n2\r\n3",x\n' + broken)
    with pytest.raises(DataError, match=message):
        values(file, "a")


def test_a_cell_may_be_large(tmp_path: Path) -> None:
    file = written(tmp_path / "x.tsv", "a\tb\n" + "x" * 3_000_000 + "\t1\n")
    assert len(str(values(file, "a")[0]["a"])) == 3_000_000


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl"])
def test_memory_does_not_grow_with_the_file(name: str, tmp_path: Path) -> None:
    line = "some words of a text,1\n" if name == "x.csv" else '{"a": "some words of a text", "b": 1}\n'
    file = written(tmp_path / name, ("a,b\n" if name == "x.csv" else "") + line * 20_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_records(file, ["a", "b"])) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 200_000  # the file has over 450,000 bytes
    finally:
        tracemalloc.stop()


def test_names_of_columns_are_read_cheaply(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "x.parquet")
    assert column_names(tmp_path / "x.parquet") == ["a", "b"]
    assert column_names(written(tmp_path / "x.csv", "\ufeff a , b\n")) == ["a", "b"]
    assert column_names(written(tmp_path / "x.jsonl", '{"a": 1, "b": 2}\n')) == ["a", "b"]
    for name in ("y.parquet", "y.csv", "y.jsonl"):
        assert column_names(written(tmp_path / name, b"\xff")) == []
        assert column_names(tmp_path / "absent" / name) == []


BROKEN = {
    "bytes": (
        "x.csv",
        b"a,b\n1,2\n\xff,4\n",
        r"row 3: expected text in utf-8, found the byte 0xff.*--encoding",
    ),
    "NUL": ("x.csv", b"a,b\n1,\x00\n", r"row 2: expected text, found a NUL byte.*--encoding utf-16"),
    "width": ("x.csv", b"a,b\n1\n", r"row 2: expected 2 cells as in the header, found 1"),
    "quote": ("x.csv", b'a,b\n"1" x,2\n', r"row 2: expected a row of CSV.*mend its quotes"),
    "no header": ("x.csv", b"", r"expected a column 'a', found none"),
    "no column": ("x.csv", b"c,b\n", r"expected a column 'a', found c, b; name the columns by --columns, or"),
    "two columns": ("x.csv", b"a,b,a\n", r"expected one column 'a', found 2; rename the others"),
    "no JSON": (
        "x.jsonl",
        b'{"a": 1}\n{"a": \n',
        r"row 2: expected a JSON object, found something that is no",
    ),
    "deep JSON": (
        "x.jsonl",
        b"[" * 100_000,
        r"row 1: expected a JSON object, found something that is no JSON",
    ),
    "no object": ("x.jsonl", b"3\n", r"row 1: expected a JSON object such as .*, found int"),
    "no key": (
        "x.jsonl",
        b'{"a": 1}\n{"b": 1}\n',
        r"row 2: expected a key 'a', found b; name the columns by",
    ),
    "no Parquet": ("x.parquet", b"PAR1 no", r"expected a Parquet file, found one that cannot be read"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_table_is_one_sentence(fault: str, tmp_path: Path) -> None:
    name, content, message = BROKEN[fault]
    file = written(tmp_path / name, content)
    with pytest.raises(DataError, match=message) as caught:
        values(file, "a")
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_parquet_file_that_is_damaged_inside(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    parquet.write_table(pa.table({"a": [f"text {number}" for number in range(5000)]}), file)
    content = bytearray(file.read_bytes())
    content[4:2000] = b"\xff" * 1996
    file.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"x\.parquet, row 1: expected Parquet, found a part") as caught:
        values(file, "a")
    assert "\n" not in str(caught.value)


def test_parquet_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        DependencyError, match="needs the package pyarrow, which is not installed; run: pip install"
    ):
        values(written(tmp_path / "x.parquet", b""), "a")


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("klingon", "the encoding 'klingon' is not known"),
        ("base64", "the encoding 'base64' is not known"),
        ("utf-16", "expected text in utf-16, found other bytes"),
        ("ascii", "row 2: expected text in ascii, found the byte 0xc3"),
    ],
)
def test_an_encoding_that_does_not_fit(encoding: str, message: str, tmp_path: Path) -> None:
    file = written(tmp_path / "x.csv", "a\né\nx\n")
    with pytest.raises(DataError, match=message):
        values(file, "a", encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "UTF_8"])
def test_other_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    file = written(tmp_path / "x.csv", "a\né\n".encode(encoding))
    assert values(file, "a", encoding=encoding) == [{"a": "é"}]


def test_advice_names_the_options_that_there_are(tmp_path: Path) -> None:
    file, hints = written(tmp_path / "x.csv", b"a\n\xff\n"), Hints(columns="--columns.path", encoding=None)
    with pytest.raises(DataError, match="save the file as UTF-8"):
        list(read_records(file, ["a"], hints=hints))
    with pytest.raises(DataError, match=r"name the columns by --columns\.path"):
        list(read_records(written(file, b"a\n"), ["b"], hints=hints))


def test_a_folder_is_no_file_of_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a file of text"), opened(tmp_path, "utf-8") as lines:
        list(lines)
