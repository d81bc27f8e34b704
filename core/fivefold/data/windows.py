"""Windows over a table in time: the last steps as input, the next ones of one column as target."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.splits import readable_times
from fivefold.data.table import Array, Table
from fivefold.errors import DataError


class Windows(Dataset):
    """Every run of ``lookback`` rows with the ``horizon`` values of ``target`` that follow it.

    Rows are taken in order of time where the table has a time, as they stand otherwise. No window reaches
    over the border of a group, nor over a gap in time.

    A batch holds ``input``, float32 of shape ``(B, lookback, F)``, and ``target``, float32 of shape
    ``(B, horizon)``. A window is named by the row that it forecasts from, its last.

    Args:
        table: the rows of one split.
        lookback: rows of a window.
        target: the column to forecast.
        horizon: rows ahead that are forecast.
        columns: the input columns; every numeric column but the group, time and split where not given.
            The target's own past is among them.
        gap: two rows follow each other if no further apart than this many usual (median) steps of their
            group; None takes any two (trading days, with weekends between them).

    Raises:
        DataError: a column is missing, not numeric or holds a missing value, or no window fits.
    """

    def __init__(
        self,
        table: Table,
        lookback: int,
        target: str,
        *,
        horizon: int = 1,
        columns: Sequence[str] | None = None,
        gap: float | None = 1.5,
    ) -> None:
        if lookback < 1 or horizon < 1:
            raise DataError(
                f"{table.source}: lookback {lookback} and horizon {horizon} must both be 1 or more"
            )
        names = tuple(columns) if columns is not None else _input_columns(table)
        self._table = table
        self._lookback = lookback
        self._horizon = horizon
        self._facts = Facts(features=len(names), targets=horizon, columns=list(names), target=target)
        if table.units is None:
            self._facts["unit"] = "time block"
        order, block = _ordered(table, gap)
        inputs = np.stack([_numbers(table, name)[order] for name in names], axis=1)
        self._inputs = torch.from_numpy(inputs)
        self._target = torch.from_numpy(_numbers(table, target)[order])
        self._rows = order
        self._block = block
        self._last = self._complete(horizon)
        if not len(self._last):
            raise DataError(
                f"{table.source}: no {lookback + horizon} of {len(table)} rows follow each other without "
                f"a gap, as lookback {lookback} and horizon {horizon} need; lower one of them, or add rows"
            )
        self._labelled = True

    def _complete(self, horizon: int) -> NDArray[np.int64]:
        """Positions of the last rows of windows that have all their rows, and ``horizon`` rows after them."""
        last = np.arange(self._lookback - 1, len(self._block) - horizon)
        whole = self._block[last - self._lookback + 1] == self._block[last + horizon]
        complete: NDArray[np.int64] = last[whole]
        return complete

    def __len__(self) -> int:
        return len(self._last)

    def batch(self, indices: Tensor) -> Batch:
        """Windows at ``indices``, int64 of shape ``(B,)``; ``target`` is absent in `unlabelled` windows."""
        last = torch.from_numpy(self._last)[indices][:, None]
        found = {"input": self._inputs[last + torch.arange(1 - self._lookback, 1)]}
        if self._labelled:
            found["target"] = self._target[last + torch.arange(1, self._horizon + 1)]
        return found

    @property
    def facts(self) -> Facts:
        """``features``, ``targets`` (the horizon), ``columns`` and ``target``."""
        return self._facts

    @property
    def ids(self) -> Array:
        """The name of each window's last row, shape ``(N,)``."""
        return np.asarray(self._table.ids)[self._rows[self._last]]

    @property
    def units(self) -> Array | None:
        """The independent unit of each window, shape ``(N,)``: its group, else its block of time.

        Neighbouring windows are alike, so they are not independent. Blocks are as long as the horizon, at least
        ``N ** (1/3)`` windows (Hall, Horowitz and Jing 1995, "On blocking rules for the bootstrap").
        """
        units = self._table.units
        if units is not None:
            return units[self._rows[self._last]]
        length = max(self._horizon, math.ceil(len(self._last) ** (1 / 3)))
        return np.array([f"{self._block[last]}-{last // length}" for last in self._last], dtype=object)

    def past(self, indices: Tensor, steps: int) -> Tensor:
        """The target's last ``steps`` values up to each window's last row, shape ``(B, steps)``.

        It may reach further back than the window; nan where the rows do not, or where a gap lies between.
        """
        last = torch.from_numpy(self._last)[indices][:, None]
        rows = last + torch.arange(1 - steps, 1)
        block = torch.from_numpy(self._block)
        known = (rows >= 0) & (block[rows.clamp_min(0)] == block[last])
        return torch.where(known, self._target[rows.clamp_min(0)], torch.nan)

    def unlabelled(self) -> Dataset:
        """Every window that has its rows, also those whose future is not known yet."""
        windows = object.__new__(Windows)
        windows.__dict__.update(self.__dict__)
        windows._last = self._complete(0)
        windows._labelled = False
        return windows


def _input_columns(table: Table) -> tuple[str, ...]:
    roles = {"id", table.group, table.time, table.split}
    names = tuple(
        name for name, column in table.columns.items() if name not in roles and column.dtype.kind in "biuf"
    )
    if not names:
        raise DataError(
            f"{table.source}: no numeric column to forecast from; there are {', '.join(table.columns)}"
        )
    return names


def _numbers(table: Table, name: str) -> NDArray[np.float32]:
    """A column as float32, shape ``(N,)``, without missing values."""
    column = table[name]
    if column.dtype.kind not in "biuf" or column.ndim != 1:
        raise DataError(f"{table.source}, column '{name}': expected one number a row, found {column.dtype}")
    values = column.astype(np.float32)
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise DataError(
            f"{table.source}, {table.ids[row]}, column '{name}': the value is {column[row]}; every row "
            "needs a finite number"
        )
    return values


def _ordered(table: Table, gap: float | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows by group and time, and the number of the unbroken block that each of them belongs to."""
    _, group = (
        np.unique(table.units, return_inverse=True)
        if table.units is not None
        else (None, np.zeros(len(table), dtype=np.int64))
    )
    if table.time is None:
        order = np.argsort(group, kind="stable")
        return order, group[order]
    times = readable_times(table, table.time)
    order = np.lexsort((times, group))
    group, times = group[order], times[order]
    step = np.diff(times).astype(np.float64)
    breaks = np.diff(group) != 0
    if (~breaks & (step == 0)).any():
        first, second = table.ids[order[np.argmax(~breaks & (step == 0)) :][:2]]
        raise DataError(
            f"{table.source}: {first} and {second} have the same '{table.time}'; name the column that tells "
            "series apart as the group, or keep one row a time"
        )
    for number in np.unique(group) if gap is not None else ():
        inside = ~breaks & (group[1:] == number)
        if inside.any():
            breaks |= inside & (step > gap * np.median(step[inside]))
    return order, np.cumsum(np.r_[False, breaks])
