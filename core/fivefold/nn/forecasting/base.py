"""What every forecasting network has in common. For shapes see `shape`."""

from __future__ import annotations

from torch import Tensor, nn

from fivefold.nn.forecasting.covariates import CovariateEffect
from fivefold.nn.forecasting.instance_norm import Centre, RevIN
from fivefold.nn.forecasting.shape import ForecastShape


class Forecaster(nn.Module):
    """Normalises each window where asked for, forecasts, and takes the normalisation back.

    Args:
        shape: sizes.
        columns: how many columns of the past, from the first, the network reads.
        normalise: what each window is shifted by; None leaves windows as they are.
    """

    def __init__(self, shape: ForecastShape, columns: int, normalise: Centre | None) -> None:
        super().__init__()
        self.shape = shape
        self.columns = columns
        self.norm = None if normalise is None else RevIN(columns, normalise)

    def forward(
        self,
        input: Tensor,  # noqa: A002 - the batch's key
        known: Tensor | None = None,
        static: Tensor | None = None,
    ) -> Tensor:
        """Forecast.

        Args:
            input: the past, ``(B, L, F)``.
            known: covariates of the steps to come, ``(B, H, C)``, where the shape has some.
            static: codes, int64 ``(B, S)``, where the shape has some.

        Returns:
            ``(B, H, K, Q)``.
        """
        sequence = input[..., : self.columns]
        if self.norm is None:
            return self.forecast(sequence, known, static)
        sequence, window = self.norm(sequence)
        return self.norm.restore(self.forecast(sequence, known, static), window)

    def forecast(self, sequence: Tensor, known: Tensor | None, static: Tensor | None) -> Tensor:
        """``(B, L, columns)`` and covariates to ``(B, H, K, Q)``."""
        raise NotImplementedError(f"{type(self).__name__} defines no forecast")


class StateForecaster(Forecaster):
    """One that reads all columns together into a state ``(B, state)``, from which all steps are forecast at once."""

    def __init__(
        self, shape: ForecastShape, state: int, dropout: float, normalise: Centre | None, hidden: int
    ) -> None:
        super().__init__(shape, shape.features, normalise)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(state, shape.horizon * shape.outputs)
        self.effect = CovariateEffect(shape, hidden, state)

    def state(self, sequence: Tensor) -> Tensor:
        """``(B, L, F)`` to ``(B, state)``."""
        raise NotImplementedError(f"{type(self).__name__} defines no state")

    def forecast(self, sequence: Tensor, known: Tensor | None, static: Tensor | None) -> Tensor:
        """``(B, L, F)`` and covariates to ``(B, H, K, Q)``."""
        state = self.dropout(self.state(sequence))
        shape = self.shape
        steps = self.head(state).unflatten(-1, (shape.horizon, shape.targets, shape.quantiles))
        forecast: Tensor = self.effect(steps, known, static, state)
        return forecast
