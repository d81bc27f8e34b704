"""From the cells of a table to transactions: what each column means, and that each cell is what it should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fivefold.errors import DataError
from fivefold_finance.row_numbers import are_row_numbers, called, may_number_rows
from fivefold_finance.transactions.columns import Column, numbers_of
from fivefold_finance.transactions.options import ColumnsConfig
from fivefold_finance.transactions.readers.tables import trimmed
from fivefold_finance.transactions.schema import Roles, Texts, Times, Transactions
from fivefold_finance.transactions.times import read_times

_ANSWERS = {"1": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "false": 0.0, "no": 0.0, "": np.nan}


@dataclass(frozen=True)
class Expected:
    """The columns that a model reads beside those with a role.

    Attributes:
        numbers: columns of numbers.
        categories: columns of names.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]


def build(
    cells: Mapping[str, pa.ChunkedArray],
    rows: NDArray[np.int64],
    roles: Roles,
    columns: ColumnsConfig,
    zone: str,
    source: str,
    expected: Expected | None = None,
) -> Transactions:
    """Transactions as they stand in the source; their order and what they say together is not looked at.

    Args:
        cells: column to cells, ``(N,)``.
        rows: number of each row in the source, ``(N,)``.
        roles: which column is which.
        columns: which columns of numbers are names, and which are to be passed over.
        zone: of times that state none.
        source: for messages.
        expected: the columns of a trained model; without, all those left over are read.

    Raises:
        DataError: a column is missing, or a cell is not what it should be; the message names the row.
    """

    def column(name: str) -> Column:
        if name not in cells:
            raise DataError(
                f"{source}: expected a column '{name}', which the model was trained on, found {', '.join(cells)}; "
                "add it"
            )
        return Column(name, trimmed(cells[name]), lambda place: f"{source}, row {int(rows[place])}")

    numbering = [] if expected else _row_numbers(cells, roles, columns, column)
    wanted = expected or _left_over(cells, roles, columns, column, numbering)
    time = column(roles.time)
    read = read_times(time, zone)
    _there(np.isnat(read.times), time, "a time")
    label_read = None if roles.label_time is None else read_times(column(roles.label_time), zone)
    label_times: Times | None = None if label_read is None else label_read.times
    labels = None if roles.label is None else _labels(column(roles.label))
    _check_label_times(read.times, label_times, roles, time.where)
    return Transactions(
        source=source,
        roles=roles,
        times=read.times,
        amounts=_amounts(column(roles.amount)),
        accounts=None if roles.account is None else _named(column(roles.account), "an account"),
        numbers={name: _numbers(column(name)) for name in wanted.numbers},
        categories={name: column(name).texts for name in wanted.categories},
        labels=labels,
        label_times=label_times,
        ids=None if roles.id is None else _named(column(roles.id), "a name"),
        rows=rows,
        cautions=tuple(
            dict.fromkeys(
                (*read.cautions, *(label_read.cautions if label_read else ()), *_told(numbering, cells))
            )
        ),
    )


def ordered(found: Transactions) -> Transactions:
    """In order of time, and a caution where they were not; equal times stay as they stand in the source."""
    late = np.flatnonzero(np.diff(found.times) < np.timedelta64(0))
    if not len(late):
        return found
    order = np.argsort(found.times, kind="stable")
    told = (
        f"{len(late):,} rows stand after a later one, the first of them in row {int(found.rows[int(late[0]) + 1])}; "
        "all were put in order of time."
    )
    return found.take(order).with_cautions([told])


def _row_numbers(
    cells: Mapping[str, Any], roles: Roles, columns: ColumnsConfig, column: Callable[[str], Column]
) -> list[str]:
    """Columns without a role that only number the rows."""
    found = []
    for name in cells:
        if may_number_rows(name) and name not in {*roles.taken, *columns.ignore, *columns.categories}:
            numbers = numbers_of(column(name), or_none=True)
            if numbers is not None and are_row_numbers(numbers):
                found.append(name)
    return found


def _told(numbering: Sequence[str], cells: Mapping[str, Any]) -> list[str]:
    names = list(cells)
    told = [
        f"{called(name, names.index(name))} only numbers the rows, and is left out." for name in numbering
    ]
    return [f"{one[0].upper()}{one[1:]}" for one in told]


def _left_over(
    cells: Mapping[str, Any],
    roles: Roles,
    columns: ColumnsConfig,
    column: Callable[[str], Column],
    numbering: Sequence[str],
) -> Expected:
    """Columns without a role: those that are numbers throughout, and the others, which are names."""
    numbers: list[str] = []
    categories: list[str] = []
    for name in cells:
        if name in roles.taken or name in columns.ignore or name in numbering:
            continue
        number = name not in columns.categories and numbers_of(column(name), or_none=True) is not None
        (numbers if number else categories).append(name)
    return Expected(tuple(numbers), tuple(categories))


def _numbers(column: Column) -> NDArray[np.float64]:
    found = numbers_of(column)
    if found is None:
        raise DataError(f"{column.where(0)}: expected numbers in column '{column.name}', found none")
    endless = np.isinf(found)
    if endless.any():
        place = int(np.argmax(endless))
        raise DataError(
            f"{column.where(place)}: expected a finite number in column '{column.name}', found {found[place]:g}; "
            "mend the cell, or leave it empty"
        )
    return found


def _amounts(column: Column) -> NDArray[np.float64]:
    found = _numbers(column)
    _there(np.isnan(found), column, "an amount")
    return found


def _labels(column: Column) -> NDArray[np.float64]:
    """1 fraud, 0 genuine, nan not known: of 1 and 0, true and false, yes and no."""
    found = numbers_of(column, or_none=True)
    if found is not None:
        wrong = ~(np.isnan(found) | (found == 0) | (found == 1))
    else:
        words = [_ANSWERS.get((text or "").lower()) for text in column.texts]
        wrong = np.array([word is None for word in words], dtype=bool)
        found = np.array([np.nan if word is None else word for word in words])
    if wrong.any():
        place = int(np.argmax(wrong))
        raise DataError(
            f"{column.where(place)}: expected the label 1, true or yes (fraud), 0, false or no (genuine), or nothing "
            f"in column '{column.name}', found '{column.texts[place][:60]}'; write 1 or 0"
        )
    return found


def _named(column: Column, what: str) -> Texts:
    found = column.texts
    _there(np.array([text is None for text in found], dtype=bool), column, what)
    return found


def _there(missing: NDArray[np.bool_], column: Column, what: str) -> None:
    if missing.any():
        raise DataError(
            f"{column.where(int(np.argmax(missing)))}: expected {what} in column '{column.name}', found none; fill "
            "it in or remove the row"
        )


def _check_label_times(
    times: Times, label_times: Times | None, roles: Roles, where: Callable[[int], str]
) -> None:
    early = np.zeros(0, bool) if label_times is None else label_times < times
    if label_times is not None and early.any():
        place = int(np.argmax(early))
        raise DataError(
            f"{where(place)}: expected a label that became known after its transaction ({times[place]}), found "
            f"{label_times[place]} in column '{roles.label_time}'; mend one of the two"
        )
