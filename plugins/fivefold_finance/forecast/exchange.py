"""Sessions of an exchange: which a series lacks, and which come next."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fivefold_finance.forecast.bars import Times
from fivefold_finance.series.calendars import sessions
from fivefold_finance.series.schema import Series
from fivefold_finance.series.steps import dates_of


def missing_sessions(series: Series, exchange: str) -> Times:
    """The ends, as instants, of the sessions between the series' first bar and its last that have no bar.

    Raises:
        ConfigError: there is no such calendar, or it does not reach so far.
    """
    days = dates_of(series)
    missing = np.setdiff1d(sessions(exchange, days[0], days[-1]), days)
    return _midnights(missing + np.timedelta64(1, "D"), series.zone) - np.timedelta64(1, "ns")


def next_sessions(series: Series, exchange: str, count: int) -> Times | None:
    """The next ``count`` sessions after the last bar, at its time of day; None where bars are not one a day.

    Raises:
        ConfigError: there is no such calendar, or it does not reach so far.
    """
    days = dates_of(series)
    if len(np.unique(days)) < len(days):
        return None
    ahead = days[-1] + np.timedelta64(1, "D")
    following = sessions(exchange, ahead, ahead + np.timedelta64(20 + 3 * count, "D"))[:count]
    clock = series.times[-1] - _midnights(days[-1:], series.zone)[0]
    moments: Times = _midnights(following, series.zone) + clock
    return moments


def _midnights(days: Times, zone: str) -> Times:
    """When ``days`` begin in ``zone``, in UTC, ``datetime64[ns]``."""
    local = pd.DatetimeIndex(days.astype("datetime64[ns]")).tz_localize(
        zone, ambiguous=True, nonexistent="shift_forward"
    )
    return np.asarray(local.tz_convert("UTC").tz_localize(None), dtype="datetime64[ns]")
