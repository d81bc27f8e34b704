"""One column of a table as it was read, and its conversion to numbers and texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fivefold.errors import DataError
from fivefold_finance.transactions.schema import Texts


@dataclass(frozen=True)
class Column:
    """A column of ``N`` cells.

    Attributes:
        name: in the source.
        cells: of any type of Arrow's; null where empty.
        where: from the place of a cell to file and row, as messages begin.
    """

    name: str
    cells: pa.ChunkedArray
    where: Callable[[int], str]

    @cached_property
    def texts(self) -> Texts:
        """The cells as texts, None where empty, ``(N,)``; whole numbers without a point."""
        kind = self.cells.type
        if pa.types.is_floating(kind):
            whole = [None if cell is None else _shortest(cell) for cell in self.cells.to_pylist()]
            return _objects(whole)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return _objects(self.cells.to_pylist())
        return _objects([None if cell is None else str(cell) for cell in self.cells.to_pylist()])

    @property
    def moments(self) -> Any:
        """The cells as pandas' moments where the source has them as such, else None."""
        if not (pa.types.is_timestamp(self.cells.type) or pa.types.is_date(self.cells.type)):
            return None
        return self.cells.cast(pa.timestamp("ns", tz=getattr(self.cells.type, "tz", None))).to_pandas()


def numbers_of(column: Column, *, or_none: bool = False) -> NDArray[np.float64] | None:
    """The cells as float64, nan where empty, ``(N,)``.

    Args:
        column: the cells.
        or_none: give None where a cell is no number, instead of refusing it.

    Raises:
        DataError: a cell is no number; the message names the row.
    """
    try:
        cells = column.cells
        if pa.types.is_temporal(cells.type):
            raise pa.ArrowInvalid("a date")
        if pa.types.is_boolean(cells.type):
            cells = cells.cast(pa.int8())
        found = pc.cast(cells, pa.float64(), safe=False)
    except pa.ArrowException as error:
        if or_none:
            return None
        place, text = _first_wrong(column)
        raise DataError(
            f"{column.where(place)}: expected a number in column '{column.name}', found '{text[:60]}'; mend the cell"
        ) from error
    return np.array(pc.fill_null(found, float("nan")).to_numpy(), dtype=np.float64)


def _first_wrong(column: Column) -> tuple[int, str]:
    for place, text in enumerate(column.texts):
        try:
            float(text or 0)
        except ValueError:
            return place, text
    return 0, column.texts[0]


def _shortest(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _objects(values: list[Any]) -> Texts:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
