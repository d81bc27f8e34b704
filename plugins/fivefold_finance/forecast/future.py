"""The times to come: the next sessions of an exchange, or the next steps of a grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from fivefold_finance.forecast.bars import Times, usual_step
from fivefold_finance.series.schema import Series

_DAY = np.timedelta64(1, "D")
_MONTHS = {28: 1, 29: 1, 30: 1, 31: 1, 90: 3, 91: 3, 92: 3, 365: 12, 366: 12}
"""Usual steps in days that are months of a calendar: how many."""


def with_future(series: Series, steps: int, *, usual: int, sessions: bool, ahead: Times | None) -> Series:
    """``series`` with rows without values after its end, so that it has at least ``steps`` of them there.

    Args:
        series: what is known.
        steps: how many rows are to follow the last with values.
        usual: how many bars at the beginning tell the usual step.
        sessions: whether bars are sessions, of which there are none on weekdays that the series never had.
        ahead: the exchange's next sessions, where they are known.
    """
    if steps <= 0:
        return series
    if ahead is not None:
        times = ahead[:steps]
    else:
        times = _next_times(series, steps, usual_step(series.times[:usual]), sessions=sessions)
    unknown = np.full(steps, np.nan)
    return replace(
        series,
        times=np.concatenate([series.times, times.astype(series.times.dtype)]),
        columns={name: np.concatenate([values, unknown]) for name, values in series.columns.items()},
        rows=np.concatenate([series.rows, np.full(steps, -1, dtype=np.int64)]),
    )


def _next_times(series: Series, steps: int, step: np.timedelta64, *, sessions: bool) -> Times:
    """The next ``steps`` times, of the clock on the wall in the series' zone where a step is whole days or more."""
    last = pd.Timestamp(series.times[-1], tz="UTC")
    whole = step % _DAY == np.timedelta64(0)
    days = int(step / _DAY)
    if days == 0 or not whole:
        following: Times = series.times[-1] + step * np.arange(1, steps + 1)
        return following
    months = _MONTHS.get(days)
    local = last.tz_convert(series.zone)
    count = steps * (8 if sessions else 1)  # a week has a session at least, or the bars tell of none
    each = [
        local + (pd.DateOffset(months=months * number) if months else pd.DateOffset(days=days * number))
        for number in range(1, count + 1)
    ]
    if sessions and days == 1:
        seen = set(pd.DatetimeIndex(series.times, tz="UTC").tz_convert(series.zone).day_of_week)
        each = [time for time in each if time.weekday() in seen]
    return np.array(
        [time.tz_convert("UTC").tz_localize(None) for time in each[:steps]], dtype="datetime64[ns]"
    )
