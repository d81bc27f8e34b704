"""Metrics of forecasts of several steps and targets.

Outputs read: ``prediction`` and ``target`` of shape ``(N, H, K)`` in the data's units; ``last`` and ``naive_error`` of
shape ``(N, K)``; where there are any, ``lower`` and ``upper`` of shape ``(N, H, K)`` (nan where there is no bound) and
``quantiles`` of shape ``(N, H, K, Q)``. ``N`` samples (origins of forecasts), ``H`` steps ahead, ``K`` targets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.metric import Metric, Values

Outputs = Mapping[str, Array]
Loss = Callable[[Outputs, Array], Values]
Level = Literal["levels", "returns"]


def forecast_metrics(
    scale: Array, level: Level, quantiles: Sequence[float], interval: float
) -> tuple[Metric, ...]:
    """MSE (the headline) and MAE on scaled values, MASE, pinball loss, coverage and width, and directions.

    MSE and MAE are those that papers on long-term forecasting publish: of values divided by the standard deviation
    of their target in the training split, averaged over steps and targets. Of a single target there is also the MAE
    in its own unit.

    Args:
        scale: standard deviation of each target in the training split, in the data's units, shape ``(K,)``.
        level: whether the targets are levels, whose direction is that of the change since the last value seen, or
            returns (changes already).
        quantiles: of the output ``quantiles``, in its order, each within 0 and 1; empty where there are none.
        interval: nominal coverage of ``lower`` to ``upper``.
    """
    pinball = [_pinball(scale, quantiles)] if quantiles else []
    return (
        *(
            Metric.from_mean(name, _loss(loss, scale), higher_is_better=False, headline=True)
            for name, loss in LOSSES.items()
        ),
        *([Metric.from_mean(OWN_UNITS, _own_error, higher_is_better=False)] if len(scale) == 1 else []),
        Metric.from_sums("MASE", _scaled_errors, _ratio, higher_is_better=False),
        *pinball,
        Metric.from_mean(
            coverage_name(interval),
            _covered,
            higher_is_better=None,
            style="percent",
            share=True,
        ),
        Metric.from_mean("interval width", lambda outputs: _width(outputs, scale), higher_is_better=None),
        Metric.from_sums(
            "directional accuracy", lambda outputs: _direction_sums(outputs, level), _ratio, style="percent"
        ),
    )


def coverage_name(interval: float) -> str:
    """What the metric is called that says how many outcomes lie within intervals that promise ``interval``."""
    return f"coverage of {100 * interval:g} % intervals"


def squared_error(outputs: Outputs, scale: Array) -> Values:
    """Mean squared error of each sample in scaled units, shape ``(N,)``."""
    return np.asarray((scaled_error(outputs, scale) ** 2).mean(axis=(1, 2)))


def absolute_error(outputs: Outputs, scale: Array) -> Values:
    """Mean absolute error of each sample in scaled units, shape ``(N,)``."""
    return np.asarray(np.abs(scaled_error(outputs, scale)).mean(axis=(1, 2)))


def scaled_error(outputs: Outputs, scale: Array) -> Values:
    """Forecast minus outcome over the targets' scales, shape ``(N, H, K)``."""
    return np.asarray(_error(outputs) / np.asarray(scale, dtype=np.float64))


LOSSES: dict[str, Loss] = {"MSE": squared_error, "MAE": absolute_error}
"""The metrics that are compared with the baselines, and the losses that they average."""


OWN_UNITS = "MAE in the target's unit"


def directions(outputs: Outputs, level: Level) -> tuple[Values, Values]:
    """Forecast and actual changes, whose signs are the directions, both ``(N, H, K)``.

    Of levels, they are changes since the last value seen; returns are changes by themselves.
    """
    prediction, target = (np.asarray(outputs[name], dtype=np.float64) for name in ("prediction", "target"))
    if level == "returns":
        return prediction, target
    last = np.asarray(outputs["last"], dtype=np.float64)[:, None]
    return prediction - last, target - last


def _own_error(outputs: Outputs) -> Values:
    return np.asarray(np.abs(_error(outputs)).mean(axis=(1, 2)))


def _error(outputs: Outputs) -> Values:
    prediction, target = (np.asarray(outputs[name], dtype=np.float64) for name in ("prediction", "target"))
    return prediction - target


def _loss(loss: Loss, scale: Array) -> Callable[[Outputs], Values]:
    return lambda outputs: loss(outputs, scale)


def _ratio(sums: Values, _totals: Values) -> Values:
    """First over second sum: a mean over what is defined; nan where nothing is."""
    return np.asarray(sums[:, 0] / sums[:, 1])


def _scaled_errors(outputs: Outputs) -> Values:
    """Sums of absolute scaled errors over targets, and how many of these have a scale, shape ``(N, 2)``.

    MASE (Hyndman and Koehler 2006) divides by the mean error of the naive forecast in the training data. A series
    that never changed there has none, and takes no part.
    """
    error = np.abs(_error(outputs)).mean(axis=1)
    naive = np.asarray(outputs["naive_error"], dtype=np.float64)
    defined = naive > 0
    scaled = np.divide(error, naive, out=np.zeros_like(error), where=defined)
    return np.stack([scaled.sum(axis=1), defined.sum(axis=1)], axis=1)


def _pinball(scale: Array, quantiles: Sequence[float]) -> Metric:
    share = np.asarray(quantiles, dtype=np.float64)
    of_target = np.asarray(scale, dtype=np.float64)[:, None]

    def per_sample(outputs: Outputs) -> Values:
        target = np.asarray(outputs["target"], dtype=np.float64)[..., None]
        short = (target - np.asarray(outputs["quantiles"], dtype=np.float64)) / of_target
        return np.asarray(np.maximum(share * short, (share - 1) * short).mean(axis=(1, 2, 3)))

    return Metric.from_mean("pinball loss", per_sample, higher_is_better=False)


def covered(outputs: Outputs) -> Values:
    """Whether each outcome lies within its interval, ends included: 1 or 0, nan without one, shape ``(N, H, K)``."""
    lower, upper, target = (
        np.asarray(outputs[name], dtype=np.float64) for name in ("lower", "upper", "target")
    )
    within = (lower <= target) & (target <= upper)
    return np.where(np.isnan(lower) | np.isnan(upper), np.nan, within)


def scaled_width(outputs: Outputs, scale: Array) -> Values:
    """Width of each interval over its target's scale, shape ``(N, H, K)``."""
    width = np.asarray(outputs["upper"], dtype=np.float64) - np.asarray(outputs["lower"], dtype=np.float64)
    return np.asarray(width / np.asarray(scale, dtype=np.float64))


def _covered(outputs: Outputs) -> Values:
    return np.asarray(covered(outputs).mean(axis=(1, 2)))


def _width(outputs: Outputs, scale: Array) -> Values:
    return np.asarray(scaled_width(outputs, scale).mean(axis=(1, 2)))


def _direction_sums(outputs: Outputs, level: Level) -> Values:
    """Directions that are right, and directions that were both forecast and taken, shape ``(N, 2)``.

    No change, forecast or actual, is no direction, and takes no part.
    """
    forecast, actual = directions(outputs, level)
    both = np.sign(forecast) * np.sign(actual)
    return np.stack([(both > 0).sum(axis=(1, 2)), (both != 0).sum(axis=(1, 2))], axis=1).astype(np.float64)
