"""Splits and dividends: adjusted by the source's adjusted close, or warned of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from plugins.finance.series_files import bars, only, read

DAYS = [str(day) for day in np.arange("2020-01-01", "2020-04-01", dtype="datetime64[D]")][:60]


def walk(seed: int = 0, size: float = 0.01) -> np.ndarray:
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, size, len(DAYS))))


def split_cautions(
    folder: Path, closes: np.ndarray, volumes: np.ndarray | None = None, **options: object
) -> list[str]:
    found = read(
        folder, *bars(closes.tolist(), DAYS, None if volumes is None else volumes.tolist()), **options
    )
    return [caution for caution in found.cautions if "split for which" in caution]


def test_prices_are_adjusted_by_the_adjusted_close_as_one(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "Date,Open,High,Low,Close,Adj Close,Volume",
        "2020-08-28,504,505.8,498.3,499.2,124.8,46907479",
        "2020-08-31,127.6,131,126,129,129,225702688",
    )
    series = only(found)
    assert series.adjusted is True
    assert list(series.columns) == ["open", "high", "low", "close", "volume"]
    np.testing.assert_allclose(
        [series.columns[name][0] for name in ("open", "high", "low", "close")],
        [126, 126.45, 124.575, 124.8],
        rtol=1e-12,
    )
    assert [series.columns[name][1] for name in ("open", "high", "low", "close")] == [127.6, 131, 126, 129]
    assert series.columns["volume"].tolist() == [46907479, 225702688]
    assert found.cautions[0].startswith(
        "prices: open, high, low and close were adjusted for splits and dividends by the column 'adj close'"
    )


def test_an_adjusted_close_that_is_the_close_changes_nothing_and_says_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, "date,open,close,adj close", "2020-01-01,1.1,1.3,1.3", "2020-01-02,1.2,1.7,1.7")
    assert only(found).columns["open"].tolist() == [1.1, 1.2]
    assert (only(found).adjusted, found.cautions) == (True, ())


def test_prices_as_traded_are_kept_where_the_user_says_so(tmp_path: Path) -> None:
    lines = ("date,open,close,adj close", "2020-01-01,1.1,1.3,0.6", "2020-01-02,1.2,1.4,1.4")
    series = only(read(tmp_path, *lines, adjusted=False))
    assert (series.adjusted, series.columns["close"].tolist()) == (False, [1.3, 1.4])
    assert "adj close" not in series.columns


@pytest.mark.parametrize("name", ["Adj Close", "adj_close", "AdjClose", "Adjusted Close", "adjusted"])
def test_names_of_the_adjusted_close(tmp_path: Path, name: str) -> None:
    series = only(read(tmp_path, f"date,close,{name}", "2020-01-01,10,5", "2020-01-02,6,6"))
    assert (series.adjusted, list(series.columns), series.columns["close"].tolist()) == (
        True,
        ["close"],
        [5, 6],
    )


def test_an_adjusted_close_alone_is_the_close(tmp_path: Path) -> None:
    series = only(read(tmp_path, "date,Adj Close", "2020-01-01,10", "2020-01-02,6"))
    assert (series.adjusted, series.columns["close"].tolist()) == (True, [10, 6])


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1 / 2, "2-for-1"), (1 / 4, "4-for-1"), (2 / 3, "3-for-2"), (1 / 20, "20-for-1"), (10, "1-for-10")],
)
def test_an_unadjusted_split_is_warned_of(tmp_path: Path, factor: float, words: str) -> None:
    closes = walk()
    closes[30:] *= factor
    (caution,) = split_cautions(tmp_path, closes)
    assert f"on {DAYS[30]} (prices.csv, row 32) and stays there, as after a {words} split" in caution
    assert split_cautions(tmp_path, closes, np.where(np.arange(60) < 30, 1e6, 1e6 / factor))
    assert split_cautions(tmp_path, closes, adjusted=True) == []
    assert split_cautions(tmp_path, closes, adjusted=False)


def test_several_splits_are_counted(tmp_path: Path) -> None:
    closes = walk()
    closes[20:] /= 2
    closes[40:] /= 3
    assert "and once more" in split_cautions(tmp_path, closes)[0]


def test_what_is_no_split_is_not_warned_of(tmp_path: Path) -> None:
    calm = walk()
    assert split_cautions(tmp_path, calm) == []
    undone = calm.copy()
    undone[30] /= 2  # a wrong price for a day
    assert split_cautions(tmp_path, undone) == []
    odd = calm.copy()
    odd[30:] *= 0.84  # no ratio of splits
    assert split_cautions(tmp_path, odd) == []
    dried = calm.copy()
    dried[30:] /= 2  # half the price, and a tenth of the shares change hands
    assert split_cautions(tmp_path, dried, np.where(np.arange(60) < 30, 1e6, 1e5)) == []
    wild = walk(size=0.3)
    assert split_cautions(tmp_path, wild) == []


def test_a_fall_within_a_day_is_no_split(tmp_path: Path) -> None:
    closes = walk()
    closes[30:] /= 2
    lines = bars(closes.tolist(), DAYS)
    opened = closes[29] * 1.001
    lines[31] = f"{DAYS[30]},{opened},{opened * 1.001},{closes[30] * 0.999},{closes[30]},1000"
    assert not any("split for which" in caution for caution in read(tmp_path, *lines).cautions)


def test_prices_of_which_nothing_is_known_are_a_caution(tmp_path: Path) -> None:
    lines = ("date,close", "2020-01-01,1", "2020-01-02,2")
    (caution,) = read(tmp_path, *lines).cautions
    assert caution.startswith("prices: nothing says whether prices are adjusted for splits and dividends")
    assert read(tmp_path, *lines, adjusted=True).cautions == ()
    assert only(read(tmp_path, *lines, adjusted=False)).adjusted is False


def test_flags_of_the_source_say_it_for_each_symbol(tmp_path: Path) -> None:
    lines = (
        "symbol,date,close,adjusted",
        "a,2020-01-01,1,True",
        "a,2020-01-02,2,True",
        "b,2020-01-01,1,False",
        "b,2020-01-02,2,False",
    )
    assert [series.adjusted for series in read(tmp_path, *lines).series] == [True, False]
