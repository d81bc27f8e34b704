"""Tables fit the terminal: paths are shortened, columns go on below, and no word is broken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.cli.layout import in_records, laid_out
from fivefold.cli.output import console, grid

HEAD = ("run", "pipeline", "data", "status")
ROWS = [["runs/a/2026-11-26-cells", "vision/classify", "/home/me/photos/cells", "complete"]]


def test_a_table_that_fits_stays() -> None:
    assert laid_out(HEAD, ROWS, 200) == [
        [["run", ROWS[0][0]], ["pipeline", ROWS[0][1]], ["data", ROWS[0][2]], ["status", "complete"]]
    ]


def test_the_longest_paths_lose_their_beginnings_and_names_of_two_parts_stay() -> None:
    (columns,) = laid_out(HEAD, ROWS, 72)
    assert [column[1] for column in columns] == [
        "…/a/2026-11-26-cells",
        "vision/classify",
        "…/me/photos/cells",
        "complete",
    ]


def test_where_that_is_not_enough_paths_stay_and_columns_go_on_below() -> None:
    tables = laid_out(HEAD, ROWS, 50)
    assert [[column[0] for column in table] for table in tables] == [
        ["run", "pipeline"],
        ["run", "data"],
        ["run", "status"],
    ]
    assert tables[1][1][1] == "/home/me/photos/cells"


words = st.text("abcdefgh", min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(words, min_size=4, max_size=4), max_size=4), st.integers(40, 120))
def test_nothing_is_lost_and_every_table_fits(rows: list[list[str]], width: int) -> None:
    tables = laid_out(("one", "two", "three", "four"), rows, width)
    shown = [tables[0][0], *(column for table in tables for column in table[1:])]
    assert [list(column[1:]) for column in shown] == [[row[place] for row in rows] for place in range(4)]
    for table in tables:
        assert len(table) <= 2 or sum(max(map(len, column)) + 3 for column in table) <= width


def test_in_records_the_cells_of_a_row_stand_together() -> None:
    rows = [["CT Thorax", "3", "2\n1", "MONOCHROME2, Explicit VR Little Endian"], ["MR", "1", "", "RGB"]]
    assert list(in_records(("series", "files", "images", "stored as"), rows, 40)) == [
        "CT Thorax",
        "  files: 3; images: 2, 1; stored as:",
        "  MONOCHROME2, Explicit VR Little Endian",
        "MR",
        "  files: 1; stored as: RGB",
    ]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(words, min_size=4, max_size=4), max_size=4), st.integers(40, 120))
def test_records_lose_nothing_and_fit(rows: list[list[str]], width: int) -> None:
    lines = list(in_records(("one", "two", "three", "four"), rows, width))
    assert all(len(line) <= width for line in lines)
    told = " ".join(" ".join(lines).split())
    expected = " ".join(f"{a} two: {b}; three: {c}; four: {d}" for a, b, c, d in rows)
    assert told == expected


def test_many_rows_that_do_not_fit_are_records(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    console.cache_clear()
    long = "x" * 25
    grid(("name", "first", "second", "third"), [[f"row{n}", long, long, long] for n in range(13)])
    told = capsys.readouterr().err.splitlines()
    assert told[:4] == ["row0", f"  first: {long};", f"  second: {long};", f"  third: {long}"]
    assert sum(line.startswith("row") for line in told) == 13
    grid(("name", "first", "second", "third"), [[f"row{n}", long, long, long] for n in range(12)])
    assert sum(line.strip().startswith("row") for line in capsys.readouterr().err.splitlines()) > 12
    console.cache_clear()
