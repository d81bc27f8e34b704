"""The information coefficient: how well forecasts rank series that are forecast at the same time.

It is Spearman's rank correlation of forecast with actual changes across series, time by time; its mean over time is
tested with the variance that overlapping horizons need (`fivefold.evaluation.mean_test`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fivefold.data.table import Array
from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.mean_test import MeanTest, mean_test
from fivefold.evaluation.metric import Values

FEWEST_SERIES = 5
"""Series that a time must share for their ranking to say something."""


@dataclass(frozen=True)
class InformationCoefficient:
    """Rank correlations of one target over time.

    Attributes:
        times: at which at least `FEWEST_SERIES` series were forecast and neither forecasts nor outcomes were all
            alike, in nanoseconds, shape ``(T,)``.
        values: rank correlation at each of them, shape ``(T,)``.
        test: of their mean.
        left_out: times with enough series whose forecasts or outcomes were all alike.
    """

    times: NDArray[np.int64]
    values: Values
    test: MeanTest
    left_out: int


def information_coefficients(forecasts: Forecasts) -> list[InformationCoefficient]:
    """One for each target; none where no time is shared by enough series.

    Changes are those over the whole horizon. Of levels they are relative to the last value seen, so that series of
    different size compare; a series whose last value is zero has none, and takes no part at that time.
    """
    shared = [(time, places) for time, places in forecasts.at_times() if len(places) >= FEWEST_SERIES]
    if not shared:
        return []
    forecast, actual = forecasts.moves()
    if forecasts.level == "levels":
        size = np.abs(np.asarray(forecasts.outputs["last"], dtype=np.float64))
        size[size == 0] = np.nan
        forecast, actual = forecast / size, actual / size
    found = []
    for column in range(len(forecasts.targets)):
        ranked = {
            time: rank_correlation(forecast[places, column], actual[places, column])
            for time, places in shared
        }
        defined = {time: value for time, value in ranked.items() if not np.isnan(value)}
        values = np.array(list(defined.values()), dtype=np.float64)
        found.append(
            InformationCoefficient(
                times=np.array(list(defined), dtype=np.int64),
                values=values,
                test=mean_test(values, forecasts.horizon),
                left_out=len(ranked) - len(defined),
            )
        )
    return found


def rank_correlation(forecast: Array, actual: Array) -> float:
    """Spearman's correlation of the pairs that are defined; nan for too few, or where a side is all alike."""
    defined = ~(np.isnan(forecast) | np.isnan(actual))
    first, second = forecast[defined], actual[defined]
    if len(first) < FEWEST_SERIES or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(stats.rankdata(first), stats.rankdata(second))[0, 1])
