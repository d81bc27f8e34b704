"""Names in messages."""

from __future__ import annotations

import pytest

from fivefold.data.shown import shown


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        ([*map(str, range(2003))], "0, 1, 2 and 2,000 more"),
    ],
)
def test_the_first_ones_and_how_many_more(names: list[str], told: str) -> None:
    assert shown(names) == told


def test_as_many_as_asked_for() -> None:
    assert shown(["a", "b", "c"], 1) == "a and 2 more"
