"""Times of texts as a column: numbers, or dates as they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import numpy as np

from fivefold.data.labels import texts
from fivefold.data.table import Array
from fivefold.errors import DataError

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_OF_MAIL = re.compile(
    r"([A-Z][a-z]{2},\s*)?\d{1,2}\s+[A-Z][a-z]{2}\s+[1-9]\d{3}\s+\d{1,2}:\d{2}(:\d{2})?"
    r"\s+([+-]\d{4}|GMT|UTC?|[ECMP][SD]T)(\s*\(.*\))?",
    re.ASCII | re.IGNORECASE,
)
"""Dates of mails (RFC 2822) whose time zone is sure."""


def checked_time(time: str, where: str, column: str) -> str:
    """A time that `time_column` can read: ``time`` itself, or the date of a mail in the form of ISO 8601.

    Args:
        time: as it is written.
        where: the file and row, as messages name them.
        column: the name of the column.

    Raises:
        DataError: it is neither a number nor a date.
    """
    if _is_number(time) or _date(time) is not None:
        return time
    moment = _date_of_mail(time)
    if moment is None:
        raise DataError(
            f"{where}: expected a time in column '{column}', a number or a date such as 2024-05-31, 2024-05-31T14:00 "
            f"or Fri, 31 May 2024 14:00 +0200, found '{time}'; mend it, or drop the column"
        )
    return moment.isoformat()


def time_column(written: Sequence[str | None], where: Sequence[str], column: str) -> Array:
    """Times as `fivefold.data.splits.readable_times` reads them, shape ``(N,)``.

    Args:
        written: times as `checked_time` gives them; None where a row has none.
        where: file and row of each, as messages name them.
        column: the name of the column.

    Returns:
        Numbers, float64, where every time is one; else the texts of dates. Dates without separators (20240531) are
        dates where the whole column is such.

    Raises:
        DataError: one is missing, or some are numbers and others not, or some have a time zone and others none, so
            that which came first cannot be told.
    """
    times = [time for time in written if time is not None]
    if len(times) < len(written):
        raise DataError(
            f"{where[written.index(None)]}: expected a time in column '{column}', found none; fill it in, or drop the "
            "column"
        )
    numbers = np.array([_is_number(time) for time in times], dtype=bool)
    moments = [_date(time) for time in times]
    dates = np.array([moment is not None for moment in moments], dtype=bool)
    if dates.all() or not numbers.any():
        _require_one_clock(times, [one for one in moments if one is not None], where, column)
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
        f"{where[row]}: expected times in column '{column}' that are all numbers, or all dates, found {found}; write "
        "them alike"
    )


def _require_one_clock(
    times: Sequence[str], moments: Sequence[datetime], where: Sequence[str], column: str
) -> None:
    """Refuse dates of which some have a time zone and others none."""
    zoned = np.array([moment.tzinfo is not None for moment in moments], dtype=bool)
    if zoned.any() and not zoned.all():
        row = int(np.argmax(zoned != zoned[0]))
        first, other = ("a time zone", "none") if zoned[0] else ("no time zone", "one")
        raise DataError(
            f"{where[row]}: expected times in column '{column}' that all have a time zone, or none of them, found "
            f"{other} in '{times[row]}' where the rows before have {first}; write them alike"
        )


def _is_number(time: str) -> bool:
    return _NUMBER.fullmatch(time) is not None and bool(np.isfinite(float(time)))


def _date(time: str) -> datetime | None:
    try:
        return datetime.fromisoformat(time)
    except ValueError:
        return None


def _date_of_mail(time: str) -> datetime | None:
    """The moment that a mail's date says; None where it is none."""
    if _OF_MAIL.fullmatch(time) is None:
        return None
    try:
        moment = parsedate_to_datetime(time)
    except ValueError:
        return None
    # -0000 and UTC say that the clock is UTC, and not where the mail was written.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
