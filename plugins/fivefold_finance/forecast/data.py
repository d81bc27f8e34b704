"""Origins as samples: windows of the past, and what follows them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Batch, Facts, TableDataset
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold_finance.forecast.bars import Floats, Integers
from fivefold_finance.forecast.origins import OriginTable
from fivefold_finance.forecast.training_part import TrainingPart

UNIT = "time block"
"""What an independent unit is called."""
HELD = 512 * 2**20
"""Windows that take fewer bytes than this are laid out in memory; of more, each batch is gathered from the bars."""


class Origins(TableDataset):
    """Windows of one split.

    A batch holds ``input`` float32 ``(B, L, F)``, ``target`` float32 ``(B, H, K)`` (absent where the future is not
    known), ``last`` ``(B, K)`` (the targets' last seen values), ``naive_error`` ``(B, K)`` (what a naive forecast was
    wrong by, on average, in the training part of that series), ``time`` int64 ``(B,)`` (of the origin, nanoseconds
    since 1970), and where there are such ``known`` float32 ``(B, H, C)`` and ``static`` int64 ``(B, 1)``.

    All windows are views of one tensor of bars: what two windows share is held once.

    Args:
        table: the origins.
        facts: of the training split, as `measure` gives them.

    Raises:
        DataError: a series is not among those that the facts tell apart.
    """

    def __init__(self, table: OriginTable, facts: Facts) -> None:
        super().__init__(table, facts)
        self.table = table
        targets = len(facts.targets)
        series = table["series"].astype(np.int64)
        rows = table["row"].astype(np.int64)
        values = torch.from_numpy(table.bars.values)
        shares = values if targets == values.shape[1] else values[:, :targets].contiguous()
        self._first_seen = torch.from_numpy(rows - table.lookback + 1)
        self._next = torch.from_numpy(rows + 1)
        self._past = _windows(values, table.lookback)
        self._future = _windows(shares, table.horizon)
        self._known = _windows(torch.from_numpy(table.bars.known), table.horizon)
        small = {
            "last": shares[torch.from_numpy(rows)],
            "naive_error": torch.from_numpy(_naive_errors(table, facts))[torch.from_numpy(series)],
            "time": torch.from_numpy(table["seen"].astype("datetime64[ns]").astype(np.int64)),
        }
        if facts.static:
            small["static"] = torch.from_numpy(_codes(table, facts)[series])[:, None]
        self._small = small
        self._held = self._laid_out()

    def batch(self, indices: Tensor) -> Batch:
        """The windows at ``indices``, int64 of shape ``(B,)``."""
        found = {"input": self._past.index_select(0, self._first_seen[indices])}
        following = self._next[indices]
        if self.table.labelled:
            found["target"] = self._future.index_select(0, following)
        if self._known.shape[2]:
            found["known"] = self._known.index_select(0, following)
        return found | {name: tensor[indices] for name, tensor in self._small.items()}

    def tensors(self) -> Batch | None:
        """All windows, where they are few enough, or follow each other, so that a view holds them for nothing."""
        return self._held

    def targets(self) -> Tensor | None:
        """What follows each origin, ``(N, H, K)``."""
        return self._future[self._next] if self.table.labelled else None

    @property
    def symbols(self) -> Array:
        """Name of the series of each origin, ``(N,)``."""
        return self.table["symbol"]

    @property
    def units(self) -> Array:
        """The block of time that each origin lies in, ``(N,)``; one block holds all series.

        Windows of neighbouring origins overlap, and series move together: neither makes independent samples. Blocks
        are as long as the horizon, at least the cube root of the number of origins (Hall, Horowitz and Jing 1995, "On
        blocking rules for the bootstrap with dependent data").
        """
        return time_blocks(self.table["seen"], self.table.horizon)

    def _laid_out(self) -> Batch | None:
        first = self._first_seen
        views = {"input": (self._past, first)}
        if self.table.labelled:
            views["target"] = (self._future, self._next)
        if self._known.shape[2]:
            views["known"] = (self._known, self._next)
        if len(first) and int(first[-1] - first[0]) == len(first) - 1 and bool((first.diff() == 1).all()):
            held = {name: view[int(rows[0]) : int(rows[-1]) + 1] for name, (view, rows) in views.items()}
        elif sum(view[:1].nbytes for view, _ in views.values()) * len(first) <= HELD:
            held = {name: view.index_select(0, rows) for name, (view, rows) in views.items()}
        else:
            return None
        return held | self._small


def measure(table: OriginTable, season: int | None, *, by_symbol: bool) -> Facts:
    """Facts of a training split, from its own windows alone.

    Args:
        table: training origins.
        season: steps of a season; None takes it from the usual step.
        by_symbol: whether the network is told which series it sees.
    """
    layout, part = table.layout, TrainingPart(table)
    found = part.symbols
    mean, scale = part.moments()
    length = season if season is not None else usual_season(table)
    return Facts(
        features=len(layout.columns),
        columns=list(layout.columns),
        targets=list(layout.columns[: layout.targets]),
        lookback=table.lookback,
        horizon=table.horizon,
        known=layout.ahead,
        calendar=list(layout.calendar),
        known_columns=list(layout.known),
        static={"symbol": len(found)} if by_symbol else {},
        symbols=found,
        season=length,
        level="returns" if layout.returns else "levels",
        sessions=layout.sessions,
        unit=UNIT,
        column_mean=mean.tolist(),
        column_scale=scale.tolist(),
        naive_error={symbol: error.tolist() for symbol, error in zip(found, part.naive(length), strict=True)},
    )


def usual_season(table: OriginTable) -> int:
    """Steps of the season that series of this step usually have: a day of hours, a week of days, a year of months.

    1, for none, of sessions and of a step that fits no season.
    """
    step = table.bars.steps[table["series"][0]] / np.timedelta64(1, "s")
    day = 86_400
    if table.layout.sessions:
        return 1
    if step < day:
        return round(day / step) if (day / step) % 1 == 0 else 1
    lengths = {1: 7, 7: 52, 28: 12, 29: 12, 30: 12, 31: 12, 90: 4, 91: 4, 92: 4}
    return lengths.get(round(step / day), 1)


def time_blocks(times: Array, horizon: int) -> Array:
    """The block of each of ``times``, ``(N,)``, named by the time it begins with; see `Origins.units`."""
    distinct, place = np.unique(times, return_inverse=True)
    length = max(horizon, math.ceil(len(distinct) ** (1 / 3)))
    names = np.datetime_as_string(distinct[::length], unit="s").astype(object)
    blocks: Array = names[place.reshape(-1) // length]
    return blocks


def _windows(values: Tensor, length: int) -> Tensor:
    """Every run of ``length`` rows of ``values`` ``(T, F)``: a view of shape ``(T - length + 1, length, F)``."""
    steps, width = values.shape
    return values.as_strided((max(steps - length + 1, 0), length, width), (width, width, 1))


def _naive_errors(table: OriginTable, facts: Facts) -> NDArray[np.float32]:
    """``(S, K)``, of the training part; of a series that is not in it, the mean of those that are."""
    known = facts.naive_error
    usual = np.mean([known[symbol] for symbol in facts.symbols], axis=0)
    rows: Sequence[Floats] = [np.asarray(known.get(symbol, usual)) for symbol in table.bars.symbols]
    return np.stack(rows).astype(np.float32)


def _codes(table: OriginTable, facts: Facts) -> Integers:
    """The code of each series, ``(S,)``; -1 where no origin asks for it."""
    known = {symbol: code for code, symbol in enumerate(facts.symbols)}
    codes = np.array([known.get(symbol, -1) for symbol in table.bars.symbols], dtype=np.int64)
    unknown = codes[table["series"]] < 0
    if unknown.any():
        symbol = table["symbol"][int(np.argmax(unknown))]
        raise DataError(
            f"{table.source}, series '{symbol}': expected one of the series that were trained on "
            f"({', '.join(facts.symbols[:5])}{', ...' if len(facts.symbols) > 5 else ''}), found another; "  # noqa: PLR2004 - enough to know them by
            "train with --no-by-symbol to forecast series that are new"
        )
    return codes
