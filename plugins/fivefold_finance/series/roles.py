"""Which column of a table is which: time, symbol, zone, and the values under their common names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from fivefold.config.fields import require_named
from fivefold.errors import DataError
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.raw import Raw
from fivefold_finance.series.schema import ADJUSTED_CLOSE, PRICES

TIME_NAMES = ("time", "date", "datetime", "timestamp", "ds")
"""Names of columns of times, in whatever case."""

SYMBOL_NAMES = ("symbol", "ticker", "unique_id", "name")
"""Names of columns that tell series apart, in whatever case."""

VOLUME = "volume"
_ADJUSTED_CLOSES = {"adj close", "adj_close", "adjclose", "adjusted close", "adjusted_close"}
_FLAGS = {"true", "false"}


@dataclass(frozen=True)
class Roles:
    """Names of columns as the file has them.

    Attributes:
        time: of the times.
        symbol: of the symbols, if any.
        zone: of the zones, if any.
        adjusted: of the flags that say whether prices are adjusted, if any.
        values: common name to the file's name, of all columns with values.
        wanted: common names of those that the options ask for; empty for all.
        prices: whether these are prices.
    """

    time: str
    symbol: str | None
    zone: str | None
    adjusted: str | None
    values: Mapping[str, str]
    wanted: tuple[str, ...]
    prices: bool


def time_column(names: Sequence[str], options: SeriesOptions) -> list[str]:
    """Columns that may hold the time: one where all is well."""
    if options.time is not None:
        return [name for name in names if name == options.time]
    found = [name for name in names if name.lower() in TIME_NAMES]
    if not found and names and names[0].lower() in {"", "index", "unnamed: 0", "__index_level_0__"}:
        return [names[0]]  # the index of a data frame, which has no name
    return found


def is_prices(names: Sequence[str], options: SeriesOptions) -> bool:
    """Whether the columns are those of prices."""
    if options.prices is not None:
        return options.prices
    return bool({name.lower() for name in names} & ({"close"} | _ADJUSTED_CLOSES))


def roles_of(raw: Raw, options: SeriesOptions) -> Roles:
    """Which column is which.

    Raises:
        DataError: there is no column of times or more than one, a column that the options name is missing, or
            there are no values.
    """
    names = list(raw.columns)
    time = _time(raw.source, names, options)
    symbol = _symbol(raw.source, names, options)
    zone = next((name for name in names if name.lower() == "zone" and _first(raw, name)[:1].isalpha()), None)
    prices = is_prices(names, options)
    flags = next((name for name in names if name.lower() == "adjusted" and prices), None)
    adjusted = flags if flags is not None and _first(raw, flags).lower() in _FLAGS else None
    rest = [name for name in names if name not in {time, symbol, zone, adjusted}]
    values: dict[str, str] = {}
    for name in rest:
        common = _common(name) if prices else name
        if common in values:
            raise DataError(
                f"{raw.source}: expected one column for '{common}', found '{values[common]}' and '{name}'; rename "
                "or remove one"
            )
        values[common] = name
    wanted = _wanted(raw.source, values, options)
    if not options.values and (prices or not options.only_asked):
        wanted = ()
    needed = {*PRICES, VOLUME, ADJUSTED_CLOSE} if prices else set()
    if wanted:
        values = {common: name for common, name in values.items() if common in wanted or common in needed}
    if not values:
        raise DataError(f"{raw.source}: expected columns with values beside '{time}', found none; add some")
    return Roles(time, symbol, zone, adjusted, values, wanted, prices)


def _time(source: str, names: list[str], options: SeriesOptions) -> str:
    found = time_column(names, options)
    if len(found) == 1:
        return found[0]
    wanted = f"'{options.time}'" if options.time is not None else f"of times ({', '.join(TIME_NAMES)})"
    there = ", ".join(found or names) or "none"
    raise DataError(
        f"{source}: expected one column {wanted}, found {there}; name it by --columns.time, or rename the column"
    )


def _symbol(source: str, names: list[str], options: SeriesOptions) -> str | None:
    if options.symbol is None:
        return next((name for wanted in SYMBOL_NAMES for name in names if name.lower() == wanted), None)
    require_named(source, names, {"--columns.symbol": options.symbol})
    return options.symbol


def _common(name: str) -> str:
    """The common name of a column of prices; its own where it has none."""
    lower = name.lower()
    if lower in _ADJUSTED_CLOSES or lower == "adjusted":  # as R's tidyquant calls it, where it holds no flags
        return ADJUSTED_CLOSE
    return lower if lower in {*PRICES, VOLUME} else name


def _wanted(source: str, values: Mapping[str, str], options: SeriesOptions) -> tuple[str, ...]:
    found: list[str] = []
    named = dict.fromkeys(options.values, "--columns.values") or options.asked
    for name, option in named.items():
        common = next((common for common, own in values.items() if name in (common, own)), None)
        if common is None:
            near = get_close_matches(name, list(values.values()), n=1)
            meant = f"did you mean '{near[0]}'? " if near else ""
            raise DataError(
                f"{source}: expected a column '{name}', as {option} says, found "
                f"{', '.join(values.values()) or 'none'}; {meant}correct {option}, or rename the column"
            )
        found.append("close" if common == ADJUSTED_CLOSE else common)
    return tuple(dict.fromkeys(found))


def _first(raw: Raw, name: str) -> str:
    """The first cell of a column that says something."""
    return next((text for text in raw.texts(name) if text), "")
