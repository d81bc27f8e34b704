"""Metrics of regression, from ``prediction`` and ``target``, both ``(N, K)`` or ``(N,)``, in like units."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.metric import Metric, Values

Outputs = Mapping[str, Array]


def regression_metrics() -> tuple[Metric, ...]:
    """Mean absolute error (the headline), root mean squared error and R squared."""
    return (
        Metric.from_mean("MAE", absolute_error, higher_is_better=False, headline=True),
        Metric.from_sums(
            "RMSE",
            lambda outputs: squared_error(outputs)[:, None],
            lambda sums, totals: np.sqrt(sums[:, 0] / totals),
            higher_is_better=False,
            headline=True,
        ),
        Metric.from_sums("R2", _moments, _r_squared),
    )


def absolute_error(outputs: Outputs) -> Array:
    """Mean absolute error of each sample over its ``K`` targets, shape ``(N,)``."""
    prediction, target = _pair(outputs)
    return np.asarray(np.abs(prediction - target).mean(axis=1))


def squared_error(outputs: Outputs) -> Array:
    """Mean squared error of each sample over its ``K`` targets, shape ``(N,)``."""
    prediction, target = _pair(outputs)
    return np.asarray(((prediction - target) ** 2).mean(axis=1))


def _pair(outputs: Outputs) -> tuple[Values, Values]:
    """Prediction and target as float64 of shape ``(N, K)``."""
    target = np.asarray(outputs["target"], dtype=np.float64)
    target = target.reshape(len(target), -1)
    prediction = np.asarray(outputs["prediction"], dtype=np.float64).reshape(len(target), -1)
    return np.broadcast_to(prediction, target.shape), target


def _moments(outputs: Outputs) -> Values:
    """Squared error, target and squared target of each of the ``K`` targets, shape ``(N, 3 K)``."""
    prediction, target = _pair(outputs)
    # Shifting by a constant changes no variance, and keeps squares of large values from drowning it.
    centred = target - target.mean(axis=0)
    return np.concatenate([(prediction - target) ** 2, centred, centred**2], axis=1)


def _r_squared(sums: Values, totals: Values) -> Values:
    """One minus residual over total sum of squares, mean over targets; nan where a target never varies."""
    residual, first, second = np.split(sums, 3, axis=1)
    spread = second - first**2 / totals[:, None]
    # Rounding leaves a constant target a spread just off zero: not a variance to divide by.
    spread = np.where(spread > 1e-12 * second, spread, np.nan)
    return np.asarray((1 - residual / spread).mean(axis=1))
