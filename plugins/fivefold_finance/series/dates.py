"""Dates and times as they are written: ISO 8601, day or month first, by names, compact, and seconds since 1970.

A column keeps to one form. Of 1/4/1999 nobody can say whether it is in January or April; a day above 12 anywhere
in the column proves the order, an option says it, and without either it is an error rather than a guess.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.errors import DataError
from fivefold_finance.series.options import DateOrder, Epoch
from fivefold_finance.series.raw import Raw
from fivefold_finance.series.schema import Flags, Integers, Times

FORMS = (
    "2016-07-01, 2016-07-01 13:00:00, 2016-07-01T13:00:00-04:00, 7/1/2016, Jul 1 2016, 2016Q3, 20160701 or seconds "
    "since 1970"
)
"""Times that are understood, for messages."""

FIRST_YEAR, LAST_YEAR = 1700, 2261
"""Years between which nanoseconds fit into 64 bits."""

_CLOCK = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])[Mm])?\s*(?P<offset>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?"
)
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})([-/.])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}}){_CLOCK}")
_YEAR_LAST = re.compile(rf"(?P<first>\d{{1,2}})([-/.])(?P<second_field>\d{{1,2}})\2(?P<year>\d{{4}}){_CLOCK}")
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NAME_FIRST = re.compile(
    rf"{_NAME}(?:-(?P<day>\d{{1,2}})-|\.?\s+(?P<spaced_day>\d{{1,2}}),?\s+)(?P<year>\d{{4}}){_CLOCK}",
    re.IGNORECASE,
)
_QUARTER = re.compile(r"(?P<year>\d{4})[- ]?[Qq](?P<quarter>[1-4])")
_DECIMAL_YEAR = re.compile(r"\d{4}(?:\.\d+)?")
_NEAR = 0.06
"""How many months a decimal year may lie off the beginning of one: 1949.08 is rounded by as much."""
_MONTH = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2}))?")
_DATED = {
    "year first": _YEAR_FIRST,
    "year last": _YEAR_LAST,
    "without separators": _COMPACT,
    "months": _MONTH,
    "month by name": _NAME_FIRST,
    "quarters": _QUARTER,
}
_EPOCH = re.compile(r"\d{9,19}(?:\.\d*)?")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?")

_UNITS: dict[Epoch, int] = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_DIGITS: tuple[tuple[int, Epoch], ...] = ((11, "s"), (14, "ms"), (17, "us"), (19, "ns"))


@dataclass(frozen=True)
class Written:
    """Times as written.

    Attributes:
        wall: what the clock shows, ``datetime64[ns]``, shape ``(T,)``; UTC where offsets are known.
        known: whether each carries its offset from UTC, and so is an instant, shape ``(T,)``.
    """

    wall: Times
    known: Flags


def parse(
    raw: Raw, column: str, texts: Sequence[str], order: DateOrder | None, epoch: Epoch | None
) -> Written:
    """The times in the cells of a column.

    Args:
        raw: the table, for messages.
        column: the name of the column.
        texts: its cells.
        order: of dates with the year last, as an option says it.
        epoch: unit of numbers, as an option says it.

    Raises:
        DataError: a cell is missing or no time, forms are mixed, or the order of day and month is not known.
    """
    if epoch is None and _are_decimal_years(texts):
        return _of_decimal_years(texts)
    form = _form(texts[0], epoch)
    if form == "seconds since 1970":
        return _of_epoch(raw, column, texts, epoch)
    pattern = _DATED.get(form or "")
    fields: list[dict[str, str | None]] = []
    for position, text in enumerate(texts):
        found = pattern.fullmatch(text) if pattern else None
        if found is None:
            raise _unlike(raw, column, texts, position, epoch)
        fields.append(_in_numbers(found.groupdict()))
    if pattern is _YEAR_LAST:
        _order_fields(raw, column, texts, fields, order)
    return _assembled(raw, column, texts, fields)


def _in_numbers(fields: dict[str, str | None]) -> dict[str, str | None]:
    """The same with a month's name, or a quarter, as the number of its (first) month."""
    name, quarter = fields.get("name"), fields.get("quarter")
    if name:
        month = str(1 + _MONTHS.index(name[:3].lower()))
        return fields | {"month": month, "day": fields["day"] or fields["spaced_day"]}
    if quarter:
        return fields | {"month": str(3 * int(quarter) - 2)}
    return fields


def _are_decimal_years(texts: Sequence[str]) -> bool:
    """Whether all are years with a fraction that stands for the beginning of a month, as R writes them."""
    if not any("." in text for text in texts) or not all(_DECIMAL_YEAR.fullmatch(text) for text in texts):
        return False
    years = np.array(texts, dtype=np.float64)
    months = 12 * years
    known = (years >= FIRST_YEAR) & (years <= LAST_YEAR)
    return bool((known & (np.abs(months - np.round(months)) <= _NEAR)).all())


def _of_decimal_years(texts: Sequence[str]) -> Written:
    months = np.round(12 * np.array(texts, dtype=np.float64)).astype(np.int64) - 12 * 1970
    return Written(months.astype("datetime64[M]").astype("datetime64[ns]"), np.zeros(len(texts), dtype=bool))


def _form(text: str, epoch: Epoch | None) -> str | None:
    if epoch is not None and _NUMBER.fullmatch(text):
        return "seconds since 1970"
    for name, pattern in _DATED.items():
        if pattern.fullmatch(text):
            return name
    return "seconds since 1970" if _EPOCH.fullmatch(text) else None


def _unlike(raw: Raw, column: str, texts: Sequence[str], position: int, epoch: Epoch | None) -> DataError:
    where, text = raw.where(position), texts[position]
    if not text:
        return DataError(
            f"{where}: expected a time in column '{column}', found none; fill it in or remove the row"
        )
    if _form(text, epoch) is None:
        return DataError(
            f"{where}: expected a time in column '{column}' such as {FORMS}, found '{text[:60]}'; write it in one of "
            "these forms, or name another column by --columns.time"
        )
    return DataError(
        f"{where}: expected times in one form in column '{column}', as '{texts[0]}' in row {raw.rows[0]}, found "
        f"'{text[:60]}'; write all of them alike"
    )


def _of_epoch(raw: Raw, column: str, texts: Sequence[str], epoch: Epoch | None) -> Written:
    unit = epoch or _unit(texts[0])
    for position, text in enumerate(texts):
        if _form(text, epoch) != "seconds since 1970" or (epoch is None and _unit(text) != unit):
            raise _unlike(raw, column, texts, position, epoch)
    return Written(
        np.array(
            [_nanoseconds(raw, position, text, _UNITS[unit]) for position, text in enumerate(texts)]
        ).astype("datetime64[ns]"),
        np.ones(len(texts), dtype=bool),
    )


def _unit(text: str) -> Epoch:
    digits = len(text.partition(".")[0])
    return next(unit for most, unit in _DIGITS if digits <= most)


def _nanoseconds(raw: Raw, position: int, text: str, unit: int) -> int:
    """Whole nanoseconds since 1970; exact, which a float is not."""
    whole, _, fraction = text.partition(".")
    part = int(fraction[:9].ljust(9, "0")) * unit // 10**9 if fraction else 0
    found = int(whole) * unit + (-part if whole.startswith("-") else part)
    if not -(2**63) < found < 2**63:
        raise DataError(
            f"{raw.where(position)}: expected a time of the years {FIRST_YEAR} to {LAST_YEAR}, found '{text}'; mend "
            "it, or name its unit by --series.epoch"
        )
    return found


def _order_fields(
    raw: Raw, column: str, texts: Sequence[str], fields: list[dict[str, str | None]], order: DateOrder | None
) -> None:
    """Name the first two fields of each date ``month`` and ``day``."""
    first, second = (_integers(fields, name, 0) for name in ("first", "second_field"))
    day_first, month_first = first > 12, second > 12  # noqa: PLR2004 - months of a year
    if day_first.any() and month_first.any():
        one, other = int(np.argmax(day_first)), int(np.argmax(month_first))
        raise DataError(
            f"{raw.where(max(one, other))}: expected day and month in the same order in column '{column}', found "
            f"'{texts[one]}' in row {raw.rows[one]} and '{texts[other]}' in row {raw.rows[other]}; write all alike"
        )
    proven: DateOrder | None = "dmy" if day_first.any() else "mdy" if month_first.any() else None
    if order is None and proven is None and (first != second).any():
        position = int(np.argmax(first != second))
        raise DataError(
            f"{raw.where(position)}: expected to see whether day or month comes first in column '{column}', found "
            f"'{texts[position]}' and no day above 12; say --series.date-order mdy or dmy, or write 2016-07-01"
        )
    if order is not None and proven is not None and proven != order:
        position = int(np.argmax(day_first | month_first))
        raise DataError(
            f"{raw.where(position)}: expected dates in the order {order}, as --series.date-order says, found "
            f"'{texts[position]}'; say {proven}"
        )
    names = ("first", "second_field") if (order or proven) == "dmy" else ("second_field", "first")
    for found in fields:
        found["day"], found["month"] = found[names[0]], found[names[1]]


def _assembled(raw: Raw, column: str, texts: Sequence[str], fields: list[dict[str, str | None]]) -> Written:
    year = _integers(fields, "year", 1970)
    month, day = (_integers(fields, name, 1) for name in ("month", "day"))
    hour, minute, second = (_integers(fields, name, 0) for name in ("hour", "minute", "second"))
    halves = [(found.get("half") or "").lower() for found in fields]
    afternoon, halved = np.array([half == "p" for half in halves]), np.array([bool(half) for half in halves])
    good = (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)  # noqa: PLR2004 - a calendar's and a clock's
    good &= ~halved | ((hour >= 1) & (hour <= 12))  # noqa: PLR2004 - a clock's
    good &= (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    months = (np.where(good, year - 1970, 0) * 12 + np.where(good, month - 1, 0)).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    good &= days.astype("datetime64[M]") == months
    if not good.all():
        position = int(np.argmin(good))
        raise DataError(
            f"{raw.where(position)}: expected a day and time that there are, of the years {FIRST_YEAR} to {LAST_YEAR}, "
            f"in column '{column}', found '{texts[position]}'; mend it"
        )
    hour = np.where(halved, hour % 12 + 12 * afternoon, hour)
    fraction = np.array(
        [int((found.get("fraction") or "0").ljust(9, "0")) for found in fields], dtype=np.int64
    )
    nanoseconds = ((hour * 60 + minute) * 60 + second) * 10**9 + fraction
    offsets = [found.get("offset") for found in fields]
    minutes = np.array([_offset(offset) for offset in offsets], dtype=np.int64)
    wall = days.astype("datetime64[ns]") + (nanoseconds - minutes * 60 * 10**9).astype("timedelta64[ns]")
    return Written(wall, np.array([offset is not None for offset in offsets]))


def _integers(fields: Sequence[dict[str, str | None]], name: str, default: int) -> Integers:
    return np.array([int(found.get(name) or default) for found in fields], dtype=np.int64)


def _offset(text: str | None) -> int:
    """Minutes ahead of UTC."""
    if text is None or text[0] not in "+-":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return -minutes if text[0] == "-" else minutes
