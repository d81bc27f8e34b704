"""Drift: how far features and score have moved from a reference to what is judged.

The population stability index (Siddiqi 2006, as used in credit scoring) bins the reference at its own deciles and
compares the shares of the bins, of categories those of their names; the Kolmogorov-Smirnov distance is the largest gap
of the two distributions of numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number
from fivefold_finance.transactions.schema import Texts

BINS = 10

SMALLEST_SHARE = 1e-4
"""An empty bin counts as this share, so that the index stays finite."""

LEAST_NAME = 0.01
"""A name that less than this share of the reference has counts among the others: chance alone would move its share."""

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
        names: of the ``D`` columns of numbers.
        reference: of the training split, shape ``(N, D)``; nan where a value is missing.
        judged: of the split that is judged, shape ``(M, D)``.
        categories: column to the names in the reference, ``(N,)``, and in what is judged, ``(M,)``; None where missing.
    """

    names: tuple[str, ...]
    reference: NDArray[np.floating]
    judged: NDArray[np.floating]
    categories: Mapping[str, tuple[Texts, Texts]] = field(default_factory=dict)

    @property
    def pairs(self) -> dict[str, tuple[Array, Array]]:
        """Column, of numbers or names, to the reference and what is judged."""
        numbers = zip(self.names, self.reference.T, self.judged.T, strict=True)
        return {name: (was, now) for name, was, now in numbers} | dict(self.categories)


@dataclass(frozen=True)
class Drift:
    """How far one column has moved; the distance is nan of categories, whose names have no order."""

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
        return _stability(self.shares, _shares(self.edges, np.asarray(values, dtype=np.float64)))


@dataclass(frozen=True)
class Names:
    """The names of a category as bins, with the share of the reference that each holds.

    Attributes:
        codes: name to its bin; None is the name of missing cells, the first bin that of all others.
        shares: of the reference, shape ``(len(codes) + 1,)``.
    """

    codes: Mapping[str | None, int]
    shares: Values

    @classmethod
    def of(cls, reference: Texts) -> Names:
        """A bin for each name that is often enough in ``reference``, and for missing cells."""
        counts = Counter(reference.tolist())
        counts.setdefault(None, 0)
        often = [
            name for name, count in counts.items() if name is None or count >= LEAST_NAME * len(reference)
        ]
        codes = {name: place for place, name in enumerate(often, start=1)}
        return cls(codes, _name_shares(codes, reference))

    def stability(self, values: Texts) -> float:
        """Population stability index of ``values`` against the reference."""
        return _stability(self.shares, _name_shares(self.codes, values))


def bins_of(reference: Array) -> Bins | Names:
    """The bins of numbers, or of names."""
    return Names.of(reference) if reference.dtype == object else Bins.of(reference)


def _stability(was: Values, now: Values) -> float:
    was, now = np.maximum(was, SMALLEST_SHARE), np.maximum(now, SMALLEST_SHARE)
    return float(((now - was) * np.log(now / was)).sum())


def _name_shares(codes: Mapping[str | None, int], values: Texts) -> Values:
    found = np.array([codes.get(name, 0) for name in values.tolist()], dtype=np.int64)
    return np.bincount(found, minlength=len(codes) + 1) / len(values)


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
        Drift(
            name,
            bins_of(was).stability(now),
            float("nan") if name in columns.categories else kolmogorov_smirnov(was, now),
        )
        for name, (was, now) in columns.pairs.items()
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
    bins = bins_of(reference)
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
