"""A stand-in for Yahoo's servers on the loopback, which the real yfinance asks.

yfinance names its servers in full (query2.finance.yahoo.com for charts, query1 for a crumb, fc.yahoo.com for a
cookie, and others), so its session sends every request to the loopback, with the host as the path's first part.
"""

from __future__ import annotations

import copy
import functools
import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from curl_cffi.requests import Session
from yfinance import cache
from yfinance.data import SingletonMeta, YfData

from loopback import send, serving

Answer = tuple[int, Any]
CHARTS = "/query2.finance.yahoo.com/v8/finance/chart/"
NOT_FOUND: Answer = (
    404,
    {
        "chart": {
            "result": None,
            "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"},
        }
    },
)


class LoopbackSession(Session):
    """Sends every request to a port of the loopback."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def request(self, method: str, url: str, **options: Any) -> Any:
        asked = urlsplit(url)
        return super().request(method, f"http://127.0.0.1:{self.port}/{asked.netloc}{asked.path}", **options)


@dataclass
class Yahoo:
    """What the stand-in answers.

    Attributes:
        charts: symbol to the answer to its chart.
        refusals: how many of the next charts are refused because of too many requests.
        asked: symbols of the charts that were asked for.
    """

    charts: dict[str, Answer] = field(default_factory=dict)
    refusals: int = 0
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> Answer:
        if path.startswith("/query1.finance.yahoo.com/v1/test/getcrumb"):
            return 200, "crumb"
        if not path.startswith(CHARTS):
            return 404, ""
        symbol = unquote(urlsplit(path).path.removeprefix(CHARTS))
        self.asked.append(symbol)
        if self.refusals:
            self.refusals -= 1
            return 429, "Too Many Requests"
        return self.charts.get(symbol, NOT_FOUND)


class _Answers(dict[str, Callable[[BaseHTTPRequestHandler], None]]):
    """The loopback's answers, made when they are asked for."""

    def __init__(self, stand_in: Yahoo) -> None:
        super().__init__()
        self.stand_in = stand_in

    def get(self, path: str, default: Any = None) -> Any:
        status, content = self.stand_in.answer(path)
        text = content if isinstance(content, str) else json.dumps(content)
        return functools.partial(send, status=status, content=text.encode(), headers={})


@contextmanager
def yahoo(patch: pytest.MonkeyPatch) -> Iterator[Yahoo]:
    """The stand-in, asked by yfinance; until the end, yfinance is as if it were just imported."""
    stand_in = Yahoo()
    with serving() as server:
        server.answers = _Answers(stand_in)
        with asking(patch, server.port):
            yield stand_in


@contextmanager
def nobody(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Yfinance asks a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with asking(patch, port):
        yield


@contextmanager
def asking(patch: pytest.MonkeyPatch, port: int) -> Iterator[None]:
    """Yfinance, without what it remembers of other tests, asks this port."""
    with patch.context() as patched:
        patched.setenv("no_proxy", "127.0.0.1")
        patched.setattr(cache._TzCacheManager, "_tz_cache", None)
        patched.setattr(cache._CookieCacheManager, "_Cookie_cache", None)
        patched.setattr(SingletonMeta, "_instances", {})
        with LoopbackSession(port) as session:
            YfData(session=session)
            yield
        for manager in (cache._TzDBManager, cache._CookieDBManager):
            manager.close_db()


NEW_YORK = "America/New_York"
TOKYO = "Asia/Tokyo"
DAYS = ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05")


def chart(
    closes: Sequence[float | None],
    *,
    days: Sequence[str] = DAYS,
    zone: str = NEW_YORK,
    adjusted: Sequence[float | None] | None = None,
    dividends: Mapping[str, float] | None = None,
    splits: Mapping[str, tuple[int, int]] | None = None,
    kind: str = "EQUITY",
) -> Answer:
    """An answer as Yahoo's: bars of days that opened at half past nine, one dollar wide around the close."""

    def opening(day: str) -> int:
        return int(datetime.combine(datetime.fromisoformat(day), time(9, 30), ZoneInfo(zone)).timestamp())

    def moved(by: float) -> list[float | None]:
        return [None if close is None else close + by for close in closes]

    quote = {
        "open": moved(-0.5),
        "high": moved(1.0),
        "low": moved(-1.0),
        "close": list(closes),
        "volume": [None if close is None else 1000 + place for place, close in enumerate(closes)],
    }
    events: dict[str, Any] = {}
    if dividends:
        events["dividends"] = {
            str(opening(day)): {"amount": amount, "date": opening(day)} for day, amount in dividends.items()
        }
    if splits:
        events["splits"] = {
            str(opening(day)): {"date": opening(day), "numerator": new, "denominator": old}
            for day, (new, old) in splits.items()
        }
    result = {
        "meta": {
            "currency": "USD",
            "instrumentType": kind,
            "exchangeTimezoneName": zone,
            "validRanges": ["1d", "1mo", "max"],
            "priceHint": 2,
        },
        "timestamp": [opening(day) for day in days],
        "events": events,
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": list(adjusted or closes)}]},
    }
    return 200, {"chart": {"result": [result], "error": None}}


def altered(answer: Answer, change: Callable[[dict[str, Any]], None]) -> Answer:
    """The answer with its only result changed in place by ``change``."""
    status, content = copy.deepcopy(answer)
    change(content["chart"]["result"][0])
    return status, content
