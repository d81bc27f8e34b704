"""Split conformal prediction: how far intervals must reach to cover a share of what is to come.

Vovk, Gammerman and Shafer 2005; Lei et al. 2018, JASA 113, "Distribution-free predictive inference for regression";
of quantile forecasts Romano, Patterson and Candes 2019, arXiv:1905.03222.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def conformal_margin(scores: NDArray[np.floating], level: float) -> NDArray[np.float64]:
    """The ``ceil((n + 1) level)``-th smallest of ``n`` scores, along the first dimension.

    A further score that is exchangeable with them lies at or below it with a chance of at least ``level``.

    Args:
        scores: how far the truth lay outside (below 0: inside), ``(n, ...)``, at least one.
        level: share to cover.

    Returns:
        ``(...)``; infinite where ``n`` is too small for any finite margin to hold the promise.
    """
    # A product such as 10 * 0.9 may lie a rounding above the whole number that it is.
    rank = math.ceil((len(scores) + 1) * level - 1e-9)
    if rank > len(scores):
        return np.full(scores.shape[1:], np.inf)
    margin: NDArray[np.float64] = np.partition(np.asarray(scores, np.float64), rank - 1, axis=0)[rank - 1]
    return margin


def outside(
    target: NDArray[np.floating], lower: NDArray[np.floating], upper: NDArray[np.floating]
) -> NDArray[np.float64]:
    """How far each target lies outside its interval; below 0, how far inside. All of like shape."""
    truth = np.asarray(target, np.float64)
    beyond: NDArray[np.float64] = np.maximum(lower - truth, truth - upper)
    return beyond
