"""Decimal commas in tables of transactions: in the columns in which numbers are wanted, and those that are numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fivefold.data.decimals import DecimalCommas
from fivefold_finance.decimal_points import with_points
from fivefold_finance.transactions.build import Expected
from fivefold_finance.transactions.options import ColumnsConfig
from fivefold_finance.transactions.readers.tables import trimmed
from fivefold_finance.transactions.schema import Roles

Cells = Mapping[str, pa.ChunkedArray]

_NUMBER = r"^[+-]?((\d+([.,]\d*)?|[.,]\d+|\d{1,3}(\.\d{3})+,\d*)([eE][+-]?\d+)?|(?i:nan|inf|infinity))$"
"""A number with a decimal point or comma, in the latter case perhaps with points between its thousands."""

_ROWS = 2**15  # that are held as texts of Python's at once


def with_decimal_points(
    cells: Cells,
    rows: NDArray[Any],
    roles: Roles,
    columns: ColumnsConfig,
    source: str,
    expected: Expected | None,
) -> tuple[Cells, list[str]]:
    """The cells of a CSV file with points in the place of decimal commas, and a sentence on the columns that had them.

    That is done in the columns of time, amount, label and its time, and in those of numbers: those that the model
    expects, else all that are left over and are numbers throughout. Names are left as they are.

    Args:
        cells: column to cells, ``(N,)``.
        rows: number of each row in the source, ``(N,)``.
        roles: which column is which.
        columns: which columns of numbers are names, and which are to be passed over.
        source: for messages.
        expected: the columns of a trained model, if there is one.

    Raises:
        DataError: a column has decimal commas and points, or all its commas may as well stand between thousands.
    """
    having = [name for name in _wanted(cells, roles, columns, expected) if _has_commas(cells[name])]
    commas = DecimalCommas(source, having)
    read: dict[str, list[pa.Array]] = {name: [] for name in having}
    for start in range(0, len(rows) if having else 0, _ROWS):
        some = {name: cells[name].slice(start, _ROWS).to_pylist() for name in having}
        for name, found in with_points(some, rows[start : start + _ROWS].tolist(), commas).items():
            read[name].append(pa.array(found, pa.string()))
    return {**cells, **{name: pa.chunked_array(parts) for name, parts in read.items()}}, commas.notes()


@dataclass
class StreamedCommas:
    """Decimal commas of lines as they come in: what a line says is held against earlier ones alone.

    Attributes:
        known: what good lines have shown; a line that is refused shows nothing, lest it spoil all later ones.
    """

    known: DecimalCommas

    def read(self, rows: Sequence[int], cells: Cells) -> Cells:
        """The cells of some lines with points in the place of decimal commas.

        Args:
            rows: number of each line, ``(N,)``.
            cells: column to cells, ``(N,)``.

        Raises:
            DataError: a column has decimal commas and points, or a comma that may as well stand between thousands.
        """
        texts = {name: cells[name].to_pylist() for name in self.known.columns if name in cells}
        read: dict[str, list[str | None]] = {name: [] for name in texts}
        for row, line in zip(rows, zip(*texts.values(), strict=True), strict=True):
            parts = {one.name: copy(getattr(self.known, one.name)) for one in fields(self.known)}
            tried = replace(self.known, **parts)
            for name, cell in tried.read_row(row, dict(zip(texts, line, strict=True))).items():
                read[name].append(cell)
            tried.notes()  # refuses commas that may stand between thousands
            self.known = tried
        return {
            **cells,
            **{name: pa.chunked_array([pa.array(column, pa.string())]) for name, column in read.items()},
        }


def _wanted(cells: Cells, roles: Roles, columns: ColumnsConfig, expected: Expected | None) -> Sequence[str]:
    """The columns in which numbers are wanted, and those that may be read as numbers."""
    roles_of_numbers = (roles.time, roles.amount, roles.label, roles.label_time)
    named = [name for name in roles_of_numbers if name is not None and name in cells]
    if expected is not None:
        return [*named, *(name for name in expected.numbers if name in cells)]
    passed_over = {*roles.taken, *columns.ignore, *columns.categories}
    return [*named, *(name for name in cells if name not in passed_over and _are_numbers(cells[name]))]


def _has_commas(cells: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.match_substring(cells, ",")).as_py())


def _are_numbers(cells: pa.ChunkedArray) -> bool:
    return bool(pc.all(pc.match_substring_regex(trimmed(cells), _NUMBER)).as_py())
