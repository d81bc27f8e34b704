"""Whether the mean of a series of values is zero, where neighbouring values depend on each other.

Values that rest on forecasts of ``H`` steps share up to ``H - 1`` of these steps with their neighbours, and are
correlated over as many lags even where the forecasts are the best possible. The variance of their mean is therefore
heteroskedasticity- and autocorrelation-consistent: the sum of all autocovariances up to lag ``H - 1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from scipy import stats

from fivefold.data.table import Array
from fivefold.evaluation.metric import Values

ROUNDING = 1e-12
"""Values whose spread is below this share of their size do not vary: what is left is rounding."""


@dataclass(frozen=True)
class MeanTest:
    """A test of the hypothesis that a mean is zero.

    Attributes:
        mean: of the values; nan without any.
        statistic: Student t; nan where it cannot be told.
        p_value: two-sided; nan where it cannot be told.
        count: values.
        lags: autocovariances that the variance takes in, beside the variance of the values itself.
        bartlett: whether these had to be weighted, as their plain sum was not positive.
    """

    mean: float
    statistic: float
    p_value: float
    count: int
    lags: int
    bartlett: bool


def mean_test(values: Array, horizon: int) -> MeanTest:
    """Test the mean of values in order of time, by Student's t with the correction for small samples.

    The correction is Harvey, Leybourne and Newbold's (1997): the statistic shrinks by a factor that makes the
    variance unbiased to first order, and is compared with the t distribution of ``count - 1`` degrees of freedom. A
    mean of exactly zero without any variance has p = 1; another mean without variance, and fewer values than
    ``horizon + 1`` (whose corrected variance is zero), have no p-value.

    Args:
        values: in order of time, shape ``(T,)``.
        horizon: steps that each of them looks ahead, one or more; ``horizon - 1`` is the number of lags.
    """
    values = np.asarray(values, dtype=np.float64)
    count, lags = len(values), horizon - 1
    mean = float(values.mean()) if count else nan
    if count > 1 and not values.any():
        return MeanTest(0.0, 0.0, 1.0, count, lags, bartlett=False)
    if count <= horizon:
        return MeanTest(mean, nan, nan, count, lags, bartlett=False)
    variance, bartlett = long_run_variance(values, lags)
    if variance <= 0:
        return MeanTest(mean, nan, nan, count, lags, bartlett=bartlett)
    shrinkage = sqrt((count - horizon) * (count - horizon + 1)) / count
    statistic = shrinkage * mean / sqrt(variance / count)
    p_value = float(2 * stats.t.sf(abs(statistic), count - 1))
    return MeanTest(mean, statistic, p_value, count, lags, bartlett=bartlett)


def long_run_variance(values: Values, lags: int) -> tuple[float, bool]:
    """Variance of a series' mean times its length, from autocovariances up to ``lags``.

    They are summed with equal weights, as Diebold and Mariano (1995) do. Such a sum may come out zero or below: then
    lag ``k`` gets Bartlett's weight ``1 - k / (lags + 1)`` (Newey and West 1987), with which it never is below zero.

    Args:
        values: in order, shape ``(T,)``.
        lags: below ``T``.

    Returns:
        The variance, zero where the values do not vary, and whether Bartlett's weights were needed.
    """
    centred = values - values.mean()
    if np.abs(centred).max() <= ROUNDING * np.abs(values).max():
        return 0.0, False
    count = len(values)
    covariances = np.array([centred[lag:] @ centred[: count - lag] for lag in range(lags + 1)]) / count
    plain = float(covariances[0] + 2 * covariances[1:].sum())
    if plain > ROUNDING * covariances[0]:
        return plain, False
    weights = 1 - np.arange(1, lags + 1) / (lags + 1)
    return max(float(covariances[0] + 2 * (weights @ covariances[1:])), 0.0), True
