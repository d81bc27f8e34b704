"""Forecasts from the last state of an LSTM or GRU over all columns together. For shapes see `shape`."""

from __future__ import annotations

from torch import Tensor

from fivefold.nn.forecasting.base import StateForecaster
from fivefold.nn.forecasting.instance_norm import Centre
from fivefold.nn.forecasting.shape import ForecastShape
from fivefold.nn.recurrent import Kind, RecurrentEncoder


class RecurrentForecaster(StateForecaster):
    """A recurrent encoder and a linear map of its last state to all steps at once, not one step fed to the next.

    Args:
        kind: ``gru`` or ``lstm``.
        shape: sizes.
        hidden: width of the state.
        layers: stacked layers.
        dropout: between layers and before the map.
        normalise: see `RevIN`; None leaves windows as they are.
    """

    def __init__(
        self,
        kind: Kind,
        shape: ForecastShape,
        hidden: int = 64,
        layers: int = 1,
        *,
        dropout: float = 0.0,
        normalise: Centre | None = None,
    ) -> None:
        super().__init__(shape, hidden, dropout, normalise, hidden)
        self.encoder = RecurrentEncoder(kind, shape.features, hidden, layers, dropout=dropout)

    def state(self, sequence: Tensor) -> Tensor:
        """``(B, L, F)`` to the last layer's state after the last step, ``(B, hidden)``."""
        final: Tensor = self.encoder(sequence)[1]
        return final
