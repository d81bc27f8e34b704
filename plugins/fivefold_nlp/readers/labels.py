"""Labels that are numbers and were taken for names of classes."""

from __future__ import annotations

import re

import numpy as np

from fivefold.data.table import Table
from fivefold.errors import DataError

MANY = 20
"""Different numbers from which they may be ratings; few ones may be grades or codes, which are classes as well."""

_MOST = 0.5
"""Share of the texts whose labels must be numbers."""
_WHOLE, _BROKEN = 0.5, 0.2
"""Different numbers a text from which they are ratings: whole ones, which may be codes of classes, and others."""
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
"""With a decimal point or comma."""


def refuse_ratings_as_classes(table: Table) -> None:
    """Refuse classes most of which are numbers, many and mostly different ones: ratings were meant.

    Args:
        table: texts with classes.

    Raises:
        DataError: that is so; the message says by which option they are predicted as ratings.
    """
    if table.label is None:
        return
    counts = np.bincount(table[table.label], minlength=len(table.classes))
    numbers = [
        (name, int(count)) for name, count in zip(table.classes, counts, strict=True) if _is_number(name)
    ]
    texts = sum(count for _, count in numbers)
    whole = sum(name.lstrip("+-").isdecimal() for name, _ in numbers)
    least = _WHOLE if whole > len(numbers) / 2 else _BROKEN
    if texts <= _MOST * len(table) or len(numbers) <= max(MANY, least * texts):
        return
    raise DataError(
        f"{table.source}: expected names of classes as labels, found {len(numbers):,} different numbers on "
        f"{texts:,} of {len(table):,} texts, such as '{numbers[0][0]}'; predict them as ratings by --task "
        "ratings, or give classes"
    )


def _is_number(label: str) -> bool:
    return _NUMBER.fullmatch(label) is not None
