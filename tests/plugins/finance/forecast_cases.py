"""Series for the tests of forecasts: as objects, as files, and as the pipeline sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fivefold_finance.forecast.config import ForecastConfig
from fivefold_finance.forecast.origins import OriginTable
from fivefold_finance.forecast.reading import origins_of
from fivefold_finance.series.schema import Series, SeriesSet

Floats = NDArray[np.float64]

FORECAST = ("finance", "forecast")
"""The command."""
QUICK = ("--epochs", "1", "--evaluation.resamples", "100", "--device", "cpu")
"""Options under which a training takes a second."""


def config(**settings: Any) -> ForecastConfig:
    """Settings with short windows where nothing else is asked for."""
    return ForecastConfig.model_validate({"lookback": 4, "horizon": 2, **settings})


def series(
    columns: Floats | Mapping[str, Floats],
    symbol: str = "a",
    *,
    start: str = "2020-01-01",
    step: Literal["D", "h", "m", "s"] = "D",
    zone: str = "UTC",
    times: NDArray[np.datetime64] | None = None,
) -> Series:
    """A series on a regular grid, or at the given times; one column is named ``value``."""
    named = {"value": columns} if isinstance(columns, np.ndarray) else dict(columns)
    length = len(next(iter(named.values())))
    if times is None:
        times = np.datetime64(start, "ns") + np.arange(length) * np.timedelta64(1, step)
    return Series(
        symbol,
        times.astype("datetime64[ns]"),
        {name: np.asarray(values, np.float64) for name, values in named.items()},
        zone,
        None,
        np.arange(2, length + 2),
    )


def together(*some: Series) -> SeriesSet:
    """Several as a source."""
    return SeriesSet(tuple(some), "series.csv")


def origins(*some: Series, **settings: Any) -> OriginTable:
    """Every origin of the series under the settings."""
    return origins_of(together(*some), config(**settings), None).table


def before(one: Series, length: int) -> Series:
    """Its first ``length`` bars."""
    return replace(
        one,
        times=one.times[:length],
        columns={name: values[:length] for name, values in one.columns.items()},
        rows=one.rows[:length],
    )


def walk(length: int, seed: int = 0, level: float = 100.0) -> Floats:
    """A random walk of the logarithm, as prices are said to be."""
    steps = np.random.default_rng(seed).normal(0, 0.01, length)
    return level * np.exp(np.cumsum(steps))


def sessions(length: int, start: str = "2015-01-05") -> NDArray[np.datetime64]:
    """Weekdays, at midnight."""
    first = np.datetime64(start, "D")
    return np.busday_offset(first, np.arange(length), roll="forward").astype("datetime64[ns]")


def write_csv(path: Path, times: NDArray[np.datetime64], columns: Mapping[str, Floats]) -> Path:
    """A file with a column ``date`` and the given ones."""
    unit: Literal["D", "s"] = "D" if (times == times.astype("datetime64[D]")).all() else "s"
    stamps = [text.replace("T", " ") for text in np.datetime_as_string(times, unit=unit)]
    lines = [",".join(["date", *columns])]
    for row, stamp in enumerate(stamps):
        cells = [column[row] for column in columns.values()]
        lines.append(",".join([stamp, *("" if np.isnan(cell) else str(cell) for cell in cells)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def prices_csv(path: Path, length: int = 320, seed: int = 0) -> Path:
    """Daily prices of one symbol that walk at random."""
    close = walk(length, seed)
    return write_csv(
        path, sessions(length), {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    )
