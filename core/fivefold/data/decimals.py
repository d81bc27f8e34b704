"""Numbers with decimal commas, as spreadsheets of many countries write them beside a semicolon."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from fivefold.errors import DataError

_SURE = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d*([eE][+-]?\d+)?|[+-]?,\d+([eE][+-]?\d+)?")
"""A number with a decimal comma, perhaps with points between its thousands."""
_OPEN = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""What may as well be a comma between thousands."""
_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")


@dataclass
class DecimalCommas:
    """Turns decimal commas into points in the columns in which numbers are wanted; keeps what it did for a note.

    Attributes:
        file: for messages.
        columns: those in which numbers are wanted.
    """

    file: str
    columns: Collection[str]
    _comma: dict[str, tuple[int, str]] = field(default_factory=dict)
    _point: dict[str, tuple[int, str]] = field(default_factory=dict)
    _undecided: dict[str, tuple[int, str]] = field(default_factory=dict)
    _decided: set[str] = field(default_factory=set)

    def read_row(self, row: int, cells: dict[str, str | None]) -> dict[str, str | None]:
        """``cells`` with points in the place of decimal commas.

        Raises:
            DataError: a column has decimal points as well.
        """
        for column in self.columns:
            cell = cells.get(column)
            if cell is not None:
                cells[column] = self._read(row, column, cell)
        return cells

    def _read(self, row: int, column: str, cell: str) -> str:
        text = cell.strip()
        if _SURE.fullmatch(text):
            self._comma.setdefault(column, (row, text))
            if _OPEN.fullmatch(text):
                self._undecided.setdefault(column, (row, text))
            else:
                self._decided.add(column)
            text = text.replace(".", "").replace(",", ".")
        elif _POINT.fullmatch(text):
            self._point.setdefault(column, (row, text))
        else:
            return cell
        if column in self._comma and column in self._point:
            (first, comma), (second, point) = self._comma[column], self._point[column]
            raise DataError(
                f"{self.file}, row {row}: expected decimal commas or decimal points in column '{column}', found both "
                f"('{comma}' in row {first}, '{point}' in row {second}); write all its numbers alike"
            )
        return text

    def notes(self) -> list[str]:
        """A sentence on the columns in which decimal commas were read.

        Raises:
            DataError: all commas of a column may as well stand between thousands.
        """
        for column, (row, text) in self._undecided.items():
            if column not in self._decided:
                raise DataError(
                    f"{self.file}, row {row}: expected numbers in column '{column}' that can be read in one way, found "
                    f"'{text}', whose comma may be a decimal one or part thousands, as may every comma of the column; "
                    "write its numbers with decimal points"
                )
        if not self._comma:
            return []
        row, text = next(iter(self._comma.values()))
        named = ", ".join(f"'{name}'" for name in self._comma)
        note = f"{self.file}: commas in {named} were read as decimal commas, as in '{text}' of row {row}."
        return [note]
