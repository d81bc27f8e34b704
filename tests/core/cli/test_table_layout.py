"""Tables fit the terminal: paths are shortened, columns go on below, and no word is broken."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.cli.layout import laid_out

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
