"""Checks of one series: each tells what it found.

=======================================  ==========================================================
found                                    what becomes of it
=======================================  ==========================================================
a price of zero or below                 an error
a time of a symbol repeated              an error that names both rows
a bar whose high is below its low, ...   a problem; its prices are nan; too many are an error
volume below zero                        a problem; it is nan
rows out of order                        a caution; sorted
a gap                                    a caution; nothing is filled in
a column without change, or empty        a caution
prices that may be unadjusted            a caution
=======================================  ==========================================================
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fivefold.data.shown import shown
from fivefold.data.table import Problem
from fivefold.errors import DataError
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.raw import Raw
from fivefold_finance.series.roles import VOLUME, Roles
from fivefold_finance.series.schema import ADJUSTED_CLOSE, PRICES, Flags, Floats, Integers, Series, Times
from fivefold_finance.series.steps import duration, infer_step
from fivefold_finance.series.told import Told, count, file_name

_ROUNDING = 1e-6  # of a price: sources round each price by itself


def in_order(raw: Raw, symbol: str, times: Times, members: Integers, told: Told) -> Integers:
    """The rows of one symbol in the order of time.

    Args:
        raw: the table.
        symbol: whose rows these are.
        times: instants of all rows of the table.
        members: positions of the symbol's rows, in the order of the table.
        told: gains a caution where they were not sorted.

    Raises:
        DataError: two rows have the same time.
    """
    order = members[np.argsort(times[members], kind="stable")]
    same = np.diff(times[order]) == np.timedelta64(0, "ns")
    if same.any():
        first = int(np.argmax(same))
        raise DataError(
            f"{raw.where(order[first + 1])}: expected each time of '{symbol}' once, found "
            f"{_moment(times[order[first]])} also in row {raw.rows[order[first]]}; remove one of them, or name "
            "the column that tells series apart by --columns.symbol"
        )
    backwards = np.diff(times[members]) < np.timedelta64(0, "ns")
    if backwards.all() and len(members) > 1:
        told.caution("newest first", symbol, "rows run from the newest to the oldest; sorted by time")
    elif backwards.any():
        row = raw.rows[members[int(np.argmax(backwards)) + 1]]
        told.caution(
            "unsorted",
            symbol,
            f"rows are not in the order of time, {count(int(backwards.sum()), 'step')} back in all (first: "
            f"{file_name(raw.source)}, row {row}); sorted",
        )
    return order


def positive(raw: Raw, roles: Roles, columns: Mapping[str, Floats]) -> None:
    """Refuse prices of zero and below.

    Raises:
        DataError: there is one; the message names its row.
    """
    for name in (*PRICES, ADJUSTED_CLOSE):
        if name in columns and (low := columns[name] <= 0).any():
            position = int(np.argmax(low))
            raise DataError(
                f"{raw.where(position)}: expected a price above 0 in column '{roles.values[name]}', found "
                f"{columns[name][position]:g}; mend the cell, leave it empty where the price is not known, or say "
                "--series.no-prices if the values may be so"
            )


def consistent(
    raw: Raw, symbol: str, order: Integers, columns: dict[str, Floats], options: SeriesOptions, told: Told
) -> None:
    """Make prices nan of bars that contradict themselves: low <= open, close <= high does not hold.

    Args:
        raw: the table.
        symbol: whose bars these are.
        order: positions of the bars in the table.
        columns: common name to values of the bars; changed in place.
        options: the share of bars that may be so.
        told: gains a problem a bar.

    Raises:
        DataError: more bars are so than may be.
    """
    broken = _broken(columns)
    negative = columns[VOLUME] < 0 if VOLUME in columns else np.zeros(len(order), dtype=bool)
    for position in np.flatnonzero(broken | negative):
        bar = ", ".join(
            f"{name} {columns[name][position]:g}" for name in (*PRICES, VOLUME) if name in columns
        )
        expected = "low <= open, close <= high" if broken[position] else "a volume of 0 or more"
        what = "the prices of this bar are" if broken[position] else "the volume of this bar is"
        told.problems.append(
            Problem(
                f"{symbol}, {raw.where(order[position])}",
                f"expected {expected}, found {bar}; {what} left out, so mend it",
            )
        )
    bad = int((broken | negative).sum())
    if bad > options.max_bad_share * len(order):
        first = int(np.argmax(broken | negative))
        raise DataError(
            f"{raw.where(order[first])}: expected low <= open, close <= high and volume >= 0 in all but "
            f"{options.max_bad_share:.3g} of the bars of '{symbol}', found {bad:,} of {len(order):,} that are "
            "not so (this is the first); mend them, or raise --max-bad-share"
        )
    for name in PRICES:
        if name in columns:
            columns[name] = np.where(broken, np.nan, columns[name])
    if negative.any():
        columns[VOLUME] = np.where(negative, np.nan, columns[VOLUME])


def _broken(columns: Mapping[str, Floats]) -> Flags:
    """Whether each bar contradicts itself by more than rounding, shape ``(T,)``."""
    length = len(next(iter(columns.values())))
    broken = np.zeros(length, dtype=bool)
    for low, high in (
        ("low", "high"),
        ("low", "open"),
        ("low", "close"),
        ("open", "high"),
        ("close", "high"),
    ):
        if low in columns and high in columns:
            broken |= columns[low] > columns[high] * (1 + _ROUNDING)  # False where either is nan
    return broken


def check_values(series: Series, told: Told) -> None:
    """Tell of columns that never change, and of columns without a value."""
    known = {name: values[np.isfinite(values)] for name, values in series.columns.items()}
    empty = [name for name, values in known.items() if not len(values)]
    constant = [
        name for name, values in known.items() if len(values) > 1 and bool((values == values[0]).all())
    ]
    if empty:
        told.caution(
            "empty",
            series.symbol,
            f"there is no value in {shown(empty)}; name the others by --columns.values",
        )
    if constant:
        told.caution(
            "constant",
            series.symbol,
            f"the value never changes in {shown(constant)}, so there is nothing to forecast or learn from there",
        )


def check_gaps(series: Series, source: str, told: Told, *, sessions: bool) -> None:
    """Tell of places where bars are missing; nothing is filled in.

    Args:
        series: to look at.
        source: the file.
        told: gains the caution.
        sessions: whether a calendar says which days are missing, so that only gaps within days are told.
    """
    step = infer_step(series)
    gaps = step.gaps
    if sessions:
        days = step.moments.astype("datetime64[D]")
        gaps = gaps & (days[1:] == days[:-1]) if not step.daily else np.zeros_like(gaps)
    if not gaps.any():
        return
    apart = np.diff(step.moments).astype(np.int64)
    first = int(np.argmax(gaps))
    told.caution(
        "gaps",
        series.symbol,
        f"bars {step} apart are missing in {count(int(gaps.sum()), 'place')} (first: {duration(int(apart[first]))} "
        f"before {_moment(series.times[first + 1])}, {file_name(source)}, row {series.rows[first + 1]}; longest: "
        f"{duration(int(apart[gaps].max()))}); nothing was filled in",
    )


def _moment(time: np.datetime64) -> str:
    return f"{np.datetime_as_string(time, unit='s')}Z"
