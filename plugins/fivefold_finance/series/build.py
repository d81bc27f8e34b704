"""From a table as it was read to its series: times, symbols, values, checks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fivefold.data.shown import shown
from fivefold.errors import DataError
from fivefold_finance.series import calendars
from fivefold_finance.series.adjustment import adjusted_columns, check_splits
from fivefold_finance.series.checks import check_gaps, check_values, consistent, in_order, positive
from fivefold_finance.series.nameless import without_row_numbers
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.raw import Raw
from fivefold_finance.series.roles import VOLUME, Roles, roles_of
from fivefold_finance.series.schema import PRICES, Floats, Integers, Series
from fivefold_finance.series.times import Instants, instants
from fivefold_finance.series.told import Told

_FLAGS = {"true": True, "false": False, "": None}


def build(raw: Raw, options: SeriesOptions, told: Told) -> list[Series]:
    """The series of a table, in the order in which they first appear, each sorted by time.

    Raises:
        DataError: a column is missing or has no name, a cell is wrong, a time is repeated, or a column's numbers can
            be read in two ways; the message names the row.
        ConfigError: no calendar has the name that the options give.
    """
    raw = without_row_numbers(raw, options, told)
    roles = roles_of(raw, options)
    if not len(raw.rows):
        raise DataError(
            f"{raw.source}: expected rows below the header, found none; add some, or leave the file out"
        )
    zone = calendars.zone_of(options.calendar) if options.calendar is not None else None
    roles = _without_texts(raw, roles, options, told)
    raw = _with_points(raw, roles, told)
    times = instants(raw, roles.time, roles.zone, options, zone)
    columns = {common: raw.numbers(name) for common, name in roles.values.items()}
    if roles.prices:
        positive(raw, roles, columns)
    return [
        _series(raw, roles, times, columns, (symbol, members), options, told)
        for symbol, members in _members(raw, roles).items()
    ]


def _without_texts(raw: Raw, roles: Roles, options: SeriesOptions, told: Told) -> Roles:
    """The roles without columns of texts that nobody asked for, which is told.

    Raises:
        DataError: no other column is left.
    """
    asked = {*roles.wanted, *options.asked}
    free = {one: name for one, name in roles.values.items() if not {one, name} & asked}
    texts = {one: name for one, name in free.items() if raw.is_text(name)}
    if not texts:
        return roles
    if len(texts) == len(roles.values):
        raise DataError(
            f"{raw.source}: expected columns of numbers beside '{roles.time}', found only texts in "
            f"{', '.join(texts.values())}; add some"
        )
    told.caution(
        "texts", raw.stem, f"there are no numbers but texts in {shown(list(texts.values()))}, left out"
    )
    return replace(roles, values={one: name for one, name in roles.values.items() if one not in texts})


def _with_points(raw: Raw, roles: Roles, told: Told) -> Raw:
    """The table with points in the place of decimal commas, which is told.

    Raises:
        DataError: a column has commas and points, or all its commas may as well stand between thousands.
    """
    read, commas = raw.with_points([roles.time, *roles.values.values()])
    for note in commas.notes():
        told.caution("decimal commas", raw.stem, note.removeprefix(f"{raw.source}: ").removesuffix("."))
    return read


def _members(raw: Raw, roles: Roles) -> dict[str, Integers]:
    """Symbol to the positions of its rows."""
    if roles.symbol is None:
        return {raw.stem: np.arange(len(raw.rows))}
    symbols = raw.texts(roles.symbol)
    if "" in symbols:
        raise DataError(
            f"{raw.where(symbols.index(''))}: expected a symbol in column '{roles.symbol}', found none; fill it in "
            "or remove the row"
        )
    names = list(dict.fromkeys(symbols))
    codes = {name: code for code, name in enumerate(names)}
    coded = np.array([codes[symbol] for symbol in symbols])
    order = np.argsort(coded, kind="stable")
    parts = np.split(order, np.searchsorted(coded[order], np.arange(1, len(names))))
    return dict(zip(names, parts, strict=True))


def _series(
    raw: Raw,
    roles: Roles,
    when: Instants,
    table: dict[str, Floats],
    member: tuple[str, Integers],
    options: SeriesOptions,
    told: Told,
) -> Series:
    symbol, members = member
    order = in_order(raw, symbol, when.times, members, told)
    columns = {name: values[order] for name, values in table.items()}
    adjusted: bool | None = None
    if roles.prices:
        consistent(raw, symbol, order, columns, options, told)
        flag = _flag(raw, roles.adjusted, symbol, members) if roles.adjusted else None
        columns, adjusted = adjusted_columns(columns, symbol, flag=flag, option=options.adjusted, told=told)
    zone = _zone(raw, symbol, when, members)
    series = Series(symbol, when.times[order], columns, zone, adjusted, raw.rows[order])
    _tell(series, raw.source, roles, options, told)
    if roles.prices and when.assumed:
        told.caution(
            "no zone",
            symbol,
            "times carry no zone and are taken for UTC; name that of the exchange by --zone",
        )
    return _chosen(series, roles)


def _tell(series: Series, source: str, roles: Roles, options: SeriesOptions, told: Told) -> None:
    asked = options.calendar is not None and calendars.check_sessions(series, options.calendar, source, told)
    check_gaps(series, source, told, sessions=asked)
    check_values(series, told)
    if not roles.prices or series.adjusted:
        return
    check_splits(series, source, told)
    if series.adjusted is None:
        told.caution(
            "adjustment not known",
            series.symbol,
            "nothing says whether prices are adjusted for splits and dividends; say --series.adjusted or "
            "--series.no-adjusted if you know",
        )


def _chosen(series: Series, roles: Roles) -> Series:
    """The series with its columns in their usual order, or those that the options ask for."""
    usual = [name for name in (*PRICES, VOLUME) if name in series.columns] if roles.prices else []
    names = roles.wanted or (*usual, *(name for name in series.columns if name not in usual))
    columns = {name: series.columns[name] for name in names}
    return Series(series.symbol, series.times, columns, series.zone, series.adjusted, series.rows)


def _zone(raw: Raw, symbol: str, when: Instants, members: Integers) -> str:
    zones = when.zone[members].tolist()
    other = next((position for position, zone in enumerate(zones) if zone != zones[0]), None)
    if other is not None:
        raise DataError(
            f"{raw.where(members[other])}: expected one zone for all rows of '{symbol}', found {zones[other]} after "
            f"{zones[0]} in row {raw.rows[members[0]]}; write all times of a symbol in one zone"
        )
    return zones[0] or "UTC"


def _flag(raw: Raw, column: str, symbol: str, members: Integers) -> bool | None:
    """What the column of flags says of a symbol."""
    cells = raw.texts(column)
    first = cells[members[0]].lower()
    for position in members:
        found = cells[position].lower()
        if found not in _FLAGS or found != first:
            raise DataError(
                f"{raw.where(position)}: expected true or false in column '{column}', the same in all rows of "
                f"'{symbol}', found '{cells[position][:60]}'; mend the cell"
            )
    return _FLAGS[first]
