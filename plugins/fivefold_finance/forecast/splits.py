"""Training, validation and test in the order of time, with what reaches over a border left out.

An origin belongs to the split in whose period all the steps lie that it forecasts. Those whose steps lie on both sides
of a border belong to none (purge: Lopez de Prado 2018, "Advances in Financial Machine Learning", 7.4): no target of one
split ends later than the first origin of the next. An embargo keeps further rows between them. What a window looks back
on may lie in an earlier split: at its origin, that is past and known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.data.splits import Splits
from fivefold.errors import ConfigError, DataError
from fivefold_finance.forecast.bars import Times
from fivefold_finance.forecast.config import SplitConfig, WalkConfig
from fivefold_finance.forecast.origins import OriginTable

_WORDS = ("training", "validation", "test")


@dataclass(frozen=True)
class Periods:
    """Rows (of the distinct times of all series) with which periods begin and end.

    Attributes:
        train: first row that training windows may see.
        val, test: first row of the period.
        end: the row after the test.
    """

    train: int
    val: int
    test: int
    end: int


def split_in_time(table: OriginTable, settings: SplitConfig) -> Splits:
    """Split as the settings say.

    Raises:
        ConfigError: the settings ask for more rows or later days than there are.
        DataError: a split would be empty.
    """
    times = np.unique(table.bars.times)
    if settings.sizes:
        periods = _by_sizes(table, times, settings)
    elif settings.dates:
        periods = _by_dates(table, times, settings)
    else:
        val = round(settings.train * len(times))
        periods = Periods(0, val, round((settings.train + settings.val) * len(times)), len(times))
    return cut(table, times, periods, settings.embargo, "Split in time")


def split_fold(
    table: OriginTable, folds: int, fold: int, settings: WalkConfig, *, embargo: int = 0
) -> Splits:
    """Fold ``fold`` of a walk forward: the last ``folds`` equal periods of the history are the tests of the folds.

    Each is preceded by a validation period of the same length, and that by the training period: all from the
    beginning, or the last ``settings.window`` rows.

    Raises:
        ConfigError: the history is too short for so many folds.
        DataError: a split would be empty.
    """
    times = np.unique(table.bars.times)
    length = int(settings.tested * len(times)) // folds
    if length < table.horizon:
        raise ConfigError(
            f"--folds {folds}: expected test periods of at least {table.horizon} rows, the horizon, found {length} "
            f"({settings.tested:g} of {len(times):,} rows of {table.source}, cut in {folds}); choose fewer folds"
        )
    test = len(times) - (folds - fold) * length
    val = test - length
    first = 0 if settings.window is None else max(0, val - settings.window)
    window = "all before it" if settings.window is None else f"the {settings.window:,} rows before it"
    how = f"Walk forward, fold {fold} of {folds} (training on {window})"
    return cut(table, times, Periods(first, val, test, test + length), embargo, how)


def cut(table: OriginTable, times: Times, periods: Periods, embargo: int, how: str) -> Splits:
    """The three splits; ``how`` is told with their borders and sizes, and with what was left out.

    Raises:
        DataError: a split would be empty.
    """
    seen = np.searchsorted(times, table.bars.times[table["row"] - table.lookback + 1])
    first = np.searchsorted(times, table["first"])
    last = np.searchsorted(times, table["last"])
    inside = (seen >= periods.train) & (last < periods.end)
    purged = [
        inside & (last < periods.val),
        inside & (first >= periods.val) & (last < periods.test),
        inside & (first >= periods.test),
    ]
    kept = [
        purged[0] & (last < periods.val - embargo),
        purged[1] & (last < periods.test - embargo),
        purged[2],
    ]
    for name, rows in zip(_WORDS, kept, strict=True):
        if not rows.any():
            raise DataError(_empty(table, times, periods, name))
    train, val, test = (table.take(np.flatnonzero(rows)) for rows in kept)
    sizes = ", ".join(f"{int(rows.sum()):,} {name}" for name, rows in zip(_WORDS, kept, strict=True))
    begins = [np.datetime_as_string(times[row], unit="m") for row in (periods.val, periods.test)]
    return Splits(
        train,
        val,
        test,
        f"{how}: validation forecasts from {begins[0]} on, the test from {begins[1]} on (UTC): {sizes}. "
        + _left_out(inside, purged, kept, embargo),
    )


def _left_out(
    inside: NDArray[np.bool_], purged: list[NDArray[np.bool_]], kept: list[NDArray[np.bool_]], embargo: int
) -> str:
    over = int(inside.sum() - sum(rows.sum() for rows in purged))
    near = int(sum(rows.sum() for rows in purged) - sum(rows.sum() for rows in kept))
    unused = int((~inside).sum())
    told = f"{over:,} origins whose targets reach over a border are left out (purge)"
    if embargo:
        told += f", {near:,} more within {embargo} rows of one (embargo)"
    if unused:
        told += f", and {unused:,} outside all three periods"
    return f"{told}."


def _by_sizes(table: OriginTable, times: Times, settings: SplitConfig) -> Periods:
    train, val, test = settings.sizes
    if train + val + test > len(times):
        raise ConfigError(
            f"--split.sizes: expected at most {len(times):,} rows together, as {table.source} has, found "
            f"{train + val + test:,} ({train:,}, {val:,} and {test:,})"
        )
    return Periods(0, train, train + val, train + val + test)


def _by_dates(table: OriginTable, times: Times, settings: SplitConfig) -> Periods:
    """Days begin at midnight of the first series' zone."""
    import pandas as pd  # noqa: PLC0415 - only dates need it

    zone = table.bars.zones[0]
    days = [pd.Timestamp(day).tz_localize(zone).tz_convert("UTC").tz_localize(None) for day in settings.dates]
    rows = [int(np.searchsorted(times, np.datetime64(day, "ns"))) for day in days]
    for day, row in zip(settings.dates[:2], rows, strict=False):
        if not 0 < row < len(times):
            raise ConfigError(
                f"--split.dates: expected days between {np.datetime_as_string(times[0], unit='D')} and "
                f"{np.datetime_as_string(times[-1], unit='D')}, as {table.source} has, found {day}"
            )
    return Periods(0, rows[0], rows[1], rows[2] if len(rows) == 3 else len(times))  # noqa: PLR2004 - with an end


def _empty(table: OriginTable, times: Times, periods: Periods, name: str) -> str:
    begin, end = {
        "training": (periods.train, periods.val),
        "validation": (periods.val, periods.test),
        "test": (periods.test, periods.end),
    }[name]
    needs = table.horizon if name != "training" else table.lookback + table.horizon
    return (
        f"{table.source}: expected {name} rows for at least one forecast, {needs} without a gap (look-back "
        f"{table.lookback}, horizon {table.horizon}), found none in the {end - begin:,} of {len(times):,} rows; "
        "choose other splits, a shorter look-back or horizon, or add rows"
    )
