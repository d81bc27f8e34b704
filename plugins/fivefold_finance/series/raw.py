"""A table as a reader found it, before anything is made of its cells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fivefold.data.decimals import DecimalCommas
from fivefold.errors import DataError
from fivefold_finance.decimal_points import with_points
from fivefold_finance.series.schema import Floats, Integers

Cells = Any
"""A column: a list of texts (of CSV), or a pandas Series (of Parquet), whose own type says what it holds."""

_MISSING = {"", ".", "-", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"}
_FLAGS = {"true": 1.0, "false": 0.0}
_NUMBER = re.compile(r"[-+]?[.,]?\d|[-+]?(inf|nan)", re.IGNORECASE)


@dataclass(frozen=True)
class Raw:
    """Columns of one file.

    Attributes:
        source: the file, for messages.
        stem: its name without endings.
        columns: name, as the file has it, to cells.
        rows: number of each row in the file, from 1.
        decimal_commas: whether numbers may have them, as where another sign than the comma parts the cells.
    """

    source: str
    stem: str
    columns: Mapping[str, Cells]
    rows: Integers
    decimal_commas: bool = False

    def where(self, position: int) -> str:
        """The file and row, as messages begin."""
        return f"{self.source}, row {self.rows[position]}"

    def with_points(self, names: Sequence[str]) -> tuple[Raw, DecimalCommas]:
        """The same with points in the place of decimal commas in the columns ``names``, and what was found there.

        Raises:
            DataError: a column has decimal commas and points; the message names both rows.
        """
        having = [
            name for name in names if self.decimal_commas and any("," in cell for cell in self.columns[name])
        ]
        commas = DecimalCommas(self.source, having)
        if not having:
            return self, commas
        read = with_points({name: self.columns[name] for name in having}, self.rows.tolist(), commas)
        return replace(self, columns={**self.columns, **read}), commas

    def texts(self, name: str) -> list[str]:
        """A column as texts, stripped; empty ones where nothing is said."""
        cells = self.columns[name]
        texts = cells if isinstance(cells, list) else as_texts(cells)
        return ["" if is_missing(text) else text.strip() for text in texts]

    def numbers(self, name: str) -> Floats:
        """A column as numbers, nan where missing.

        Raises:
            DataError: a cell is no number, or infinite; the message names its row.
        """
        cells = self.columns[name]
        if isinstance(cells, list):
            values = self._of_texts(name, cells)
        elif getattr(cells.dtype, "kind", "O") in "iufb":
            values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            values = self._of_texts(name, as_texts(cells))
        infinite = np.isinf(values)
        if infinite.any():
            raise DataError(
                f"{self.where(int(np.argmax(infinite)))}: expected a finite number in column '{name}', found an "
                "infinite one; mend the cell, or leave it empty where the value is not known"
            )
        return values

    def is_text(self, name: str) -> bool:
        """Whether a column holds words and no number, nor anything that begins like one."""
        cells = self.columns[name]
        if not isinstance(cells, list) and getattr(cells.dtype, "kind", "O") in "iufbM":
            return False
        known = [text for text in self.texts(name) if text]
        return bool(known) and not any(text.lower() in _FLAGS or _NUMBER.match(text) for text in known)

    def _of_texts(self, name: str, texts: Sequence[str]) -> Floats:
        try:
            return np.array(texts, dtype=str).astype(np.float64)
        except ValueError:
            return np.array([self._number(name, position, text) for position, text in enumerate(texts)])

    def _number(self, name: str, position: int, text: str) -> float:
        if is_missing(text):
            return np.nan
        try:
            return _FLAGS[text.strip().lower()] if text.strip().lower() in _FLAGS else float(text)
        except ValueError as error:
            raise DataError(
                f"{self.where(position)}: expected a number in column '{name}', found '{text.strip()[:60]}'; mend the "
                "cell, or name the columns to forecast by --targets, or those to read by --columns.values"
            ) from error


def as_texts(cells: Cells) -> list[str]:
    """A column of Parquet as it would be written in a CSV file."""
    return [
        "" if missing else str(value) for value, missing in zip(cells.tolist(), cells.isna(), strict=True)
    ]


def is_missing(text: str) -> bool:
    """Whether a cell says that there is no value, in one of the ways in which programs write that."""
    return text.strip().lower() in _MISSING
