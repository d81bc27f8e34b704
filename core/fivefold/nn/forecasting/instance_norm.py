"""Reversible instance normalisation (Kim et al. 2022, ICLR, "RevIN"). For shapes see `shape`."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

Centre = Literal["mean", "last"]


class WindowScale(NamedTuple):
    """What a window was shifted and scaled by, each ``(B, 1, F)``."""

    centre: Tensor
    scale: Tensor


class RevIN(nn.Module):
    """Takes each window's own level and scale away before a network, and gives them back to what it forecasts.

    A window shifted by a constant is forecast the same, shifted by it. Each column has a learned weight and bias
    between normalisation and network, as in the paper.

    Args:
        features: columns of the past, ``F``.
        centre: what is taken for the level, the window's mean or its last value.
        least: added to the variance, in the squared unit of the inputs (the paper's 1e-5, for standardised ones).
    """

    def __init__(self, features: int, centre: Centre = "mean", *, least: float = 1e-5) -> None:
        super().__init__()
        self.centre = centre
        self.least = least
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, sequence: Tensor) -> tuple[Tensor, WindowScale]:
        """``(B, L, F)`` to the same, normalised, and what `restore` needs; no gradient flows through the latter."""
        past = sequence.detach()
        centre = past[:, -1:] if self.centre == "last" else past.mean(dim=1, keepdim=True)
        scale = (past.var(dim=1, keepdim=True, correction=0) + self.least).sqrt()
        return (sequence - centre) / scale * self.weight + self.bias, WindowScale(centre, scale)

    def restore(self, forecast: Tensor, window: WindowScale) -> Tensor:
        """Forecasts ``(B, H, K, Q)`` of the first ``K`` columns, back in the unit of the window."""
        targets = forecast.shape[2]
        bias, weight = self.bias[:targets, None], self.weight[:targets, None]
        centre, scale = (part[:, :, :targets, None] for part in window)  # (B, 1, K, 1)
        # As in the paper, which keeps a weight that training drives to nothing from dividing by it.
        return (forecast - bias) / (weight + self.least**2) * scale + centre
