"""Origins: the bars from which a forecast can be made, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.fingerprint import Fingerprints
from fivefold.data.table import Array, Table
from fivefold_finance.forecast.bars import Bars, Integers
from fivefold_finance.forecast.layout import Layout

_PRIME = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that its powers have inverses modulo 2**64."""


@dataclass(frozen=True)
class OriginTable(Table):
    """Rows are origins: the last bar that a forecast sees.

    Columns: ``id`` (symbol and time), ``symbol``, ``series`` (its number), ``row`` (of the bar in `bars`), ``seen``
    (time of the origin), ``first`` and ``last`` (times of the first and last step that is forecast; ``first`` is the
    table's time).

    Attributes:
        bars: the series.
        layout: what their columns are.
        lookback, horizon: steps seen and forecast.
        labelled: whether the steps that are forecast are known.
    """

    bars: Bars = None  # type: ignore[assignment] # fields after those of Table need a default; it is always given
    layout: Layout = None  # type: ignore[assignment] # see above
    lookback: int = 1
    horizon: int = 1
    labelled: bool = True

    def take(self, rows: Array | Sequence[int]) -> OriginTable:
        """The given rows, with the series that they are of."""
        return replace(self, columns=super().take(rows).columns)


def origin_table(
    bars: Bars,
    layout: Layout,
    lookback: int,
    horizon: int,
    *,
    source: str,
    labelled: bool = True,
    **more: Any,
) -> OriginTable:
    """Every bar with ``lookback`` complete bars up to it and ``horizon`` complete steps after it, without a gap.

    Args:
        bars: the series.
        layout: what their columns are.
        lookback: bars that are seen.
        horizon: steps that are forecast.
        source: what was read.
        labelled: whether the targets of those steps must be known; what is known ahead must be in any case.
        more: further fields of the table.
    """
    rows = complete_rows(bars, layout, lookback, horizon, labelled=labelled)
    series = np.searchsorted(bars.starts, rows, side="right") - 1
    symbols = np.array(bars.symbols, dtype=object)[series]
    seen = bars.times[rows]
    times = np.datetime_as_string(seen, unit="m").astype(object)
    columns: dict[str, Array] = {
        "id": symbols + "@" + times,
        "symbol": symbols,
        "series": series,
        "row": rows,
        "seen": seen,
        "first": bars.times[rows + 1],
        "last": bars.times[rows + horizon],
    }
    return OriginTable(
        columns,
        source=source,
        time="first",
        bars=bars,
        layout=layout,
        lookback=lookback,
        horizon=horizon,
        labelled=labelled,
        **more,
    )


def complete_rows(bars: Bars, layout: Layout, lookback: int, horizon: int, *, labelled: bool) -> Integers:
    """Rows of the origins of whole windows, in order, shape ``(N,)``."""
    rows = np.arange(lookback - 1, len(bars.times) - horizon)
    unbroken = bars.run[rows - lookback + 1] == bars.run[rows + horizon]
    seen = _missing_before(bars.values)
    known = _missing_before(bars.known)
    whole = unbroken & (seen[rows + 1] == seen[rows - lookback + 1])
    whole &= known[rows + horizon + 1] == known[rows + 1]
    if labelled:
        target = _missing_before(bars.values[:, : layout.targets])
        whole &= target[rows + horizon + 1] == target[rows + 1]
    found: Integers = rows[whole]
    return found


def window_keys(table: OriginTable) -> Fingerprints:
    """Exact keys: 64-bit hashes of a window's values, steps ahead included, and of its time.

    The same values at another time are another sample; the same values at the same time under two names are not. A
    hash of each bar is taken once and summed with powers of a prime, so that windows, which overlap, cost no more.
    """
    bars = table.bars
    row_hash = _row_hashes(bars.values)
    with np.errstate(over="ignore"):
        powers = np.cumprod(np.full(table.lookback + table.horizon, _PRIME, dtype=np.uint64))
        keys = _mixed(bars.times[table["row"]].astype(np.int64).view(np.uint64))
        for step, power in zip(range(1 - table.lookback, table.horizon + 1), powers, strict=True):
            keys = keys + row_hash[table["row"] + step] * power
    return Fingerprints(exact=_mixed(keys))


def _missing_before(values: NDArray[np.float32]) -> Integers:
    """How many of the bars before each bar lack a value, shape ``(T + 1,)``."""
    count: Integers = np.r_[0, np.cumsum(~np.isfinite(values).all(axis=1))]
    return count


def _row_hashes(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    bits = (values + np.float32(0.0)).view(np.uint32)  # -0 is 0
    hashes = np.zeros(len(values), dtype=np.uint64)
    for column in range(values.shape[1]):
        hashes = _mixed(hashes + bits[:, column])
    return hashes


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea and Flood 2014): neighbouring numbers become unlike ones."""
    with np.errstate(over="ignore"):
        x = x + _PRIME
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))
