"""Times of texts as a column: numbers, or dates as they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from fivefold.data.labels import texts
from fivefold.data.table import Array
from fivefold.errors import DataError

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def time_column(written: Sequence[str | None], ids: Sequence[str], where: str, column: str) -> Array:
    """Times as `fivefold.data.splits.readable_times` reads them, shape ``(N,)``.

    Args:
        written: times as they are written; None where a row has none.
        ids: of the texts, for messages.
        where: the source.
        column: the name of the column.

    Returns:
        Numbers, float64, where every time is one; else the texts, of which splits say which is no date. Dates
        without separators (20240531) are dates where the whole column is such.

    Raises:
        DataError: one is missing, or some are numbers and others not, so that which came first cannot be told.
    """
    times = [time for time in written if time is not None]
    if len(times) < len(written):
        raise DataError(
            f"{where}, {ids[written.index(None)]}, column '{column}': expected a time, found none; fill it in, or drop "
            "the column"
        )
    numbers = np.array([_is_number(time) for time in times], dtype=bool)
    dates = np.array([_is_date(time) for time in times], dtype=bool)
    if dates.all() or not numbers.any():
        return texts(times)
    if numbers.all():
        return np.array(times, dtype=np.float64)
    # What is a number and a date fits either.
    sure = np.flatnonzero(~(numbers & dates))
    unlike = sure[numbers[sure] != numbers[sure[0]]]
    if not len(unlike):
        return texts(times)
    row = int(unlike[0])
    found = (
        f"the number '{times[row]}' where the rows before have none"
        if numbers[row]
        else f"'{times[row]}' where the rows before have numbers"
    )
    raise DataError(
        f"{where}, {ids[row]}, column '{column}': expected times that are all numbers, or all dates, found {found}; "
        "write them alike"
    )


def _is_number(time: str) -> bool:
    return _NUMBER.fullmatch(time) is not None and bool(np.isfinite(float(time)))


def _is_date(time: str) -> bool:
    try:
        datetime.fromisoformat(time)
    except ValueError:
        return False
    return True
