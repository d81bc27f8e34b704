"""Addresses behind ``yfinance:``, read and refused."""

from __future__ import annotations

import re
from datetime import date

import pytest

from fivefold.errors import DataError
from fivefold_finance.series.yahoo_request import YahooRequest, parse_request


def test_an_address_is_read() -> None:
    request = parse_request(
        "msft,^GSPC,EURUSD=X,M&M.NS,BRK-B,MSFT?start=2010-01-01&end=2020-01-01&adjusted=false"
    )
    assert request == YahooRequest(
        ("BRK-B", "EURUSD=X", "M&M.NS", "MSFT", "^GSPC"), date(2010, 1, 1), date(2020, 1, 1), adjusted=False
    )
    assert parse_request(str(request).removeprefix("yfinance:")) == request
    assert parse_request("AAPL?interval=1h").adjusted is False
    assert re.fullmatch(r"[\w.,=-]+", request.name)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", r"expected symbols as Yahoo spells them.*found ''"),
        ("AAPL,", r"found ''"),
        ("../AAPL", r"found '../AAPL'"),
        ("AAPL MSFT", r"found 'AAPL MSFT'"),
        ("AAPL?from=2010-01-01", r"expected the options start, end, interval, adjusted, found 'from'"),
        ("AAPL?start=2010", r"expected start to be a day such as 2010-01-31, found '2010'"),
        ("AAPL?start=2010-13-01", r"expected start to be a day"),
        ("AAPL?interval=2d", r"expected interval to be one of 1m, .*, found '2d'"),
        ("AAPL?adjusted=yes", r"expected adjusted to be true or false, found 'yes'"),
        ("AAPL?start=2010-01-01&start=2011-01-01", r"expected start once, found it twice"),
        ("AAPL?start=2010-01-01&end=2010-01-01", r"expected a start before the end"),
        ("AAPL?interval=1h&adjusted=true", r"expected adjusted=false with interval=1h"),
    ],
)
def test_an_address_that_does_not_fit_is_refused(address: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_request(address)
