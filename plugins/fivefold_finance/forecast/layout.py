"""Which columns are forecast, seen and known ahead, and as what: decided from names alone, before any value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fivefold.data.dataset import Facts
from fivefold.errors import ConfigError, DataError
from fivefold_finance.forecast.config import ForecastConfig
from fivefold_finance.series.schema import PRICES, Series

VOLUME = "volume"


@dataclass(frozen=True)
class Layout:
    """What the windows of a set of series hold.

    Attributes:
        columns: what is seen, in order; the targets come first.
        targets: how many of them are forecast, ``K``.
        calendar: features of the time that are known ahead.
        known: columns that are known ahead.
        returns: whether targets (and prices beside them) are log returns.
        sessions: whether bars follow each other over nights and weekends.
    """

    columns: tuple[str, ...]
    targets: int
    calendar: tuple[str, ...]
    known: tuple[str, ...]
    returns: bool
    sessions: bool

    @property
    def ahead(self) -> list[str]:
        """Names of everything that is known ahead, in the order of the tensor."""
        return [*self.calendar, *self.known]

    def as_returns(self, column: str) -> bool:
        """Whether ``column`` is seen as its log returns."""
        return self.returns and (column in self.columns[: self.targets] or column in (*PRICES, VOLUME))


def layout_of(series: Sequence[Series], config: ForecastConfig, source: str) -> Layout:
    """The layout that the settings ask for.

    Raises:
        ConfigError: a column that the settings name is in no series.
        DataError: series differ in the columns that are needed.
    """
    first = series[0]
    prices = "close" in first.columns and config.series.prices is not False
    available = [name for name in first.columns if name not in config.known]
    targets = config.targets or (("close",) if prices else tuple(available))
    beside = config.covariates or (() if prices or config.targets else tuple(available))
    columns = tuple(dict.fromkeys((*targets, *beside)))
    returns = prices if config.target_as == "auto" else config.target_as == "returns"
    sessions = prices if config.grid == "auto" else config.grid == "sessions"
    layout = Layout(columns, len(targets), config.calendar, config.known, returns, sessions)
    for name in (*columns, *config.known):
        if name not in first.columns:
            raise ConfigError(
                f"{source}: expected the column '{name}', which the settings name, found "
                f"{', '.join(first.columns) or 'none'}"
            )
    check_columns(series, layout, source)
    return layout


def layout_from(facts: Facts) -> Layout:
    """The layout of the data that a run was trained on."""
    return Layout(
        tuple(facts.columns),
        len(facts.targets),
        tuple(facts.calendar),
        tuple(facts.known_columns),
        facts.level == "returns",
        bool(facts.sessions),
    )


def check_columns(series: Sequence[Series], layout: Layout, source: str) -> None:
    """Whether each of the ``series`` has every column.

    Raises:
        DataError: one has not.
    """
    for one in series:
        for name in (*layout.columns, *layout.known):
            if name not in one.columns:
                raise DataError(
                    f"{source}, series '{one.symbol}': expected the column '{name}', found "
                    f"{', '.join(one.columns) or 'none'}; leave the series out, or name columns that all of them have"
                )
