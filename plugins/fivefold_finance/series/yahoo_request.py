"""What an address behind ``yfinance:`` asks for: ``AAPL,MSFT?start=2010-01-01&interval=1d&adjusted=true``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from fivefold.errors import DataError

WITHIN_A_DAY = ("1m", "2m", "5m", "15m", "30m", "60m", "90m", "1h")
"""Intervals for which Yahoo has no prices adjusted for dividends; they go back 60 days, an hour's 730."""
INTERVALS = (*WITHIN_A_DAY, "1d", "1wk", "1mo", "3mo")

_SYMBOL = re.compile(r"\^?[A-Z0-9][A-Z0-9.=&_-]*")
_SHOWN = 40
"""Characters of the symbols that a file's name shows; the digest tells longer lists apart."""


@dataclass(frozen=True)
class YahooRequest:
    """What is asked of Yahoo.

    Attributes:
        symbols: as Yahoo spells them, sorted, each once.
        start: the first day; None for the earliest there is.
        end: the day after the last; None for today.
        interval: length of a bar, one of `INTERVALS`.
        adjusted: whether prices are adjusted for dividends (for splits Yahoo adjusts all of them).
    """

    symbols: tuple[str, ...]
    start: date | None = None
    end: date | None = None
    interval: str = "1d"
    adjusted: bool = True

    def __str__(self) -> str:
        """The address in full, one spelling for each request."""
        bounds = [f"{name}={day}" for name, day in (("start", self.start), ("end", self.end)) if day]
        options = [*bounds, f"interval={self.interval}", f"adjusted={str(self.adjusted).lower()}"]
        return f"yfinance:{','.join(self.symbols)}?{'&'.join(options)}"

    @property
    def name(self) -> str:
        """How files of this request are called: the symbols for people, a digest for everything else."""
        shown = re.sub(r"[^A-Z0-9.,=-]", "_", ",".join(self.symbols))[:_SHOWN]
        return f"{shown}-{self.interval}-{hashlib.sha256(str(self).encode()).hexdigest()[:10]}"


def parse_request(address: str) -> YahooRequest:
    """Read an address without its prefix.

    Raises:
        DataError: it names no symbol, an unknown option, or a value that does not fit.
    """
    listed, _, query = address.partition("?")
    options = _options(address, query)
    interval = options.get("interval", "1d")
    within_a_day = interval in WITHIN_A_DAY
    request = YahooRequest(
        symbols=_symbols(address, listed),
        start=options.get("start"),
        end=options.get("end"),
        interval=interval,
        adjusted=options.get("adjusted", not within_a_day),
    )
    if request.adjusted and within_a_day:
        raise DataError(
            f"yfinance:{address}: expected adjusted=false with interval={interval}, found adjusted=true; "
            "Yahoo adjusts prices for dividends from one day up only"
        )
    if request.start and request.end and request.start >= request.end:
        raise DataError(
            f"yfinance:{address}: expected a start before the end, found {request.start} and {request.end}; "
            "the end is the day after the last"
        )
    return request


def _symbols(address: str, listed: str) -> tuple[str, ...]:
    symbols = [symbol.strip().upper() for symbol in listed.split(",")]
    for symbol in symbols:
        if not _SYMBOL.fullmatch(symbol):
            raise DataError(
                f"yfinance:{address}: expected symbols as Yahoo spells them, with commas between, such as "
                f"yfinance:AAPL,^GSPC, found {symbol!r}; finance.yahoo.com finds them"
            )
    return tuple(sorted(set(symbols)))


def _options(address: str, query: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name not in _READERS:
            raise DataError(
                f"yfinance:{address}: expected the options {', '.join(_READERS)}, found {name!r}; "
                "write them as ?start=2010-01-01&interval=1d"
            )
        if name in options:
            raise DataError(f"yfinance:{address}: expected {name} once, found it twice; leave one away")
        expected, read = _READERS[name]
        try:
            options[name] = read(value)
        except (KeyError, ValueError) as error:
            raise DataError(
                f"yfinance:{address}: expected {name} to be {expected}, found {value!r}"
            ) from error
    return options


_READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = MappingProxyType(
    {
        "start": ("a day such as 2010-01-31", date.fromisoformat),
        "end": ("a day such as 2010-01-31", date.fromisoformat),
        "interval": (f"one of {', '.join(INTERVALS)}", {name: name for name in INTERVALS}.__getitem__),
        "adjusted": ("true or false", {"true": True, "false": False}.__getitem__),
    }
)
"""Option to what its value must be, and how it is read."""
