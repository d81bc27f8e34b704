"""Calibration: a temperature fitted on validation logits, and the bins of a reliability diagram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from fivefold.data.table import Array
from fivefold.evaluation.classification_metrics import BINS, confidence_bins, correct

LIMIT = 20.0
"""Temperatures are looked for between 1 / LIMIT and LIMIT."""

BOUND_TOLERANCE = 1e-2
"""A logarithm of the temperature this near to its bound is at it."""

SPREAD = float(np.log(1.5))
"""Standard deviation of the logarithm of temperatures, before data have a say: 1.5 and 2/3 are one such step from 1.

A temperature of 1/20 then has to be 27 nats more likely than 1, which is what some hundred samples can bear out and a
few that are all told right cannot.
"""


def fit_temperature(logits: Array, target: Array) -> float:
    """The most probable temperature (Guo et al. 2017), given the labels and a weak prior, by a bounded search.

    Labels that the logits tell without a mistake are the more probable the lower the temperature, without an end: a
    perfect validation split would make every probability 0 or 1, and the first mistake on new samples infinitely
    surprising. So the logarithm of the temperature has a normal prior around 0 (maximum a posteriori: Bishop 2006,
    section 3.3; Platt 1999 smooths the labels to the same end). Some mistakes that the network was sure of soon
    outweigh it.

    Args:
        logits: shape ``(N, C)``.
        target: codes, shape ``(N,)``; negative ones are passed over.

    Returns:
        What logits are to be divided by; 1.0 where there is nothing to fit.
    """
    labelled = target >= 0
    logits = np.asarray(logits, dtype=np.float64)[labelled]
    if not len(logits):
        return 1.0
    true = np.take_along_axis(logits, target[labelled][:, None], axis=1)[:, 0]

    def surprise(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float((special.logsumexp(logits * scale, axis=1) - true * scale).sum()) + penalty(
            log_temperature
        )

    bound = float(np.log(LIMIT))
    found = optimize.minimize_scalar(
        surprise, bounds=(-bound, bound), method="bounded", options={"xatol": 1e-5}
    )
    return float(np.exp(found.x)) if found.fun < surprise(0.0) else 1.0


def penalty(log_temperature: float) -> float:
    """Negative logarithm of the prior of a temperature, up to a constant, in nats."""
    return (log_temperature / SPREAD) ** 2 / 2


def at_bound(temperature: float) -> bool:
    """Whether the search for the temperature ended where it is bounded, and not where it is best."""
    return bool(abs(np.log(temperature)) > np.log(LIMIT) - BOUND_TOLERANCE)


def softmax(logits: Array, temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities of logits divided by a temperature, shape ``(N, C)``."""
    return np.asarray(special.softmax(np.asarray(logits, dtype=np.float64) / temperature, axis=1))


@dataclass(frozen=True)
class Reliability:
    """Bins of a reliability diagram; nan where a bin is empty.

    Attributes:
        confidence: mean confidence, shape ``(bins,)``.
        accuracy: share of hits, shape ``(bins,)``.
        count: samples, shape ``(bins,)``.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: the gap of confidence and accuracy, averaged over samples."""
        gap = np.abs(self.confidence - self.accuracy)
        return float(np.nansum(gap * self.count) / self.count.sum())


def reliability(outputs: Mapping[str, Array], bins: int = BINS) -> Reliability:
    """Confidence against accuracy in equal-width bins of confidence."""
    confidence = outputs["probabilities"].max(axis=1).astype(np.float64)
    where = confidence_bins(confidence, bins)
    count = np.bincount(where, minlength=bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            np.bincount(where, weights=confidence, minlength=bins) / count,
            np.bincount(where, weights=correct(outputs), minlength=bins) / count,
            count,
        )
