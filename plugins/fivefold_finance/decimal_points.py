"""Columns of texts with points in the place of decimal commas, as tables have them whose cells other signs part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fivefold.data.decimals import DecimalCommas

Column = Sequence[str | None]

_ALIKE = bytes.maketrans(b"23456789", b"11111111")
"""Digits that make no difference to how a number is read; a zero before all others does."""


def with_points(
    columns: Mapping[str, Column], rows: Sequence[int], commas: DecimalCommas
) -> dict[str, list[str | None]]:
    """The same columns with decimal points; ``commas`` notes which of them had commas.

    Args:
        columns: name to ``N`` cells, None where empty.
        rows: number of each row in the file, ``N``.
        commas: of the file.

    Raises:
        DataError: a column has decimal commas and points; the message names both rows.
    """
    return {name: _with_points(name, cells, rows, commas) for name, cells in columns.items()}


def _with_points(name: str, cells: Column, rows: Sequence[int], commas: DecimalCommas) -> list[str | None]:
    """One column; only the first number of each form is looked at closely, as tables may have millions of them."""
    is_decimal: dict[bytes, bool] = {}
    read: list[str | None] = []
    for row, cell in zip(rows, cells, strict=True):
        if cell is None:
            read.append(cell)
            continue
        form = cell.encode().translate(_ALIKE)
        decimal = is_decimal.get(form)
        if decimal is None:
            found = commas.read_row(row, {name: cell})[name] or ""
            decimal = is_decimal[form] = "," in cell and "," not in found
        read.append(cell.replace(".", "").replace(",", ".") if decimal else cell)
    return read
