"""Linear maps from each target's past to its future: DLinear and NLinear.

Zeng et al. 2023, AAAI, "Are transformers effective for time series forecasting?", arXiv:2205.13504. Each target is
forecast from its own past; other columns are not read. For shapes see `shape`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.nn.forecasting.base import Forecaster
from fivefold.nn.forecasting.covariates import CovariateEffect
from fivefold.nn.forecasting.instance_norm import Centre
from fivefold.nn.forecasting.shape import ForecastShape

_HIDDEN = 32
"""Width of the layer through which covariates act."""


class StepMap(nn.Module):
    """One linear map over steps, for all targets or one for each: ``(B, K, L) -> (B, H, K, Q)``."""

    def __init__(self, shape: ForecastShape, *, individual: bool) -> None:
        super().__init__()
        maps = shape.targets if individual else 1
        bound = 1 / math.sqrt(shape.lookback)  # as torch's own linear layers begin
        outputs = shape.horizon * shape.quantiles
        self.weight = nn.Parameter(torch.empty(maps, shape.lookback, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(maps, 1, outputs).uniform_(-bound, bound))
        self.shape = shape

    def forward(self, series: Tensor) -> Tensor:
        """``(B, K, L) -> (B, H, K, Q)``."""
        if len(self.weight) == 1:
            steps = F.linear(series, self.weight[0].T, self.bias[0, 0])  # (B, K, H Q)
        else:
            steps = torch.baddbmm(self.bias, series.transpose(0, 1), self.weight).transpose(0, 1)
        each = steps.reshape(*series.shape[:2], self.shape.horizon, self.shape.quantiles)
        return each.transpose(1, 2)


class NLinear(Forecaster):
    """The last value, and a linear map of how the steps before it differ from it.

    Args:
        shape: sizes.
        individual: whether each target has a map of its own.
    """

    def __init__(self, shape: ForecastShape, *, individual: bool = False) -> None:
        super().__init__(shape, shape.targets, None)
        self.map = StepMap(shape, individual=individual)
        self.effect = CovariateEffect(shape, _HIDDEN)

    def forecast(self, sequence: Tensor, known: Tensor | None, static: Tensor | None) -> Tensor:
        """``(B, L, K)`` and covariates to ``(B, H, K, Q)``."""
        last = sequence[:, -1:]
        change = self.map((sequence - last).transpose(1, 2))
        forecast: Tensor = self.effect(change, known, static)
        return forecast + last[..., None]


class DLinear(Forecaster):
    """The sum of two linear maps: of the trend, a moving average, and of what the past differs from it.

    Args:
        shape: sizes.
        kernel: steps of the moving average, odd; the first and last value are repeated beyond the ends.
        individual: whether each target has maps of its own.
        normalise: see `RevIN`; None leaves windows as they are, as the paper does.
    """

    def __init__(
        self,
        shape: ForecastShape,
        kernel: int = 25,
        *,
        individual: bool = False,
        normalise: Centre | None = None,
    ) -> None:
        super().__init__(shape, shape.targets, normalise)
        self.kernel = kernel
        self.trend = StepMap(shape, individual=individual)
        self.rest = StepMap(shape, individual=individual)
        self.effect = CovariateEffect(shape, _HIDDEN)

    def forecast(self, sequence: Tensor, known: Tensor | None, static: Tensor | None) -> Tensor:
        """``(B, L, K)`` and covariates to ``(B, H, K, Q)``."""
        series = sequence.transpose(1, 2)  # (B, K, L)
        trend = moving_average(series, self.kernel)
        forecast: Tensor = self.effect(self.trend(trend) + self.rest(series - trend), known, static)
        return forecast


def moving_average(series: Tensor, kernel: int) -> Tensor:
    """Means over ``kernel`` steps, an odd number, around each: ``(B, K, L) -> (B, K, L)``."""
    half = kernel // 2
    return F.avg_pool1d(F.pad(series, (half, half), mode="replicate"), kernel, stride=1)
