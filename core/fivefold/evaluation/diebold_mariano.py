"""Equal accuracy of two forecasts of the same outcomes (Diebold and Mariano 1995).

The test asks whether the mean difference of their losses is zero. It makes no assumption on the losses; the
differences may be correlated over time as far as forecasts overlap. Harvey, Leybourne and Newbold's (1997)
correction for small samples is applied (see `fivefold.evaluation.mean_test`).
"""

from __future__ import annotations

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.mean_test import MeanTest, mean_test
from fivefold.evaluation.metric import Values

NAME = "Diebold-Mariano"


def diebold_mariano(losses: Array, reference: Array, times: Array, horizon: int) -> MeanTest:
    """Test whether two forecasts of the same samples have the same expected loss.

    Samples of one time (several series) are no independent evidence: their losses are averaged first.

    Args:
        losses: of each sample, shape ``(N,)``.
        reference: losses of the reference's forecasts of the same samples, shape ``(N,)``.
        times: when each forecast was made, comparable, shape ``(N,)``; any order.
        horizon: steps ahead that the forecasts reach.

    Returns:
        The test; its statistic is negative where the losses are smaller than the reference's.
    """
    difference = np.asarray(losses, dtype=np.float64) - np.asarray(reference, dtype=np.float64)
    return mean_test(by_time(difference, times), horizon)


def by_time(values: Array, times: Array) -> Values:
    """Means over the samples of each time, in order of time, shape ``(T,)``."""
    place = np.unique(times, return_inverse=True)[1].reshape(-1)
    return np.asarray(np.bincount(place, weights=values) / np.bincount(place), dtype=np.float64)


def in_words(test: MeanTest) -> str:
    """What was tested on how much, and what was found, up to the p-value.

    Returns:
        A sentence with its full stop.
    """
    found = (
        f"the mean difference of the losses is {test.mean:+.4g} over {test.count} times of forecasts, with a variance "
        f"from {test.lags} lag{'' if test.lags == 1 else 's'}"
    )
    if test.bartlett:
        found += " (Bartlett's weights, as the plain sum of autocovariances is not positive)"
    if np.isnan(test.p_value):
        if test.count <= test.lags + 1:
            found += f"; a test needs more than {test.lags + 1} times, so nothing can be concluded"
        else:
            found += "; the differences do not vary, so nothing can be concluded"
    else:
        found += f"; Student t is {test.statistic:+.2f} with {test.count - 1} degrees of freedom"
    return f"{found}."
