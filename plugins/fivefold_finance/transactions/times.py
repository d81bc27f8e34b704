"""Times of transactions: ISO 8601 with or without a zone, or seconds since a start, to instants in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fivefold.errors import DataError
from fivefold_finance.transactions.columns import Column, numbers_of
from fivefold_finance.transactions.schema import Times

_ZONE = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d)?)$")
_CLOCK = re.compile(r"\d[T ]\d")
_MOST_SECONDS = 2**63 / 1e9
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Read:
    """Times, and what is to be told of them.

    Attributes:
        times: datetime64[ns] in UTC, NaT where missing, ``(N,)``.
        cautions: sentences.
    """

    times: Times
    cautions: tuple[str, ...] = ()


def read_times(column: Column, zone: str) -> Read:
    """The times of a column.

    Numbers are seconds since a start, which is put at 1970-01-01 in UTC (so Unix time is meant as it is). Texts are
    ISO 8601; those without an offset are taken to be in ``zone``.

    Raises:
        DataError: a time cannot be read, or some have an offset and others have none; the message names the row.
    """
    if column.moments is not None:
        return _of_moments(column, column.moments, zone)
    seconds = numbers_of(column, or_none=True)
    if seconds is not None:
        return _of_seconds(column, seconds)
    return _of_texts(column, zone)


def _of_seconds(column: Column, seconds: NDArray[np.float64]) -> Read:
    wrong = ~np.isnan(seconds) & ~(np.abs(seconds) < _MOST_SECONDS)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise DataError(
            f"{column.where(place)}: expected seconds in column '{column.name}', found {seconds[place]:g}, which is "
            "too large (milliseconds, perhaps); divide it, or write dates"
        )
    whole = np.nan_to_num(np.floor(seconds))
    rest = np.nan_to_num(seconds) - whole
    moments = whole.astype(np.int64) * _NANOSECONDS + np.round(rest * _NANOSECONDS).astype(np.int64)
    times = moments.astype("datetime64[ns]")
    times[np.isnan(seconds)] = np.datetime64("NaT")
    caution = (
        f"Times ('{column.name}') are counted in seconds; they are shown as if the count began on 1970-01-01 at "
        "midnight, so that days and hours of the day are those since its start."
    )
    return Read(times, (caution,))


def _of_moments(column: Column, moments: Any, zone: str) -> Read:
    if moments.dt.tz is not None:
        return Read(_plain(moments.dt.tz_convert("UTC")))
    return Read(_in_zone(column, moments, zone), _naive(column, zone))


def _of_texts(column: Column, zone: str) -> Read:
    texts = column.texts
    there = [place for place, text in enumerate(texts) if text is not None]
    zoned = np.array(
        [bool(_CLOCK.search(texts[place]) and _ZONE.search(texts[place])) for place in there], bool
    )
    if zoned.any() and not zoned.all():
        first, other = (there[int(np.argmax(zoned == kind))] for kind in (zoned[0], not zoned[0]))
        raise DataError(
            f"{column.where(other)}: expected times that all have a zone or all have none, found '{texts[other]}' "
            f"after '{texts[first]}'; give column '{column.name}' one form"
        )
    series = pd.Series(texts, dtype=object)
    found = pd.to_datetime(series, format="ISO8601", utc=True, errors="coerce")
    unread = [place for place in there if found.isna().iloc[place]] if found.isna().any() else []
    if unread:
        raise DataError(
            f"{column.where(unread[0])}: expected a time in column '{column.name}', found "
            f"'{texts[unread[0]][:60]}'; write it as 2024-05-31T14:00:00+02:00, or as seconds since a start"
        )
    if zoned.any():
        offsets = {_ZONE.findall(texts[place])[0] for place in there}
        told = f"Times ('{column.name}') have {len(offsets)} different offsets from UTC; all were brought to UTC."
        return Read(_plain(found), (told,) if len(offsets) > 1 else ())
    return Read(_in_zone(column, found.dt.tz_localize(None), zone), _naive(column, zone))


def _in_zone(column: Column, naive: Any, zone: str) -> Times:
    """Local times as instants; one that the change of clocks makes ambiguous or impossible is refused."""
    local = naive.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    lost = np.asarray(local.isna() & naive.notna())
    if lost.any():
        place = int(np.argmax(lost))
        raise DataError(
            f"{column.where(place)}: expected a time that exists once in {zone}, found {naive.iloc[place]}, at which "
            "clocks change; write times with their offset from UTC"
        )
    return _plain(local.dt.tz_convert("UTC"))


def _plain(series: Any) -> Times:
    found: Times = series.dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
    return found


def _naive(column: Column, zone: str) -> tuple[str, ...]:
    return (f"Times ('{column.name}') have no zone and were taken to be in {zone}; --zone names another.",)


def time_form(text: str) -> str:
    """In words what kind of time a text is: seconds, or a date with or without a zone."""
    try:
        float(text)
    except ValueError:
        return "a date with a zone" if _CLOCK.search(text) and _ZONE.search(text) else "a date without a zone"
    return "a number of seconds"
