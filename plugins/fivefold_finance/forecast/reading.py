"""From a source to origins: series are read, laid out, and those that are too short left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fivefold.data.dataset import Facts
from fivefold.data.table import Problem
from fivefold.errors import DataError
from fivefold_finance.forecast.bars import Bars, Floats, lacks_value, stack
from fivefold_finance.forecast.config import ForecastConfig
from fivefold_finance.forecast.exchange import missing_sessions, next_sessions
from fivefold_finance.forecast.future import with_future
from fivefold_finance.forecast.layout import Layout, check_columns, layout_from, layout_of
from fivefold_finance.forecast.origins import OriginTable, origin_table
from fivefold_finance.series.options import SeriesOptions
from fivefold_finance.series.readers.choose import read_series
from fivefold_finance.series.schema import Series, SeriesSet
from fivefold_finance.series.told import count

_NAMED = 3


@dataclass(frozen=True)
class Read:
    """Origins, and what the user should know of them."""

    table: OriginTable
    cautions: tuple[str, ...]


def options_of(config: ForecastConfig) -> SeriesOptions:
    """What readers are told: also which columns are asked for, and that no others are where the targets are named."""
    named = {"--known": config.known, "--covariates": config.covariates, "--targets": config.targets}
    asked = {column: option for option, columns in named.items() for column in columns}
    return SeriesOptions(
        **config.columns.model_dump(),
        **config.series.model_dump(),
        zone=config.zone,
        max_bad_share=config.max_bad_share,
        asked=asked,
        only_asked=bool(config.targets),
    )


def read_origins(source: Path, config: ForecastConfig, facts: Facts | None) -> Read:
    """Every origin whose future is known.

    Args:
        source: what to read.
        config: the settings.
        facts: of the run's training data, where there is a run: its columns are needed then.

    Raises:
        DataError: the source cannot be read, or no series is long enough.
        ConfigError: a column that the settings name is not there.
    """
    return origins_of(read_series(source, options_of(config)), config, facts)


def origins_of(found: SeriesSet, config: ForecastConfig, facts: Facts | None) -> Read:
    """The same of series that were read."""
    layout = _layout(found, config, facts)
    long, short = _long_enough(found, config.lookback + config.horizon)
    bars = _bars(long, layout, config)
    table = origin_table(
        bars, layout, config.lookback, config.horizon,
        source=found.source, problems=(*found.problems, *short),
    )  # fmt: skip
    if not len(table):
        raise DataError(_no_window(found.source, bars, layout, config))
    return Read(table, (*found.cautions, *_cautions(long, table, layout, short)))


def read_last_origins(source: Path, config: ForecastConfig, facts: Facts | None) -> Read:
    """The last origin of each series, whose future is not known.

    Rows after a series' last value give what is known ahead; where the settings name no such column, they are made.

    Raises:
        DataError: a series is too short, or what must be known ahead is not.
    """
    return last_origins_of(read_series(source, options_of(config)), config, facts)


def last_origins_of(found: SeriesSet, config: ForecastConfig, facts: Facts | None) -> Read:
    """The same of series that were read."""
    layout = _layout(found, config, facts)
    extended = [_extended(one, layout, config, found.source) for one in found.series]
    bars = _bars(extended, layout, config)
    table = origin_table(
        bars, layout, config.lookback, config.horizon, source=found.source, labelled=False, problems=found.problems
    )  # fmt: skip
    rows = []
    for number, one in enumerate(found.series):
        own = np.flatnonzero(table["series"] == number)
        last = _last_value(one, layout) + int(bars.starts[number])
        if not len(own) or table["row"][own[-1]] != last:
            raise DataError(
                f"{found.source}, series '{one.symbol}': expected {_needed(layout, config)} bars without a gap or a "
                f"missing value at its end (row {one.rows[_last_value(one, layout)]}) to forecast from, found fewer; "
                "leave the series out, or end it earlier"
            )
        rows.append(own[-1])
    return Read(table.take(np.array(rows)), found.cautions)


def _layout(found: SeriesSet, config: ForecastConfig, facts: Facts | None) -> Layout:
    if facts is None:
        return layout_of(found.series, config, found.source)
    layout = layout_from(facts)
    check_columns(found.series, layout, found.source)
    return layout


def _bars(series: Sequence[Series], layout: Layout, config: ForecastConfig) -> Bars:
    calendar = config.series.calendar
    skipped = {} if calendar is None else {one.symbol: missing_sessions(one, calendar) for one in series}
    return stack(series, layout, _usual(config), skipped)


def _usual(config: ForecastConfig) -> int:
    """Bars that tell the usual step: any series that is used at all has so many."""
    return config.lookback + config.horizon


def _long_enough(found: SeriesSet, length: int) -> tuple[list[Series], list[Problem]]:
    """The series of at least ``length`` bars, and the others as problems.

    Raises:
        DataError: there is none.
    """
    long = [one for one in found.series if len(one) >= length]
    if not long:
        longest = max(found.series, key=len)
        raise DataError(
            f"{found.source}, series '{longest.symbol}': expected at least {length:,} bars, the look-back and the "
            f"horizon together, found {len(longest):,}; shorten --lookback or --horizon, or add bars"
        )
    short = [
        Problem(one.symbol, f"{len(one):,} bars, fewer than look-back and horizon together ({length:,})")
        for one in found.series
        if len(one) < length
    ]
    return long, short


def _extended(series: Series, layout: Layout, config: ForecastConfig, source: str) -> Series:
    """``series`` with as many rows after its last value as are forecast.

    Raises:
        DataError: it is too short, or has too few rows of what must be known ahead.
    """
    needed = _needed(layout, config)
    if len(series) < needed:
        raise DataError(
            f"{source}, series '{series.symbol}': expected at least {needed:,} bars to forecast from, "
            f"found {len(series):,}; leave the series out, or give more of its past"
        )
    missing = config.horizon - (len(series) - 1 - _last_value(series, layout))
    if layout.known and missing > 0:
        raise DataError(
            f"{source}, series '{series.symbol}': expected {config.horizon} rows after the last value that hold "
            f"{', '.join(layout.known)}, which must be known ahead, found {config.horizon - missing}; add them, with "
            "the other columns left empty"
        )
    calendar = config.series.calendar
    ahead = None if calendar is None else next_sessions(series, calendar, missing)
    return with_future(series, missing, usual=_usual(config), sessions=layout.sessions, ahead=ahead)


def _needed(layout: Layout, config: ForecastConfig) -> int:
    """Bars that a forecast needs: a return is that of two, and so is the usual step."""
    return max(2, config.lookback + layout.returns)


def _last_value(series: Series, layout: Layout) -> int:
    """The last bar of which a target is known."""
    targets = np.stack([series.columns[name] for name in layout.columns[: layout.targets]])
    known = np.isfinite(targets).any(axis=0)
    return int(np.flatnonzero(known)[-1]) if known.any() else 0


def _no_window(source: str, bars: Bars, layout: Layout, config: ForecastConfig) -> str:
    gaps = len(np.unique(bars.run)) - len(bars.symbols)
    missing = int((~np.isfinite(bars.values[:, : layout.targets]).all(axis=1)).sum())
    return (
        f"{source}: expected {config.lookback + config.horizon:,} bars in a row without a gap or a missing value (look-"
        f"back {config.lookback}, horizon {config.horizon}), found none in {len(bars.times):,} bars with {gaps:,} gaps "
        f"and {missing:,} bars without a target; shorten --lookback or --horizon, or mend the gaps"
    )


def _cautions(
    series: Sequence[Series], table: OriginTable, layout: Layout, short: Sequence[Problem]
) -> list[str]:
    told = []
    if short:
        told.append(f"{_those([one.sample for one in short])} too short and left out; see the problems.")
    bars = table.bars
    possible = sum(max(0, len(one) - table.lookback - table.horizon + 1) for one in series)
    # The first return of a series lies before it; it is no gap.
    lost = possible - len(table) - (len(series) if layout.returns else 0)
    if lost > 0:
        without = sum(int(lacks_value(one, layout).sum()) for one in series)
        gaps = len(np.unique(bars.run)) - len(series)
        told.append(
            f"{lost:,} of {possible:,} windows hold a missing value or reach over a gap, and are left out "
            f"({count(without, 'bar')} without a value, {count(gaps, 'gap')})."
        )
    constant = [
        symbol for number, symbol in enumerate(bars.symbols) if _is_constant(bars.levels[bars.of(number)])
    ]
    if constant:
        told.append(f"{_those(constant)} constant in a target: whatever repeats it is right.")
    if not layout.returns and any(one.adjusted for one in series):
        told.append(
            "Levels of adjusted prices depend on splits and dividends that came later: forecast --target-as returns."
        )
    return told


def _is_constant(levels: Floats) -> bool:
    """Whether a column never changes."""
    return any(len(np.unique(column[np.isfinite(column)])) == 1 for column in levels.T)


def _those(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return f"1 series ({shown}) is" if len(names) == 1 else f"{len(names):,} series ({shown}) are"
