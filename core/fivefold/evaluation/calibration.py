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


def fit_temperature(logits: Array, target: Array) -> float:
    """The temperature that makes the labels most probable (Guo et al. 2017), by a bounded search.

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

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float((special.logsumexp(logits * scale, axis=1) - true * scale).mean())

    bound = float(np.log(LIMIT))
    found = optimize.minimize_scalar(loss, bounds=(-bound, bound), method="bounded", options={"xatol": 1e-5})
    # Perfectly separated labels push the search to its bound, and a model is never made worse than it was.
    return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0


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
