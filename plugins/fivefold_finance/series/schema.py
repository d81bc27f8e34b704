"""Series: what every reader of prices and other series returns.

Prices have the columns ``open``, ``high``, ``low``, ``close`` and ``volume`` (those of them that the source has);
any other series has the columns of its source, under their own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Problem

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Times = NDArray[np.datetime64]

PRICES = ("open", "high", "low", "close")
"""Columns of a bar that are prices."""

ADJUSTED_CLOSE = "adj close"
"""The column of a source that says what the close is worth after all later splits and dividends."""


@dataclass(frozen=True)
class Series:
    """One symbol's series: ``T`` bars, or moments, in the order of time.

    Attributes:
        symbol: its name; the file's where the source names none.
        times: instants in UTC, strictly increasing, ``datetime64[ns]``, shape ``(T,)``; a bar without a time of day
            has midnight in ``zone``.
        columns: name to values, each ``(T,)``; nan where the source has none. No row is invented.
        zone: IANA zone of the exchange or the source; ``UTC`` where none is known.
        adjusted: whether prices are adjusted for splits and dividends; None where that is not known, or where the
            series is no price. An adjusted price of the past depends on later splits and dividends; its returns
            do not.
        rows: where each bar stands in the source, from 1, shape ``(T,)``: a line of a text file, a row of Parquet.
    """

    symbol: str
    times: Times
    columns: Mapping[str, Floats]
    zone: str
    adjusted: bool | None
    rows: Integers

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True)
class SeriesSet:
    """All series of a source.

    Attributes:
        series: in the order in which they first appear.
        source: what was read.
        cautions: what the user should know, one sentence each.
        problems: bars that could not be used; their prices are nan.
    """

    series: tuple[Series, ...]
    source: str
    cautions: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
