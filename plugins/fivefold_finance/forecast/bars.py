"""Series as arrays from which windows are cut: what is seen, what is known ahead, and what follows what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fivefold_finance.forecast.layout import Layout
from fivefold_finance.series.schema import Series

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]

PAUSE = np.timedelta64(14, "D")
"""Longest pause of an exchange whose calendar is not known: holidays of two weeks do occur in China."""
GAP = 1.5
"""On a regular grid, two bars that lie further apart than so many usual steps do not follow each other."""


@dataclass(frozen=True)
class Bars:
    """All series of a source, one after the other: ``T`` bars.

    Attributes:
        symbols: names of the series, ``S`` of them.
        zones: their zones.
        starts: first bar of each series and the end of the last, shape ``(S + 1,)``.
        times: shape ``(T,)``.
        values: what is seen, float32 ``(T, F)``, targets first; nan where missing.
        known: what is known ahead, float32 ``(T, C)``.
        run: number of the unbroken run of bars that each bar belongs to, ``(T,)``.
        levels: the targets as the source has them, ``(T, K)``.
        steps: usual step of each series, ``timedelta64[ns]``, shape ``(S,)``.
    """

    symbols: tuple[str, ...]
    zones: tuple[str, ...]
    starts: Integers
    times: Times
    values: NDArray[np.float32]
    known: NDArray[np.float32]
    run: Integers
    levels: Floats
    steps: NDArray[np.timedelta64]

    def of(self, series: int) -> slice:
        """The bars of one series."""
        return slice(int(self.starts[series]), int(self.starts[series + 1]))


def stack(series: Sequence[Series], layout: Layout, usual: int, skipped: Mapping[str, Times]) -> Bars:
    """The ``series`` as arrays.

    Every value of a bar depends on that bar and those before it, so that nothing moves when the future does.

    Args:
        series: one or more, of at least two bars each.
        layout: which columns, and as what.
        usual: how many bars at the beginning tell the usual step; the later ones must not.
        skipped: symbol to the sessions that its exchange had and it lacks.
    """
    steps = [usual_step(one.times[:usual]) for one in series]
    parts = [
        _follows(one.times, step, skipped.get(one.symbol), sessions=layout.sessions)
        for one, step in zip(series, steps, strict=True)
    ]
    values = [_seen(one, layout, follows) for one, follows in zip(series, parts, strict=True)]
    known = [_ahead(one, layout) for one in series]
    targets = layout.columns[: layout.targets]
    levels = [np.stack([one.columns[name] for name in targets], axis=1) for one in series]
    return Bars(
        symbols=tuple(one.symbol for one in series),
        zones=tuple(one.zone for one in series),
        starts=np.cumsum([0, *(len(one) for one in series)]),
        times=np.concatenate([one.times for one in series]),
        values=np.ascontiguousarray(np.concatenate(values), dtype=np.float32),
        known=np.ascontiguousarray(np.concatenate(known), dtype=np.float32),
        run=np.cumsum(~np.concatenate(parts)),
        levels=np.concatenate(levels),
        steps=np.array(steps, dtype="timedelta64[ns]"),
    )


def lacks_value(series: Series, layout: Layout) -> NDArray[np.bool_]:
    """Whether a bar lacks a value that is needed, or has one that has no return, shape ``(T,)``."""
    lacking = np.zeros(len(series), dtype=bool)
    for name in (*layout.columns, *layout.known):
        values = series.columns[name]
        lacking |= ~np.isfinite(values)
        if name in layout.columns and layout.as_returns(name):
            lacking |= values + float(name == "volume") <= 0
    return lacking


def usual_step(times: Times) -> np.timedelta64:
    """The median step between ``times``."""
    steps = np.sort(np.diff(times.astype("datetime64[ns]")))
    usual: np.timedelta64 = steps[(len(steps) - 1) // 2]
    return usual


def calendar_features(times: Times, zone: str, names: Sequence[str]) -> Floats:
    """Hour, weekday, day and month in ``zone``, each from -0.5 to 0.5, shape ``(T, len(names))``."""
    local = pd.DatetimeIndex(times, tz="UTC").tz_convert(zone)
    scaled = {
        "hour": np.asarray(local.hour) / 23,
        "weekday": np.asarray(local.day_of_week) / 6,
        "day": (np.asarray(local.day) - 1) / 30,
        "month": (np.asarray(local.month) - 1) / 11,
    }
    return np.stack([scaled[name] - 0.5 for name in names], axis=1)


def _follows(
    times: Times, step: np.timedelta64, skipped: Times | None, *, sessions: bool
) -> NDArray[np.bool_]:
    """Whether each bar follows the one before it without a gap, shape ``(T,)``; the first never does."""
    apart = np.diff(times)
    longest = max(PAUSE, GAP * step) if sessions else GAP * step
    follows = apart <= longest
    if skipped is not None:
        between = np.searchsorted(skipped, times)  # sessions that are missing before each bar
        follows = follows & (np.diff(between) == 0)
    whole: NDArray[np.bool_] = np.r_[False, follows]
    return whole


def _seen(series: Series, layout: Layout, follows: NDArray[np.bool_]) -> Floats:
    return np.stack(
        [
            _log_returns(series.columns[name], follows, shift=float(name == "volume"))
            if layout.as_returns(name)
            else series.columns[name]
            for name in layout.columns
        ],
        axis=1,
    )


def _log_returns(values: Floats, follows: NDArray[np.bool_], shift: float) -> Floats:
    """Logarithm of each value over the one before; nan where that does not precede it, or one is not above zero."""
    shifted = values + shift  # a volume may be 0
    usable = np.r_[False, (shifted[1:] > 0) & (shifted[:-1] > 0)] & follows
    before = np.r_[1.0, shifted[:-1]]
    ratio = np.where(usable, shifted, 1.0) / np.where(usable, before, 1.0)
    return np.where(usable, np.log(ratio), np.nan)


def _ahead(series: Series, layout: Layout) -> Floats:
    calendar = calendar_features(series.times, series.zone, layout.calendar) if layout.calendar else None
    columns = [series.columns[name][:, None] for name in layout.known]
    parts = [part for part in (calendar, *columns) if part is not None]
    return np.concatenate(parts, axis=1) if parts else np.empty((len(series), 0))
