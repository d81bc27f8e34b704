"""Times of a table as instants in UTC: offsets honoured, zones applied, daylight saving never guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fivefold.errors import DataError
from fivefold_finance.series.dates import FIRST_YEAR, LAST_YEAR, Written, parse
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.raw import Cells, Raw
from fivefold_finance.series.schema import Flags, Times
from fivefold_finance.zones import is_zone


@dataclass(frozen=True)
class Instants:
    """The times of a table.

    Attributes:
        times: instants in UTC, ``datetime64[ns]``, shape ``(T,)``.
        zone: the zone in which each row's source lives, shape ``(T,)`` of objects; None where none is known.
        assumed: whether times carried neither an offset nor a zone, were no plain dates, and so were taken for UTC.
    """

    times: Times
    zone: np.ndarray
    assumed: bool


def instants(
    raw: Raw, column: str, zone_column: str | None, options: SeriesOptions, default: str | None
) -> Instants:
    """The instants of column ``column``.

    Times that carry an offset are what they say. Others are of the zone in ``zone_column``, that of the options,
    ``default``, or UTC, in this order; dates without a time of day are the midnight at which they begin there.

    Args:
        raw: the table.
        column: name of the column of times.
        zone_column: name of the column of zones, if there is one.
        options: the zone, and how dates are written.
        default: the zone of the calendar, if there is one.

    Raises:
        DataError: a time cannot be read, some times carry an offset and others none, or a local time does not
            exist, or exists twice, because clocks were changed; the message names the row.
    """
    cells = raw.columns[column]
    written, told = _written(raw, column, cells, options)
    _require_one_kind(raw, column, written.known)
    named = _named_zones(raw, zone_column) if zone_column else [""] * len(written.wall)
    zone = np.array([name or options.zone or told or default for name in named], dtype=object)
    if written.known.all():
        return Instants(written.wall, zone, assumed=False)
    daily = bool((written.wall == written.wall.astype("datetime64[D]")).all())
    times = np.empty(len(written.wall), dtype="datetime64[ns]")
    applied = np.array([name or "UTC" for name in zone], dtype=object)
    for name in dict.fromkeys(applied.tolist()):
        members = np.flatnonzero(applied == name)
        times[members] = _localised(raw, column, written.wall, members, name, daily=daily)
    return Instants(times, zone, assumed=not daily and not all(zone))


def _written(raw: Raw, column: str, cells: Cells, options: SeriesOptions) -> tuple[Written, str | None]:
    """The times as written, and the zone that a column of Parquet has."""
    if isinstance(cells, list) or cells.dtype.kind != "M":
        return parse(raw, column, raw.texts(column), options.date_order, options.epoch), None
    missing = cells.isna().to_numpy()
    if missing.any():
        raise DataError(
            f"{raw.where(int(np.argmax(missing)))}: expected a time in column '{column}', found none; fill it in "
            "or remove the row"
        )
    zone = getattr(cells.dt, "tz", None)
    wall = cells.dt.tz_convert(None) if zone is not None else cells
    years = wall.dt.year.to_numpy()
    bad = (years < FIRST_YEAR) | (years > LAST_YEAR)
    if bad.any():
        raise DataError(
            f"{raw.where(int(np.argmax(bad)))}: expected a time of the years {FIRST_YEAR} to {LAST_YEAR} in column "
            f"'{column}', found the year {years[int(np.argmax(bad))]}; mend it"
        )
    name = str(zone) if zone is not None and "/" in str(zone) and is_zone(str(zone)) else None
    return Written(wall.to_numpy().astype("datetime64[ns]"), np.full(len(wall), zone is not None)), name


def _require_one_kind(raw: Raw, column: str, known: Flags) -> None:
    if known.all() or not known.any():
        return
    naive, aware = int(np.argmin(known)), int(np.argmax(known))
    raise DataError(
        f"{raw.where(max(naive, aware))}: expected all times in column '{column}' with an offset from UTC or all "
        f"without, found one with it in row {raw.rows[aware]} and one without in row {raw.rows[naive]}; write all "
        "alike, such as 2016-07-01T13:00:00-04:00"
    )


def _named_zones(raw: Raw, column: str) -> list[str]:
    names = raw.texts(column)
    for name in dict.fromkeys(names):
        if name and not is_zone(name):
            raise DataError(
                f"{raw.where(names.index(name))}: expected a time zone such as America/New_York in column '{column}', "
                f"found '{name[:60]}'; name one of the IANA database"
            )
    return names


def _localised(raw: Raw, column: str, wall: Times, members: np.ndarray, zone: str, *, daily: bool) -> Times:
    """Local times of one zone as instants."""
    index = pd.DatetimeIndex(wall[members])
    if daily:  # a day begins where its first midnight is, or where clocks went forward over midnight
        placed = index.tz_localize(
            zone, ambiguous=np.ones(len(index), dtype=bool), nonexistent="shift_forward"
        )
    else:
        placed = index.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    lost = np.asarray(placed.isna())
    if lost.any():
        position = int(members[np.argmax(lost)])
        twice = (
            not index[lost][:1]
            .tz_localize(zone, ambiguous=np.ones(1, dtype=bool), nonexistent="NaT")
            .isna()[0]
        )
        raise DataError(
            f"{raw.where(position)}: expected a time that there is once in {zone} in column '{column}', found "
            f"{np.datetime_as_string(wall[position], unit='s')}, which {'is there twice' if twice else 'is left out'} "
            "when clocks are changed; write times with their offset (2021-11-07T01:30:00-04:00), or take "
            "--zone UTC if they are in UTC"
        )
    instants: Times = placed.tz_convert(None).to_numpy().astype("datetime64[ns]")
    return instants


def local(times: Times, zone: str) -> Times:
    """What clocks in ``zone`` show at instants of UTC, ``datetime64[ns]``, shape ``(T,)``."""
    wall = pd.DatetimeIndex(times, tz="UTC").tz_convert(zone).tz_localize(None)
    shown: Times = wall.to_numpy().astype("datetime64[ns]")
    return shown
