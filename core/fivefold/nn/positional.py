"""Positions for attention, which alone sees a set.

Shapes: ``B`` batch, ``T`` time, ``F`` features, ``N`` heads, ``D`` width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fivefold.errors import ConfigError


class SinusoidalPositions(nn.Module):
    """Adds sines and cosines of geometrically spaced wavelengths.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.5. Computed for whatever length
    comes, so that no longest sequence is built in.

    Raises:
        ConfigError: an odd width.
    """

    frequencies: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", _frequencies(features), persistent=False)

    def forward(self, sequence: Tensor) -> Tensor:
        """``(B, T, F) -> (B, T, F)``."""
        angles = _angles(sequence.shape[-2], self.frequencies)  # (T, F / 2)
        positions = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)  # sine and cosine alternate
        return sequence + positions.to(sequence.dtype)


class RotaryPositions(nn.Module):
    """Turns pairs of features by angles that grow with position (Su et al. 2021, arXiv:2104.09864).

    The product of a turned query and a turned key depends on the distance of their positions only.

    Raises:
        ConfigError: an odd width of the head.
    """

    frequencies: Tensor

    def __init__(self, head_features: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", _frequencies(head_features), persistent=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Queries or keys ``(B, N, T, D) -> (B, N, T, D)``."""
        angles = _angles(vectors.shape[-2], self.frequencies)  # (T, D / 2)
        cosine, sine = angles.cos(), angles.sin()
        first, second = vectors.float().chunk(2, dim=-1)  # feature d turns with feature d + D / 2
        turned = torch.cat((first * cosine - second * sine, first * sine + second * cosine), dim=-1)
        return turned.to(vectors.dtype)


def _frequencies(features: int) -> Tensor:
    """Angular frequencies ``10000 ** (-2 i / features)``, shape ``(features / 2,)``."""
    if features % 2:
        raise ConfigError(
            f"positions need an even number of features a head, found {features}; choose an even one"
        )
    return 10000.0 ** (-torch.arange(0, features, 2, dtype=torch.float32) / features)


def _angles(length: int, frequencies: Tensor) -> Tensor:
    """Angles ``(T, len(frequencies))`` in float32: bfloat16 cannot tell long positions apart."""
    return torch.outer(
        torch.arange(length, dtype=torch.float32, device=frequencies.device), frequencies.float()
    )
