"""What separates the cells of a CSV file: found from its first lines, as spreadsheets of several countries write it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fivefold.errors import DataError

NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""Delimiters that are looked for, and what they are called."""

SAMPLED = 50
"""Rows behind the header by which a delimiter is judged, at most."""

_LONGEST = 2**20  # characters of a line that are looked at
_AGREEING = 0.5  # of the rows that must have as many cells as the header where not all have


@dataclass(frozen=True)
class _Fit:
    """How well a delimiter fits.

    Attributes:
        delimiter: it.
        cells: of the header.
        share: of the rows that have as many.
    """

    delimiter: str
    cells: int
    share: float


def find_delimiter(file: Path, encoding: str) -> str:
    """The delimiter of a CSV file; a comma where the file cannot be read, which reading tells of.

    Raises:
        DataError: several delimiters fit alike, none of which is the comma.
    """
    try:
        with file.open(newline="", encoding=encoding, errors="replace") as stream:
            lines = [line for line in (stream.readline(_LONGEST) for _ in range(SAMPLED + 1)) if line]
            whole = not stream.readline(1)
    except (OSError, LookupError, UnicodeError):
        return ","
    return fitting_delimiter(file, lines, whole=whole)


def fitting_delimiter(file: object, lines: Sequence[str], *, whole: bool = True) -> str:
    """The delimiter that parts header and first rows into the same number of cells, more than one.

    A comma wins over the others, as the standard's own (RFC 4180). Where no delimiter fits every row, one that parts
    the header and half of the rows is taken, so that the row that differs can be named. A file of one column has a
    comma.

    Args:
        file: for the message.
        lines: the header and the first rows, each with its end.
        whole: whether these are all; the last row may else be cut off, and does not count.

    Raises:
        DataError: several delimiters fit alike, none of which is the comma.
    """
    found = (_fit(delimiter, lines, whole=whole) for delimiter in NAMES)
    fits = [fit for fit in found if fit.cells > 1]
    for least in (1.0, _AGREEING):
        fitting = [fit for fit in fits if fit.share >= least]
        if any(fit.delimiter == "," for fit in fitting):
            return ","
        if len(fitting) > 1:
            named = ", ".join(f"{NAMES[fit.delimiter]} into {fit.cells:,}" for fit in fitting)
            raise DataError(
                f"{file}: expected one sign that parts the cells of a row, found several that part header and rows "
                f"alike ({named}); put cells that hold such a sign into double quotes, or save the file with commas"
            )
        if fitting:
            return fitting[0].delimiter
    return ","


def _fit(delimiter: str, lines: Sequence[str], *, whole: bool) -> _Fit:
    rows = _rows(delimiter, lines)
    if not rows:
        return _Fit(delimiter, 0, 0.0)
    header, *rest = rows if whole or len(rows) == 1 else rows[:-1]
    agreeing = sum(len(row) == len(header) for row in rest)
    return _Fit(delimiter, len(header), agreeing / len(rest) if rest else 1.0)


def _rows(delimiter: str, lines: Sequence[str]) -> list[list[str]]:
    """Rows as the delimiter parts them; none where quotes are broken, which reading tells of."""
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return []
