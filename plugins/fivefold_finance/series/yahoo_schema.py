"""What yfinance is expected to return, and what becomes of it; every change of the library is caught here.

Yahoo adjusts all prices for splits. Of the two closes that it gives, ``Close`` is adjusted for splits only and
``Adj Close`` for dividends as well (yfinance, ``auto_adjust``); the other prices are adjusted by their ratio.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from fivefold.errors import DataError

PRICES = {"Open": "open", "High": "high", "Low": "low", "Close": "close"}
PAYMENTS = {"Dividends": "dividends", "Stock Splits": "splits"}
"""Dividends in money a share, 0 where none was paid; shares after a split for one before, 0 without a split."""
EXPECTED = (*PRICES, "Adj Close", "Volume", *PAYMENTS)

_LENGTHS = {"m": "minutes", "h": "hours", "d": "days", "wk": "weeks", "mo": "months"}


def library() -> str:
    """``yfinance`` and its version."""
    return f"yfinance {importlib.metadata.version('yfinance')}"


def changed(symbol: str, expected: str, found: str) -> DataError:
    """The error for an answer that is not what it was when this was written."""
    return DataError(
        f"yfinance:{symbol}: expected {expected} from {library()}, found {found}; Yahoo or the library has changed: "
        "try 'pip install --upgrade yfinance', or bring the prices as a CSV or Parquet file"
    )


@contextmanager
def reading(symbol: str) -> Iterator[None]:
    """Inside, what the library itself stumbles over is told as a change of Yahoo's answer.

    Raises:
        DataError: it stumbled.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise changed(
            symbol, "an answer that the library can read", f"{type(error).__name__}: {error}"
        ) from error


def rows(symbol: str, frame: pd.DataFrame, *, adjusted: bool) -> pd.DataFrame:
    """The rows of one symbol in this plugin's words.

    Args:
        symbol: whose they are.
        frame: what ``yfinance.Ticker.history(auto_adjust=False, actions=True)`` returned.
        adjusted: whether to adjust the prices for dividends.

    Returns:
        columns ``symbol``, ``time`` (UTC, the beginning of the bar), ``open``, ``high``, ``low``, ``close``,
        ``volume``, ``adjusted``, ``zone`` (of the exchange), and ``dividends`` and ``splits`` unless adjusted.

    Raises:
        DataError: the frame is not what it is expected to be.
    """
    _check(symbol, frame)
    values = frame[list(EXPECTED)].astype("float64")
    prices = values[list(PRICES)].rename(columns=PRICES)
    if adjusted:
        _check_adjusted(symbol, values)
        prices = prices.mul(values["Adj Close"] / values["Close"], axis=0)
    table = prices.assign(
        # The library fills missing volumes with 0, also those of bars that have no price at all.
        volume=values["Volume"].where(prices.notna().any(axis=1)),
        adjusted=adjusted,
        zone=str(frame.index.tz),
    )
    if not adjusted:
        table = table.assign(**{ours: values[theirs] for theirs, ours in PAYMENTS.items()})
    table.insert(0, "symbol", symbol)
    table.insert(1, "time", frame.index.tz_convert("UTC").as_unit("ns"))
    return table.reset_index(drop=True)


def finished(table: pd.DataFrame, interval: str, now: datetime) -> pd.DataFrame:
    """The rows whose bar was over at ``now``: an unfinished one has not its day's high, low, close and volume.

    A day is over at midnight of the exchange's zone.
    """
    if table.empty:
        return table
    unit = interval.lstrip("0123456789")
    length = pd.DateOffset(**{_LENGTHS[unit]: int(interval.removesuffix(unit))})
    ends = table["time"].dt.tz_convert(table["zone"].iloc[0]) + length
    return table[ends <= pd.Timestamp(now)]


def _check(symbol: str, frame: pd.DataFrame) -> None:
    if frame.columns.nlevels != 1:
        raise changed(symbol, f"columns {', '.join(EXPECTED)}", f"columns of {frame.columns.nlevels} levels")
    missing = [name for name in EXPECTED if name not in frame.columns]
    if missing:
        raise changed(
            symbol,
            f"columns {', '.join(EXPECTED)}",
            f"{', '.join(map(str, frame.columns))} (without {', '.join(missing)})",
        )
    zone = getattr(frame.index, "tz", None)
    if zone is None:
        raise changed(symbol, "times with a zone", f"an index of {frame.index.dtype}")
    with reading(symbol):
        ZoneInfo(str(zone))
        frame[list(EXPECTED)].astype("float64")


def _check_adjusted(symbol: str, values: Any) -> None:
    """Where Yahoo leaves the adjusted closes away, the library takes the others for them without a word."""
    paid = values.index[1:][values["Dividends"].iloc[1:] > 0]
    if len(paid) and (values["Adj Close"] == values["Close"]).all():
        raise changed(
            symbol,
            f"closes adjusted for the dividend of {paid[0]:%Y-%m-%d}",
            "none (adjusted=false in the address does without)",
        )
