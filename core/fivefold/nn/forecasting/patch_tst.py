"""A transformer over patches of each target's past (Nie et al. 2023, ICLR, arXiv:2211.14730).

Each target is forecast from its own past by the same network; other columns are not read. Unlike the paper's, blocks
normalise before each part and over features, which needs no statistics of the batch. For shapes see `shape`; ``P`` is
the number of patches, ``D`` their width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.nn.forecasting.base import Forecaster
from fivefold.nn.forecasting.covariates import CovariateEffect
from fivefold.nn.forecasting.instance_norm import Centre
from fivefold.nn.forecasting.shape import ForecastShape
from fivefold.nn.transformer import TransformerEncoder

_SPREAD = 0.02
"""Half the range of fresh positions, the paper's."""


class PatchTST(Forecaster):
    """Patches of a target's past become tokens; a linear map of all that the encoder makes of them is the forecast.

    Args:
        shape: sizes.
        hidden: width of a patch's vector, ``D``.
        layers: transformer blocks.
        heads: of attention; they divide ``hidden``.
        patch: steps of a patch; a look-back shorter than that is one patch.
        stride: steps from one patch to the next.
        dropout: in the blocks, and on the vectors of patches.
        normalise: see `RevIN`; the paper's is ``mean``.
    """

    def __init__(
        self,
        shape: ForecastShape,
        hidden: int = 16,
        layers: int = 3,
        heads: int = 4,
        *,
        patch: int = 16,
        stride: int = 8,
        dropout: float = 0.3,
        normalise: Centre | None = "mean",
    ) -> None:
        super().__init__(shape, shape.targets, normalise)
        self.patch = min(patch, shape.lookback)
        self.stride = stride
        patches = (shape.lookback + stride - self.patch) // stride + 1
        self.embed = nn.Linear(self.patch, hidden)
        self.positions = nn.Parameter(torch.empty(patches, hidden).uniform_(-_SPREAD, _SPREAD))
        self.dropout = nn.Dropout(dropout)
        self.encoder = TransformerEncoder(hidden, heads, layers, dropout=dropout, positions="none")
        self.head = nn.Linear(patches * hidden, shape.horizon * shape.quantiles)
        self.effect = CovariateEffect(shape, hidden)

    def forecast(self, sequence: Tensor, known: Tensor | None, static: Tensor | None) -> Tensor:
        """``(B, L, K)`` and covariates to ``(B, H, K, Q)``."""
        shape = self.shape
        # The last value is repeated for one stride, so that the last patch ends with the last step or after it.
        series = F.pad(sequence.transpose(1, 2), (0, self.stride), mode="replicate")  # (B, K, L + stride)
        patches = series.unfold(-1, self.patch, self.stride).flatten(0, 1)  # (B K, P, patch)
        tokens = self.encoder(self.dropout(self.embed(patches) + self.positions))  # (B K, P, D)
        steps = self.head(tokens.flatten(1)).view(-1, shape.targets, shape.horizon, shape.quantiles)
        forecast: Tensor = self.effect(steps.transpose(1, 2), known, static)
        return forecast
