"""What readers of series may be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fivefold.errors import ConfigError
from fivefold_finance.zones import is_zone

DateOrder = Literal["mdy", "dmy"]
Epoch = Literal["s", "ms", "us", "ns"]


@dataclass(frozen=True)
class SeriesOptions:
    """What the configuration says about reading series.

    Attributes:
        time: name of the column with the time; None takes ``time``, ``date``, ``datetime``, ``timestamp`` or ``ds``.
        symbol: name of the column that tells series apart; None takes ``symbol``, ``ticker``, ``unique_id`` or
            ``name``, and a table without one is one series.
        values: names of the columns to read; all but those of time and symbol where empty.
        asked: columns that must be there beside ``values``, each to the option that names it.
        only_asked: whether no others are read; of prices all are.
        zone: IANA zone of times that carry none, and of the source; None takes that of the column ``zone``, of the
            calendar, or UTC.
        calendar: exchange whose sessions bars are held against, as `exchange_calendars` names it (``XNYS``).
        adjusted: whether prices are adjusted for splits and dividends. None finds out: a column ``adj close`` is
            used where there is one. False keeps prices as traded though there is such a column.
        prices: whether the columns open, high, low and close are prices, which are above 0; None: where there is a
            column ``close``.
        date_order: of dates such as 1/4/1999, month or day first; None takes what a day above 12 proves.
        epoch: unit of times that are numbers; None takes it from their size (s to ns since 1970).
        max_bad_share: share of a series' bars that may contradict themselves; their prices are left out and listed.
            More are an error.

    Raises:
        ConfigError: a value is not what it must be.
    """

    time: str | None = None
    symbol: str | None = None
    values: tuple[str, ...] = ()
    asked: Mapping[str, str] = field(default_factory=dict)
    only_asked: bool = False
    zone: str | None = None
    calendar: str | None = None
    adjusted: bool | None = None
    prices: bool | None = None
    date_order: DateOrder | None = None
    epoch: Epoch | None = None
    max_bad_share: float = 0.01

    def __post_init__(self) -> None:
        if self.zone is not None and not is_zone(self.zone):
            raise ConfigError(
                f"--zone: expected a time zone such as America/New_York or UTC, found '{self.zone}'; name one "
                "of the IANA database"
            )
        if self.date_order not in (None, "mdy", "dmy"):
            raise ConfigError(
                f"--series.date-order: expected mdy or dmy, found '{self.date_order}'; name one of the two"
            )
        if self.epoch not in (None, "s", "ms", "us", "ns"):
            raise ConfigError(
                f"--series.epoch: expected s, ms, us or ns, found '{self.epoch}'; name one of them"
            )
        if not 0 <= self.max_bad_share < 1:
            raise ConfigError(
                f"--max-bad-share: expected a share from 0 to below 1, found {self.max_bad_share}; 0.01 is one "
                "bar in a hundred"
            )
        if self.prices is False and self.adjusted is not None:
            raise ConfigError(
                f"--series.adjusted: expected it for prices only, found {self.adjusted} with --series.no-prices; "
                "leave one of them out"
            )
