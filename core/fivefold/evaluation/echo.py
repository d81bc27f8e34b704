"""Whether a forecast of the next step is merely the last value seen, put off by a step.

Drawn over the outcomes, such an echo looks excellent: a series that moves slowly is always near its last value. Its
correlation with earlier values gives it away: it is largest with the last value (lag 1), not with the value that was
to be foretold (lag 0), and the changes that it foretells have nothing to do with those that come.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import atanh, nan, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.metric import Values

FURTHER = 3
"""Lags looked at beyond the horizon."""

FEWEST = 10
"""Pairs below which no correlation is told."""

LIKENESS = 0.5
"""Correlation with the last value from which a forecast may be called its repetition."""

MARGIN = 0.1
"""By how much lag 1 must exceed lag 0, on Fisher's scale (the inverse hyperbolic tangent), to speak of an echo."""

ONE_SIDED = 1.6449
"""Standard errors that a positive correlation must exceed to be told from none at 5 %."""

REPEATS = "the forecast repeats the last value seen"

Answer = Literal["yes", "no", "not told"]


@dataclass(frozen=True)
class Echo:
    """Correlations of one target's next-step forecast.

    Attributes:
        target: its name.
        correlations: with the value that was to be foretold (lag 0), the last value seen (lag 1), the one before it
            and so on, within series, shape ``(H + 4,)``; nan where it is not defined.
        change: correlation of forecast with actual changes since the last value seen; of returns, which are changes,
            the same as lag 0.
        times: different times that these rest on.
        repeats: whether it is an echo.
    """

    target: str
    correlations: Values
    change: float
    times: int
    repeats: Answer

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        if self.repeats == "not told":
            return (
                f"{self.target}: whether the forecast repeats the last value seen is not told, as there are too few "
                "forecasts, or the forecast, the last value or the outcome never varies."
            )
        ahead, behind = self.correlations[:2]
        numbers = (
            f"its correlation is {behind:.3f} with the last value and {ahead:.3f} with the value to foretell, and the "
            f"changes it foretells {_with_outcomes(self.change)}"
        )
        if self.repeats == "yes":
            return f"{self.target}: {REPEATS}: {numbers}."
        return f"{self.target}: no sign that the forecast merely repeats the last value seen: {numbers}."


def _with_outcomes(change: float) -> str:
    if np.isnan(change):
        return "never vary"
    return f"correlate {change:.3f} with those that came"


def echoes(forecasts: Forecasts) -> list[Echo]:
    """One for each target."""
    return [_echo(forecasts, column) for column in range(len(forecasts.targets))]


def _echo(forecasts: Forecasts, column: int) -> Echo:
    outputs = forecasts.outputs
    forecast, target = (
        np.asarray(outputs[name][:, 0, column], np.float64) for name in ("prediction", "target")
    )
    last = np.asarray(outputs["last"][:, column], np.float64)
    groups = np.unique(forecasts.series, return_inverse=True)[1].reshape(-1)
    earlier = _earlier(forecasts, target, last)
    correlations = np.array([correlation(forecast, values, groups) for values in earlier])
    change = correlations[0]
    if forecasts.level == "levels":
        change = correlation(forecast - last, target - last, groups)
    times = len(np.unique(forecasts.times))
    return Echo(
        forecasts.targets[column], correlations, float(change), times, _repeats(correlations, change, times)
    )


def _earlier(forecasts: Forecasts, target: Values, last: Values) -> list[Values]:
    """What was to be foretold, and the values 1, 2, ... steps before it; nan where the samples do not say.

    A sample states its last value only; the one before it is the last value of the sample one step earlier. It is
    known to be one step earlier if its target is this sample's last value.
    """
    earlier = [np.full(len(target), nan) for _ in range(forecasts.horizon + FURTHER + 1)]
    earlier[0], earlier[1] = target, last
    for places in forecasts.by_series.values():
        before, after = places[:-1], places[1:]
        follows = np.isclose(target[before], last[after], rtol=1e-6, atol=0)
        for shorter, longer in pairwise(earlier[1:]):
            longer[after] = np.where(follows, shorter[before], nan)
    return earlier


def correlation(first: Values, second: Values, groups: NDArray[np.int64]) -> float:
    """Pearson's correlation within groups, of the pairs that are known.

    Each group's mean is taken off first, so that groups of different size feign no likeness.

    Returns:
        The correlation; nan for fewer than `FEWEST` pairs, or where a side does not vary.
    """
    known = ~(np.isnan(first) | np.isnan(second))
    if known.sum() < FEWEST:
        return nan
    of = groups[known]
    first, second = _centred(first[known], of), _centred(second[known], of)
    spread = sqrt(float(first @ first) * float(second @ second))
    return float(np.clip(first @ second / spread, -1, 1)) if spread else nan


def _centred(values: Values, groups: Array) -> Values:
    # Means of values that are all alike round: shifted to one of the group's own values, such a group is exactly zero.
    counts = np.bincount(groups)
    own = np.zeros(len(counts))
    own[groups] = values
    shifted = values - own[groups]
    means = np.bincount(groups, weights=shifted) / np.maximum(counts, 1)
    return np.asarray(shifted - means[groups])


def _repeats(correlations: Values, change: float, times: int) -> Answer:
    ahead, behind = (float(value) for value in correlations[:2])
    if np.isnan(ahead) or np.isnan(behind):
        return "not told"
    nearer = behind >= LIKENESS and _fisher(behind) > _fisher(ahead) + MARGIN
    skilled = not np.isnan(change) and _fisher(change) * sqrt(max(times - 3, 0)) > ONE_SIDED
    return "yes" if nearer and not skilled else "no"


def _fisher(value: float) -> float:
    return atanh(float(np.clip(value, -1 + 1e-15, 1 - 1e-15)))
