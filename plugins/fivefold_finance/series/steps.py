"""The step of a series: how far apart its bars lie, as the clocks of its zone show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fivefold_finance.series.schema import Flags, Series, Times
from fivefold_finance.series.times import local

DAY = 86_400 * 10**9
"""Nanoseconds of a day."""

_SATURDAY = 5  # Monday being 0
_WEEKENDS = 0.1  # share of bars on weekends from which these are days like others, of which they are 2 in 7
_LONGEST_PAUSE = 5 * DAY  # of an exchange: a weekend between two holidays
_LONGER = 1.5  # steps; a month is 28 to 31 days long
_UNITS = ((DAY, "day"), (3600 * 10**9, "hour"), (60 * 10**9, "minute"), (10**9, "second"))


@dataclass(frozen=True)
class Step:
    """How bars of a series follow each other.

    Attributes:
        length: nanoseconds between most of them; 0 for fewer than two bars.
        regular: whether all lie so far apart, as on a grid; bars of sessions, with nights and weekends, do not.
        moments: what clocks showed, from which this was taken: the zone's for days, else UTC's, shape ``(T,)``.
        weekends: whether Saturdays and Sundays are days like others.
    """

    length: int
    regular: bool
    moments: Times
    weekends: bool

    @property
    def daily(self) -> bool:
        """Whether a bar stands for a day or more."""
        return self.length >= DAY

    @cached_property
    def gaps(self) -> Flags:
        """Whether bars are missing before each bar but the first, as far as that shows, shape ``(T - 1,)``.

        Where there are no bars on weekends, neither those nor nights nor up to four days without a bar are taken for
        gaps: a calendar knows better.
        """
        apart = np.diff(self.moments).astype(np.int64)
        longer: Flags = apart > _LONGER * self.length
        if self.weekends or self.length > DAY:
            return longer
        same_day = np.diff(self.moments.astype("datetime64[D]")).astype(np.int64) == 0
        gaps: Flags = (longer & same_day) | (apart > _LONGEST_PAUSE)
        return gaps

    def __str__(self) -> str:
        return duration(self.length)


def infer_step(series: Series) -> Step:
    """The step of a series: the median distance of neighbours, of days in local time, of shorter ones in UTC."""
    moments = dates_of(series).astype("datetime64[ns]")
    apart = np.diff(moments).astype(np.int64)
    if not (len(apart) and np.median(apart) >= DAY and (apart > 0).all()):
        moments = series.times
        apart = np.diff(moments).astype(np.int64)
    length = int(np.median(apart)) if len(apart) else 0
    weekday = (dates_of(series).astype(np.int64) + 3) % 7  # 1970 began on a Thursday
    weekends = bool((weekday >= _SATURDAY).mean() > _WEEKENDS)
    return Step(length, bool(len(apart)) and bool((apart == length).all()), moments, weekends)


def dates_of(series: Series) -> Times:
    """The day of each bar at its source, ``datetime64[D]``, shape ``(T,)``.

    Bars that all carry midnight of UTC are days, whatever the zone: many sources write days so.
    """
    shown = local(series.times, series.zone)
    if _midnights(series.times) and not _midnights(shown):
        shown = series.times
    days: Times = shown.astype("datetime64[D]")
    return days


def _midnights(moments: Times) -> bool:
    return bool((moments == moments.astype("datetime64[D]")).all())


def duration(nanoseconds: int) -> str:
    """A duration in words: ``3 days``, ``1.5 hours``."""
    size, unit = next(((size, unit) for size, unit in _UNITS if nanoseconds >= size), _UNITS[-1])
    number = nanoseconds / size
    return f"{number:.4g} {unit}" + ("" if number == 1 else "s")
