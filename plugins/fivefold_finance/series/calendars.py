"""Sessions of exchanges, by exchange_calendars, and bars held against them."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import exchange_calendars
import numpy as np
import pandas as pd

from fivefold.errors import ConfigError
from fivefold_finance.series.schema import Series, Times
from fivefold_finance.series.steps import dates_of
from fivefold_finance.series.told import Told, count, file_name

_NAMED = 3
_LONGEST_BAR = np.timedelta64(3, "D")  # between neighbours of days; weeks with holidays have more


def zone_of(calendar: str) -> str:
    """The IANA zone of the exchange.

    Raises:
        ConfigError: no calendar has this name.
    """
    _require_known(calendar)
    return str(_any_years(calendar).tz)


def sessions(calendar: str, first: np.datetime64, last: np.datetime64) -> Times:
    """Days on which the exchange is open from ``first`` to ``last``, both included, ``datetime64[D]``.

    Raises:
        ConfigError: no calendar has this name, or it does not reach so far.
    """
    _require_known(calendar)
    earliest, latest = _any_years(calendar).bound_min(), _any_years(calendar).bound_max()
    start, end = pd.Timestamp(first), pd.Timestamp(last)
    if (earliest is not None and start < earliest) or (latest is not None and end > latest):
        raise ConfigError(
            f"calendar: expected one with sessions from {first} to {last}, found that {calendar} is known from "
            f"{earliest.date() if earliest else 'ever'} to {latest.date() if latest else 'ever'} only; leave the "
            "calendar out, or cut the series"
        )
    # whole years, so that one calendar serves all series, and a month more, so that it has a session
    whole = pd.Timestamp(start.year, 1, 1), pd.Timestamp(end.year + 1, 1, 31)
    found = _calendar(
        calendar,
        whole[0] if earliest is None else max(whole[0], earliest),
        whole[1] if latest is None else min(whole[1], latest),
    )
    days: Times = found.sessions.to_numpy().astype("datetime64[D]")
    return days[(days >= first) & (days <= last)]


def _require_known(calendar: str) -> None:
    if calendar not in exchange_calendars.get_calendar_names(include_aliases=True):
        raise ConfigError(
            f"calendar: expected a calendar of exchange_calendars such as XNYS, XLON or 24/7, found '{calendar}'; name "
            "another, or leave it out"
        )


def _any_years(calendar: str) -> Any:
    """The exchange's calendar, over the years that exchange_calendars takes by itself."""
    return _calendar(calendar, None, None)


@cache
def _calendar(name: str, start: Any, end: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of exchange_calendars' own use of pandas, nothing of ours
        return exchange_calendars.get_calendar(name, start=start, end=end)


def check_sessions(series: Series, calendar: str, source: str, told: Told) -> bool:
    """Tell of sessions without a bar and of bars without a session; nothing is filled and nothing left out.

    Returns:
        Whether the calendar could say anything: of bars longer than a day it cannot.

    Raises:
        ConfigError: as `sessions`.
    """
    days = dates_of(series)
    present = np.unique(days)
    if len(series) > 1 and np.diff(series.times).min() > _LONGEST_BAR:
        told.caution(
            "calendar of long bars",
            series.symbol,
            f"bars are longer than a session, so {calendar} was not asked",
        )
        return False
    open_days = sessions(calendar, present[0], present[-1])
    missing = np.setdiff1d(open_days, present)
    if len(missing):
        told.caution(
            "missing sessions",
            series.symbol,
            f"{count(len(missing), 'session')} of {calendar} between the first bar and the last "
            f"{'has' if len(missing) == 1 else 'have'} no bar ({_named(missing)}); nothing was filled in",
        )
    extra = ~np.isin(days, open_days)
    if extra.any():
        told.caution(
            "bars without session",
            series.symbol,
            f"{count(int(extra.sum()), 'bar')} on days without a session of {calendar} "
            f"({_named(np.unique(days[extra]))}; first: {file_name(source)}, row "
            f"{series.rows[int(np.argmax(extra))]}); is it the "
            "calendar of this exchange, and the zone the right one?",
        )
    return True


def _named(days: Times) -> str:
    return ", ".join(str(day) for day in days[:_NAMED]) + (", ..." if len(days) > _NAMED else "")
