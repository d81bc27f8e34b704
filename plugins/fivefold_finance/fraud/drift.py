"""Drift: how far features and score have moved from a reference to what is judged.

The population stability index (Siddiqi 2006, as used in credit scoring) bins the reference at its own deciles and
compares the shares of the bins; the Kolmogorov-Smirnov distance is the largest gap of the two distributions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number

BINS = 10

SMALLEST_SHARE = 1e-4
"""An empty bin counts as this share, so that the index stays finite."""

SOME, STRONG = 0.1, 0.25
"""From here on a drift is called moderate, or strong (Siddiqi 2006)."""

LONGEST_IN_DAYS = 60
"""A longer time is told by week, a shorter one by day."""

FEWEST = 100
"""Periods with fewer transactions are left out: chance alone would move their index."""


@dataclass(frozen=True)
class Columns:
    """Features of two sets of transactions, in the same columns.

    Attributes:
        names: of the ``D`` columns.
        reference: of the training split, shape ``(N, D)``; nan where a value is missing.
        judged: of the split that is judged, shape ``(M, D)``.
    """

    names: tuple[str, ...]
    reference: NDArray[np.floating]
    judged: NDArray[np.floating]


@dataclass(frozen=True)
class Drift:
    """How far one column has moved."""

    name: str
    stability: float
    distance: float

    @property
    def word(self) -> str:
        """``little``, ``moderate`` or ``strong``, by the index."""
        return "strong" if self.stability >= STRONG else "moderate" if self.stability >= SOME else "little"


@dataclass(frozen=True)
class Bins:
    """Bins at the deciles of a reference, with the share of it that each holds; the last is of missing values.

    Attributes:
        edges: ascending, between the bins; a value at an edge is in the bin below it.
        shares: of the reference, shape ``(len(edges) + 2,)``.
    """

    edges: Values
    shares: Values

    @classmethod
    def of(cls, reference: Array, bins: int = BINS) -> Bins:
        """Bins of that many quantiles; fewer where values are often equal."""
        reference = np.asarray(reference, dtype=np.float64)
        there = reference[~np.isnan(reference)]
        edges: Values = np.empty(0)
        if len(there):
            edges = np.unique(np.quantile(there, np.arange(1, bins) / bins, method="inverted_cdf"))
        return cls(edges, _shares(edges, reference))

    def stability(self, values: Array) -> float:
        """Population stability index of ``values`` against the reference: 0 where the shares of bins are equal."""
        was = np.maximum(self.shares, SMALLEST_SHARE)
        now = np.maximum(_shares(self.edges, np.asarray(values, dtype=np.float64)), SMALLEST_SHARE)
        return float(((now - was) * np.log(now / was)).sum())


def _shares(edges: Values, values: Values) -> Values:
    place = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
    return np.bincount(place, minlength=len(edges) + 2) / len(values)


def kolmogorov_smirnov(reference: Array, values: Array) -> float:
    """Largest gap of the two empirical distributions, missing values aside; nan where one has no values."""
    first, second = (
        np.sort(np.asarray(part, dtype=np.float64)[~np.isnan(part)]) for part in (reference, values)
    )
    if not len(first) or not len(second):
        return float("nan")
    both = np.concatenate([first, second])
    below = [np.searchsorted(part, both, side="right") / len(part) for part in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def drifts(columns: Columns) -> list[Drift]:
    """Every column's drift, the strongest first."""
    found = [
        Drift(name, Bins.of(was).stability(now), kolmogorov_smirnov(was, now))
        for name, was, now in zip(columns.names, columns.reference.T, columns.judged.T, strict=True)
    ]
    return sorted(found, key=lambda one: -one.stability)


@dataclass(frozen=True)
class Periods:
    """Which day or week each transaction falls in.

    Attributes:
        name: ``day`` or ``week``.
        starts: of the periods that have enough transactions, datetime64[D], shape ``(P,)``.
        rows: of the transactions in each of these.
    """

    name: str
    starts: NDArray[np.datetime64]
    rows: tuple[NDArray[np.int64], ...]


def periods(times: NDArray[np.datetime64], fewest: int = FEWEST) -> Periods:
    """Days, or weeks (from Monday) where the times span more than 60 days.

    Args:
        times: of the transactions, at least one, shape ``(N,)``.
        fewest: transactions of a period; those with fewer are left out.
    """
    days = times.astype("datetime64[D]")
    name = "day" if (days.max() - days.min()).astype(int) < LONGEST_IN_DAYS else "week"
    # Day 0 is Thursday, 1 January 1970; day 4 is a Monday.
    starts = days if name == "day" else days - (days.astype(np.int64) - 4) % 7
    order = np.argsort(starts, kind="stable")
    found, first = np.unique(starts[order], return_index=True)
    rows = np.split(order, first[1:])
    kept = [place for place, one in enumerate(rows) if len(one) >= fewest]
    return Periods(name, found[kept], tuple(rows[place] for place in kept))


def over_time(reference: Array, values: Array, when: Periods) -> Values:
    """Population stability index of each period's values against the reference, shape ``(P,)``."""
    bins = Bins.of(reference)
    return np.array([bins.stability(values[rows]) for rows in when.rows], dtype=np.float64)


def drift_sentence(found: Sequence[Drift]) -> str:
    """Names the strongest of the drifts, which are in order of strength."""
    first = found[0]
    told = f"{first.name} has moved most: population stability index {number(first.stability)}, {first.word} drift"
    several = sum(one.stability >= SOME for one in found)
    if not several:
        return f"{told}. No feature's index reaches {SOME:g}, from which on a drift is called moderate."
    return (
        f"{told}. {several} of {len(found)} features reach {SOME:g} (moderate), of which "
        f"{sum(one.stability >= STRONG for one in found)} reach {STRONG:g} (strong)."
    )
