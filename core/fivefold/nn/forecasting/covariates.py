"""What is known ahead, and what never changes, as one vector a step of the horizon. For shapes see `shape`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fivefold.nn.forecasting.shape import ForecastShape
from fivefold.nn.mlp import MLP

_WIDEST = 16


class Covariates(nn.Module):
    """Known values of each step beside learned vectors of the static codes: ``(B, H, features)``.

    Attributes:
        features: width of each step's vector; 0 where there are no covariates.
    """

    def __init__(self, shape: ForecastShape) -> None:
        super().__init__()
        widths = [min(_WIDEST, (codes + 1) // 2) for codes in shape.static]
        self.embeddings = nn.ModuleList(
            nn.Embedding(codes, width) for codes, width in zip(shape.static, widths, strict=True)
        )
        self.horizon = shape.horizon
        self.features = shape.known + sum(widths)

    def forward(self, known: Tensor | None, static: Tensor | None) -> Tensor:
        """Known ``(B, H, C)`` and codes ``(B, S)``, at least one of them, to ``(B, H, features)``."""
        parts = [] if known is None else [known]
        if static is not None:
            vectors = [embed(static[:, place]) for place, embed in enumerate(self.embeddings)]
            parts += [vector[:, None].expand(-1, self.horizon, -1) for vector in vectors]
        return torch.cat(parts, dim=-1)


class CovariateEffect(nn.Module):
    """What covariates add to each step's forecast, which may depend on a state of the past: ``(B, H, K, Q)``.

    It adds nothing before training, so that a network begins as the one without covariates.

    Args:
        shape: sizes.
        hidden: width of the layer between.
        state: width of the state of the past; 0 where there is none.
    """

    def __init__(self, shape: ForecastShape, hidden: int, state: int = 0) -> None:
        super().__init__()
        self.covariates = Covariates(shape)
        self.shape = shape
        self.effect: MLP | None = None
        if self.covariates.features:
            self.effect = MLP(self.covariates.features + state, [hidden], shape.outputs)
            for parameter in self.effect.layers[-1].parameters():
                nn.init.zeros_(parameter)

    def forward(
        self, forecast: Tensor, known: Tensor | None, static: Tensor | None, state: Tensor | None = None
    ) -> Tensor:
        """The forecast ``(B, H, K, Q)`` with the effect added; the state is ``(B, state)``."""
        if self.effect is None:
            return forecast
        steps = self.covariates(known, static)
        if state is not None:
            steps = torch.cat((steps, state[:, None].expand(-1, self.shape.horizon, -1)), dim=-1)
        added: Tensor = self.effect(steps).view(forecast.shape)  # (B, H, K Q) -> (B, H, K, Q)
        return forecast + added
