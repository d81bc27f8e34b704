"""Columns that only number the rows, as R and pandas write them, and columns without a name."""

from __future__ import annotations

from dataclasses import replace

from fivefold.errors import DataError
from fivefold_finance.row_numbers import are_row_numbers, called, may_number_rows
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.raw import Raw
from fivefold_finance.series.roles import TIME_NAMES
from fivefold_finance.series.told import Told

_FIRST_NUMBERS = (0, 1)


def without_row_numbers(raw: Raw, options: SeriesOptions, told: Told) -> Raw:
    """The table without a column of row numbers, which is told, and without one that has neither name nor cells.

    Consecutive whole numbers are row numbers in a column with a usual name of an index, or none. Where nothing else
    can be the time, they must begin at 0 or 1, as years do not.

    Raises:
        DataError: another column has no name, so that it cannot be asked for.
    """
    names = list(raw.columns)
    asked = {options.time, options.symbol, *options.values, *options.asked}
    timed = options.time is not None or any(name.lower() in TIME_NAMES for name in names)
    left_out = []
    for place, name in enumerate(names):
        if not may_number_rows(name) or (name and name in asked):
            continue
        if _numbers_rows(raw, name, timed=timed):
            told.caution(
                "row numbers", raw.stem, f"{called(name, place)} only numbers the rows, and is left out"
            )
            left_out.append(name)
        elif not name and not any(raw.texts(name)):
            left_out.append(name)
        elif not name and (timed or place) and not options.values:
            first = next(position for position, text in enumerate(raw.texts(name)) if text)
            raise DataError(
                f"{raw.where(first)}: expected a name for each column in the header, found none for column {place + 1} "
                f"('{raw.texts(name)[first][:60]}'); name it, remove it, or name those to read by --columns.values"
            )
    if not left_out:
        return raw
    return replace(raw, columns={name: cells for name, cells in raw.columns.items() if name not in left_out})


def _numbers_rows(raw: Raw, name: str, *, timed: bool) -> bool:
    """Whether the cells are consecutive whole numbers."""
    try:
        numbers = raw.numbers(name)
    except (DataError, TypeError):
        return False
    return are_row_numbers(numbers) and (timed or numbers[0] in _FIRST_NUMBERS)
