"""Bins of reliability diagrams: samples with like probabilities of yes, and how many of them are a yes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.bootstrap import Resampled, share_interval
from fivefold.evaluation.classification_metrics import sums_by_place
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.metric import Values
from fivefold.evaluation.question_intervals import unit_count

BINS = 10
"""Bins of the reliability diagram, each with as many samples as equal probabilities allow."""


@dataclass(frozen=True)
class Binning:
    """Which samples of one question are in which bin.

    Attributes:
        known: rows of the samples whose answer is known, shape ``(M,)``.
        place: bin of each of them, shape ``(M,)``.
        yes: whether the answer of each is yes, shape ``(M,)``.
        predicted: mean probability of each bin, shape ``(B,)``.
        count: samples of each bin, shape ``(B,)``.
    """

    known: NDArray[np.int64]
    place: NDArray[np.int64]
    yes: NDArray[np.bool_]
    predicted: Values
    count: NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """Bins of one question's reliability diagram.

    Attributes:
        predicted: mean probability, shape ``(B,)``.
        observed: share of yes with its interval, one a bin.
        count: samples, shape ``(B,)``.
    """

    predicted: Values
    observed: list[Estimate]
    count: NDArray[np.int64]

    @property
    def largest_gap(self) -> float:
        """Of mean probability and share of yes, over the bins."""
        return float(np.abs(self.predicted - [estimate.value for estimate in self.observed]).max())

    def facts(self) -> list[dict[str, float]]:
        """One record a bin, for ``report.json``."""
        columns = zip(self.predicted.tolist(), self.observed, self.count.tolist(), strict=True)
        return [
            {
                "predicted": predicted,
                "observed": observed.value,
                "low": observed.low,
                "high": observed.high,
                "count": count,
            }
            for predicted, observed, count in columns
        ]


def equal_bins(probabilities: Array, truth: Array) -> Binning:
    """The known samples of one question in `BINS` bins of equal count; equal probabilities share a bin.

    Args:
        probabilities: of yes, shape ``(N,)``.
        truth: 1 is yes, 0 is no, nan is not known, shape ``(N,)``; one at least is known.
    """
    known = np.flatnonzero(~np.isnan(truth))
    scores = np.asarray(probabilities, dtype=np.float64)[known]
    # Each edge is a score that occurs and begins a bin, and the lowest score is below all of them: no bin is empty.
    edges = np.unique(np.quantile(scores, np.arange(1, BINS) / BINS, method="higher"))
    place = np.searchsorted(edges[edges > scores.min()], scores, side="right")
    count = np.bincount(place)
    return Binning(known, place, truth[known] == 1, np.bincount(place, weights=scores) / count, count)


def bin_shares(binning: Binning, weights: Values) -> Values:
    """Share of yes in each bin, shape ``(R, B)``, for weights of shape ``(R, N)``; nan where a bin has no weight."""
    here = np.ascontiguousarray(weights[:, binning.known].T)
    bins = len(binning.count)
    with np.errstate(invalid="ignore"):
        yes = sums_by_place(binning.place[binning.yes], here[binning.yes], bins)
        shares: Values = (yes / sums_by_place(binning.place, here, bins)).T
    return shares


def bin_estimates(evaluation: Evaluation, binning: Binning, shares: Sequence[Resampled]) -> Bins:
    """The bins with the interval of each share of yes.

    Args:
        evaluation: says of which level, and of which independent units.
        binning: as `equal_bins` gives it.
        shares: resampled `bin_shares`, one a bin.
    """
    observed = []
    for place, share in enumerate(shares):
        members = np.zeros(len(evaluation.ids), dtype=bool)
        members[binning.known[binning.place == place]] = True
        observed.append(share_interval(share, evaluation.level, unit_count(evaluation, members)))
    return Bins(binning.predicted, observed, binning.count)
