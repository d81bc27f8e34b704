"""An operating point: the threshold at which a score says yes, and what follows from it.

A score at the threshold or above it is a yes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.metric import Values


@dataclass(frozen=True)
class OperatingPoint:
    """Samples by prediction and truth at one threshold, as sums of their weights.

    Attributes:
        true_positive: said yes, is yes.
        false_positive: said yes, is no.
        false_negative: said no, is yes.
        true_negative: said no, is no.
    """

    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float

    @property
    def sensitivity(self) -> float:
        """Share of the yeses that are found; nan where there is none."""
        return _share(self.true_positive, self.false_negative)

    @property
    def specificity(self) -> float:
        """Share of the noes that are let be; nan where there is none."""
        return _share(self.true_negative, self.false_positive)

    @property
    def ppv(self) -> float:
        """Positive predictive value: share of predictions of yes that are right; nan where there is none."""
        return _share(self.true_positive, self.false_positive)

    @property
    def npv(self) -> float:
        """Negative predictive value: share of predictions of no that are right; nan where there is none."""
        return _share(self.true_negative, self.false_negative)


def threshold_at_specificity(scores: Array, truth: Array, specificity: float) -> float:
    """The smallest threshold that has at least ``specificity`` on these samples.

    Thresholds are looked for among the known samples' scores, as those in between decide alike. Where none of them
    does, because a no has the highest score, it is the next number above that score, in the scores' own precision,
    and so always finite.

    Args:
        scores: shape ``(N,)``, finite.
        truth: 1 is yes, 0 is no, nan is not known and takes no part, shape ``(N,)``.
        specificity: from 0 to 1.

    Raises:
        DataError: no known sample is a no, and so no threshold has a specificity.
    """
    scores = np.asarray(scores)
    noes = np.sort(scores[truth == 0])
    if not len(noes):
        raise DataError(
            f"a threshold of specificity {specificity:g}: expected samples whose answer is no, found none among "
            f"{len(truth)}; give some"
        )
    candidates = np.unique(scores[~np.isnan(truth)])
    candidates = np.append(candidates, np.nextafter(candidates[-1], np.asarray(np.inf, candidates.dtype)))
    let_be = np.searchsorted(noes, candidates) / len(noes)
    return float(candidates[np.argmax(let_be >= specificity)])


def operating_point(
    scores: Array, truth: Array, threshold: float, weights: Values | None = None
) -> OperatingPoint:
    """What follows from saying yes where ``scores`` reach ``threshold``.

    Args:
        scores: shape ``(N,)``.
        truth: 1 is yes, 0 is no, nan is not known and takes no part, shape ``(N,)``.
        threshold: as `threshold_at_specificity` gives it.
        weights: shape ``(N,)``; None for one each.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    return OperatingPoint(*(float(cell) for cell in _cells(scores, truth, threshold, weights)))


def operating_values(scores: Array, truth: Array, threshold: float, weights: Values) -> dict[str, Values]:
    """The shares of an operating point for many weightings; nan where a share has nothing to divide by.

    Args:
        scores: shape ``(N,)``.
        truth: as in `operating_point`, shape ``(N,)``.
        threshold: the same for all, as one fixed on other samples is.
        weights: shape ``(R, N)``.

    Returns:
        ``sensitivity``, ``specificity``, ``ppv`` and ``npv``, each of shape ``(R,)``.
    """
    true_positive, false_positive, false_negative, true_negative = _cells(scores, truth, threshold, weights)
    with np.errstate(invalid="ignore"):
        return {
            "sensitivity": true_positive / (true_positive + false_negative),
            "specificity": true_negative / (true_negative + false_positive),
            "ppv": true_positive / (true_positive + false_positive),
            "npv": true_negative / (true_negative + false_negative),
        }


def _cells(scores: Array, truth: Array, threshold: float, weights: Values) -> Values:
    """Sums of weights ``(..., N)`` by cell, shape ``(4, ...)``, in the order of `OperatingPoint`."""
    # In float64, as a threshold between two float32 numbers must not be rounded to one of them.
    said = np.asarray(scores, dtype=np.float64) >= threshold
    yes, no = truth == 1, truth == 0
    cells = np.stack([said & yes, said & no, ~said & yes, ~said & no])
    return np.moveaxis(weights @ cells.T.astype(np.float64), -1, 0)


def _share(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest else float("nan")
