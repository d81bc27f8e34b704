"""What a forecasting network reads and gives.

Shapes throughout this package: ``B`` batch, ``L`` steps of the look-back, ``H`` steps of the horizon, ``F`` columns
of the past, the first ``K`` of which are the targets, ``C`` covariates known ahead, ``S`` static codes, ``Q``
quantiles (1 where the forecast is a point).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ForecastShape:
    """Sizes of inputs and outputs.

    Attributes:
        lookback: steps seen, ``L``.
        horizon: steps forecast, ``H``.
        features: columns of the past, ``F``.
        targets: how many of them are forecast, ``K``; they come first.
        quantiles: ``Q``.
        known: covariates known ahead, ``C``.
        static: how many different codes each static covariate has, ``S`` numbers.
    """

    lookback: int
    horizon: int
    features: int
    targets: int
    quantiles: int = 1
    known: int = 0
    static: tuple[int, ...] = ()

    @property
    def outputs(self) -> int:
        """Numbers forecast for each step, ``K Q``."""
        return self.targets * self.quantiles
