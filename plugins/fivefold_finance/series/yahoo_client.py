"""Yahoo asked by yfinance: with growing waits where it limits requests, and a sentence where it cannot be asked."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from fivefold.errors import DataError, DependencyError
from fivefold.plugins.targets import missing_package
from fivefold_finance.series.yahoo_request import YahooRequest
from fivefold_finance.series.yahoo_schema import reading

WAITS = (5.0, 20.0, 60.0)
"""Seconds before the second, third and fourth try where Yahoo limits requests."""
TIMEOUT = 30.0
"""Seconds for one request."""

Notify = Callable[[str], None]
Wait = Callable[[float], None]


class Unreachable(Exception):  # noqa: N818 - no error yet: the cache may have what Yahoo does not give
    """Yahoo cannot be asked now; the message says why."""


class _Limited(Unreachable):
    """Yahoo limits requests, now."""


class _NoPrices(Exception):  # noqa: N818 - collected, and told for all symbols at once
    """Yahoo has no prices of a symbol; the message says why."""


def ask(request: YahooRequest, folder: Path, notify: Notify, wait: Wait) -> dict[str, pd.DataFrame]:
    """What the library returns for each symbol, not adjusted for dividends.

    Args:
        request: what to ask for.
        folder: where the library may keep what it notes for itself (zones of symbols, cookies).
        notify: told of waits.
        wait: waits for so many seconds.

    Raises:
        DataError: Yahoo has no such prices of a symbol, or its answer cannot be read.
        Unreachable: Yahoo cannot be reached, or went on limiting requests.
        DependencyError: the library is not installed.
    """
    try:
        import yfinance  # noqa: PLC0415 - takes a second, and what is in the cache needs none of it
    except ModuleNotFoundError as error:
        target = "fivefold_finance.series.yahoo:fetch"
        raise DependencyError(missing_package(error.name or "yfinance", target, "finance")) from error
    yfinance.set_tz_cache_location(str(folder))
    answers: dict[str, pd.DataFrame] = {}
    missing: list[str] = []
    with _raising(yfinance.config.debug):
        for symbol in request.symbols:
            try:
                answers[symbol] = _ask_patiently(symbol, request, notify, wait)
            except _NoPrices as reason:
                missing.append(f"{symbol} ({reason})")
    if missing:
        raise DataError(
            f"{request}: expected symbols and days that Yahoo has prices of, found none of {', '.join(missing)}; "
            "look symbols up at finance.yahoo.com, and check start, end and interval"
        )
    return answers


def _ask_patiently(symbol: str, request: YahooRequest, notify: Notify, wait: Wait) -> pd.DataFrame:
    for seconds in WAITS:
        try:
            return _ask_once(symbol, request)
        except _Limited:
            notify(f"Yahoo limits requests; asking for {symbol} again in {seconds:g} seconds")
            wait(seconds)
    return _ask_once(symbol, request)


def _ask_once(symbol: str, request: YahooRequest) -> pd.DataFrame:
    from yfinance import Ticker, exceptions  # noqa: PLC0415 - as above

    # Without a start the library takes the month before the end.
    bounds = {"period": "max"} if request.start is None else {"start": str(request.start)}
    if request.end is not None:
        bounds["end"] = str(request.end)
    with reading(symbol):
        try:
            return Ticker(symbol).history(
                **bounds, interval=request.interval, auto_adjust=False, actions=True, timeout=TIMEOUT
            )
        except exceptions.YFRateLimitError as error:
            raise _Limited("Yahoo limits requests") from error
        except exceptions.YFTickerMissingError as error:
            raise _NoPrices(error.rationale) from error
        except exceptions.YFException as error:
            raise Unreachable(str(error)) from error
        except json.JSONDecodeError as error:
            raise Unreachable("what answers is a page of another kind") from error
        except OSError as error:
            if _status(error) in range(400, 500):
                # Where there are no prices, the library looks for the symbol's zone elsewhere, and ends so.
                raise _NoPrices("no such symbol") from error
            raise Unreachable(str(error)) from error


def _status(error: OSError) -> int:
    """The status of the answer that ``error`` comes of, 0 where there was none."""
    return int(getattr(getattr(error, "response", None), "status_code", 0))


@contextmanager
def _raising(debug: Any) -> Iterator[None]:
    """Inside, the library raises what it would else log, logs nothing, and does not warn of its own ageing."""
    logger = logging.getLogger("yfinance")
    before = debug.hide_exceptions, logger.level
    debug.hide_exceptions = False
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            # The library calls pandas in ways that pandas 3.1 will drop: news for its authors, not for users.
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        debug.hide_exceptions = before[0]
        logger.setLevel(before[1])
