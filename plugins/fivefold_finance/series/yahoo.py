"""``yfinance:AAPL,MSFT``: prices of Yahoo Finance, asked for once a day and kept on disk.

``fivefold finance forecast train "yfinance:AAPL,MSFT?start=2010-01-01&end=2020-01-01&interval=1d&adjusted=true"``.
Symbols are Yahoo's; ``end`` is the day after the last. The prices are Yahoo's: fivefold brings none, and passes
none on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from fivefold.errors import DataError, DownloadError
from fivefold_finance.series.yahoo_cache import Cached, caution, newest, store
from fivefold_finance.series.yahoo_client import Unreachable, ask
from fivefold_finance.series.yahoo_request import YahooRequest, parse_request
from fivefold_finance.series.yahoo_schema import finished, library, rows


def fetch(address: str, folder: Path, notify: Callable[[str], None]) -> Path:
    """The Parquet file with what ``address`` names; see `fetch_request`.

    Args:
        address: symbols and options, without ``yfinance:``.
        folder: the cache.
        notify: told the day of the request, and of waits.
    """
    return fetch_request(parse_request(address), folder, notify, now=datetime.now(UTC), wait=time.sleep)


def fetch_request(
    request: YahooRequest,
    folder: Path,
    notify: Callable[[str], None],
    *,
    now: datetime,
    wait: Callable[[float], None],
) -> Path:
    """The Parquet file with the answer to ``request``.

    An answer of the same day is taken from the cache; so is the newest one where Yahoo cannot be asked.

    Args:
        request: what to ask for.
        folder: the cache.
        notify: told the day of the request, and of waits.
        now: the time, with its zone.
        wait: waits for so many seconds.

    Raises:
        DataError: Yahoo has no such prices, or its answer is not what it was when this was written.
        DownloadError: Yahoo cannot be asked, and the cache has no answer.
        StorageError: the answer cannot be written.
    """
    known = newest(request, folder)
    if known is not None and known.day >= now.astimezone(UTC).date():
        return _told(request, known, notify)
    try:
        table = _ask(request, folder, notify, now, wait)
    except Unreachable as error:
        if known is None:
            raise DownloadError(
                f"{request}: cannot be fetched ({error}), and the cache has no earlier answer; "
                "try again later, or bring the prices as a CSV or Parquet file"
            ) from error
        notify(f"Yahoo cannot be asked now ({error}); an earlier answer is taken from the cache.")
        return _told(request, known, notify)
    return _told(request, store(request, table, folder, now, library()), notify)


def _ask(
    request: YahooRequest,
    folder: Path,
    notify: Callable[[str], None],
    now: datetime,
    wait: Callable[[float], None],
) -> pd.DataFrame:
    answers = ask(request, folder / "library", notify, wait)
    tables = [
        finished(rows(symbol, frame, adjusted=request.adjusted), request.interval, now)
        for symbol, frame in answers.items()
    ]
    for symbol, table in zip(answers, tables, strict=True):
        if table.empty:
            raise DataError(
                f"{request}: expected bars of {symbol} that are over, found none; choose an earlier start"
            )
    return pd.concat(tables, ignore_index=True)


def _told(request: YahooRequest, cached: Cached, notify: Callable[[str], None]) -> Path:
    notify(f"{caution(request, cached.day)} They are in {cached.path}")
    return cached.path
