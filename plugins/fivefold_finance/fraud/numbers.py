"""Numbers of any scale as numbers that networks learn from: normal scores, and embeddings of these.

Shapes: ``...`` any leading dimensions, ``F`` features, ``Q`` quantiles, ``P`` pieces or waves, ``E`` width.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

QUANTILES = 1001
_LEAST = 1e-4
"""Ends of the probabilities, so that scores stay within about 3.7."""


class NormalScores(nn.Module):
    """Each feature's place among those of the training split, as the normal variable that stands there.

    Missing features become 0, the median. An indicator is added for each feature that training misses somewhere.
    """

    quantiles: Tensor
    gaps: Tensor

    def __init__(self, features: int, gaps: list[int]) -> None:
        """Settings.

        Args:
            features: ``F``.
            gaps: which of them training misses somewhere.
        """
        super().__init__()
        ramp = torch.linspace(-1, 1, QUANTILES)
        self.register_buffer("quantiles", ramp.expand(features, -1).clone())
        self.register_buffer("gaps", torch.tensor(gaps, dtype=torch.int64))
        self.features = features
        self.outputs = features + len(gaps)

    def fit(self, values: NDArray[np.float32]) -> None:
        """Take the quantiles of training features ``(N, F)``; a feature that is never there keeps its own."""
        for place, column in enumerate(np.asarray(values, dtype=np.float64).T):
            known = column[~np.isnan(column)]
            if len(known):
                found = np.quantile(known, np.linspace(0, 1, QUANTILES))
                self.quantiles[place] = torch.from_numpy(found.astype(np.float32))

    def forward(self, values: Tensor) -> Tensor:
        """``(..., F)`` to ``(..., F + gaps)``."""
        missing = values.isnan()
        flat = values.nan_to_num().reshape(-1, self.features).T.contiguous()
        # Equal quantiles are one step: a value that stands on it is put in its middle.
        left = torch.searchsorted(self.quantiles, flat)
        right = torch.searchsorted(self.quantiles, flat, right=True)
        low = self.quantiles.gather(1, (right - 1).clamp(0, QUANTILES - 1))
        high = self.quantiles.gather(1, right.clamp(0, QUANTILES - 1))
        share = ((flat - low) / (high - low).clamp(min=torch.finfo(low.dtype).tiny)).clamp(0, 1)
        place = torch.where(right > left, (left + right - 1) / 2, right - 1 + share).clamp(0, QUANTILES - 1)
        chance = (place / (QUANTILES - 1)).clamp(_LEAST, 1 - _LEAST)
        scores = torch.special.ndtri(chance).T.reshape(values.shape).masked_fill(missing, 0.0)
        return torch.cat([scores, missing[..., self.gaps].to(scores.dtype)], dim=-1)


class PiecewiseLinear(nn.Module):
    """Piecewise linear embeddings of normal scores (Gorishniy et al. 2022, arXiv:2203.05556), beside the scores."""

    edges: Tensor

    def __init__(self, features: int, pieces: int, width: int) -> None:
        super().__init__()
        inner = torch.special.ndtri(torch.linspace(0, 1, pieces + 1)[1:-1])
        self.register_buffer("edges", torch.cat([torch.tensor([-3.8]), inner, torch.tensor([3.8])]))
        self.weight = nn.Parameter(torch.randn(features, pieces, width) / math.sqrt(pieces))
        self.bias = nn.Parameter(torch.zeros(features, width))
        self.outputs = features * (width + 1)

    def forward(self, scores: Tensor) -> Tensor:
        """``(..., F)`` to ``(..., F (1 + E))``."""
        low, high = self.edges[:-1], self.edges[1:]
        reached = ((scores[..., None] - low) / (high - low)).clamp(0, 1)
        embedded = torch.relu(torch.einsum("...fp,fpe->...fe", reached, self.weight) + self.bias)
        return torch.cat([scores, embedded.flatten(-2)], dim=-1)


class Periodic(nn.Module):
    """Periodic embeddings of normal scores (Gorishniy et al. 2022), beside the scores."""

    def __init__(self, features: int, waves: int, width: int) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(0.1 * torch.randn(features, waves))
        self.weight = nn.Parameter(torch.randn(features, 2 * waves, width) / math.sqrt(2 * waves))
        self.bias = nn.Parameter(torch.zeros(features, width))
        self.outputs = features * (width + 1)

    def forward(self, scores: Tensor) -> Tensor:
        """``(..., F)`` to ``(..., F (1 + E))``."""
        angle = 2 * math.pi * self.frequencies * scores[..., None]
        waves = torch.cat([angle.sin(), angle.cos()], dim=-1)
        embedded = torch.relu(torch.einsum("...fp,fpe->...fe", waves, self.weight) + self.bias)
        return torch.cat([scores, embedded.flatten(-2)], dim=-1)
