"""Splits and dividends: prices adjusted by the source's own adjusted close, and splits that were left in.

A source's ``adj close`` is what its close is worth after all later splits and dividends; their quotient is the
factor for open, high and low of the same bar. Volume is left as the source has it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fivefold_finance.series.roles import VOLUME
from fivefold_finance.series.schema import ADJUSTED_CLOSE, PRICES, Flags, Floats, Series
from fivefold_finance.series.steps import dates_of
from fivefold_finance.series.told import Told, file_name

_RATIOS = (3 / 2, 2, 5 / 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)
_NEAREST = 0.02  # of the logarithm: how near a ratio an overnight change may lie, however calm the series
_NEAR = 0.08  # however lively it is
_OUTSTANDING = 8.0  # ordinary changes: what a split is at least
_ROUNDING = 1e-9  # of a quotient of prices
_BESIDE = 5  # bars before and after, which lie at the old level and at the new
_AROUND = 10  # bars whose volume is looked at
_QUIETER = 0.67  # of the logarithm: shares change hands less than half as often as before


def adjusted_columns(
    columns: Mapping[str, Floats], symbol: str, *, flag: bool | None, option: bool | None, told: Told
) -> tuple[dict[str, Floats], bool | None]:
    """The columns of prices without ``adj close``, and whether they are adjusted.

    Args:
        columns: common name to values.
        symbol: of the series, for the caution.
        flag: what the source's column ``adjusted`` says.
        option: what the user says; False keeps prices as traded.
        told: gains a caution where prices were changed.
    """
    found = dict(columns)
    adjusted = found.pop(ADJUSTED_CLOSE, None)
    known = flag if option is None else option
    if adjusted is None or option is False:
        return found, known
    if "close" in found:
        with np.errstate(invalid="ignore"):
            factor = adjusted / found["close"]
        for name in PRICES:
            if name in found:
                found[name] = found[name] * factor
        if bool((np.abs(factor - 1) > _ROUNDING).any()):
            told.caution(
                "adjusted",
                symbol,
                f"open, high, low and close were adjusted for splits and dividends by the column '{ADJUSTED_CLOSE}'; "
                "--series.no-adjusted keeps prices as traded",
            )
    found["close"] = adjusted
    return found, True


def check_splits(series: Series, source: str, told: Told) -> None:
    """Tell of changes overnight that look like splits for which prices were not adjusted.

    Such a change is near a common ratio, far beyond the series' ordinary changes, made before the open where there
    is one, from a level where prices were to one where they stay; and the volume, which counts shares, does not fall
    with the price.
    """
    if "close" not in series.columns:
        return
    found = np.flatnonzero(_like_splits(series)) + 1
    if not len(found):
        return
    first, close = int(found[0]), series.columns["close"]
    ratio = close[first] / close[first - 1]
    split, others = _words(ratio), len(found) - 1
    more = f", and {'once' if others == 1 else f'{others} times'} more" if others else ""
    told.caution(
        "split",
        series.symbol,
        f"the price goes to {ratio:.3g} of the day before on {dates_of(series)[first]} ({file_name(source)}, row "
        f"{series.rows[first]}) and stays there, as after a {split} split for which prices were not adjusted"
        f"{more}; returns over it are false, so read prices that are adjusted, with a column "
        f"'{ADJUSTED_CLOSE}', or say --series.adjusted if it was no split",
    )


def _like_splits(series: Series) -> Flags:
    """Whether each bar but the first comes after a split, shape ``(T - 1,)``."""
    columns = series.columns
    close = np.log(columns["close"])
    opened = np.log(columns["open"]) if "open" in columns else close
    opened = np.where(np.isnan(opened), close, opened)
    with np.errstate(invalid="ignore"):
        change, overnight = np.diff(close), opened[1:] - close[:-1]
        ordinary = _ordinary(change)
        near = np.clip(3 * ordinary, _NEAREST, _NEAR)
        ratios = np.log(np.array(_RATIOS))
        distance = np.abs(np.abs(overnight)[:, None] - ratios).min(axis=1)
        candidates: Flags = (distance <= near) & (np.abs(overnight) > _OUTSTANDING * ordinary)
        candidates &= np.abs(change - overnight) <= np.maximum(_OUTSTANDING * ordinary, near)
    for position in map(int, np.flatnonzero(candidates)):
        fits = _volume_fits(columns, position, overnight[position])
        candidates[position] = fits and _stays(close, position)
    return candidates


def _ordinary(change: Floats) -> float:
    """The standard deviation of changes, from their median size, which splits do not move."""
    known = change[np.isfinite(change)]
    return float(np.median(np.abs(known))) * 1.4826 if len(known) else 0.0


def _stays(close: Floats, position: int) -> bool:
    """Whether closes before the change lie nearer to the old level, and those after it nearer to the new."""
    old, new = close[position], close[position + 1]
    before = close[max(0, position + 1 - _BESIDE) : position + 1]
    after = close[position + 1 : position + 1 + _BESIDE]
    near_old = abs(np.nanmedian(before) - old) < abs(np.nanmedian(before) - new)
    near_new = abs(np.nanmedian(after) - new) < abs(np.nanmedian(after) - old)
    return bool(near_old and near_new)


def _volume_fits(columns: Mapping[str, Floats], position: int, overnight: float) -> bool:
    """Whether volume moves against the price, or stays; True where it is not known."""
    if VOLUME not in columns:
        return True
    volume = columns[VOLUME]
    before = volume[max(0, position + 1 - _AROUND) : position + 1]
    after = volume[position + 1 : position + 1 + _AROUND]
    before, after = before[before > 0], after[after > 0]
    if not len(before) or not len(after):
        return True
    moved = float(np.log(np.median(after) / np.median(before)))
    return bool(moved * -np.sign(overnight) > -_QUIETER)


def _words(ratio: float) -> str:
    """``4-for-1`` of a price that falls to a quarter, ``1-for-4`` of one that rises fourfold."""
    nearest = min(_RATIOS, key=lambda one: abs(np.log(one) - abs(np.log(ratio))))
    high, low = (f"{nearest:g}", "1") if float(nearest).is_integer() else (f"{2 * nearest:g}", "2")
    return f"{high}-for-{low}" if ratio < 1 else f"{low}-for-{high}"
