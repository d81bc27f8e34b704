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

    Args:
        head_features: width ``D`` of a head.
        longest: positions whose sines and cosines are kept ready; those of later ones are computed anew each time.

    Raises:
        ConfigError: an odd width of the head.
    """

    frequencies: Tensor
    cosines: Tensor
    sines: Tensor

    def __init__(self, head_features: int, longest: int = 0) -> None:
        super().__init__()
        self.register_buffer("frequencies", _frequencies(head_features), persistent=False)
        cosines, sines = self._turns(0, longest)
        self.register_buffer("cosines", cosines, persistent=False)
        self.register_buffer("sines", sines, persistent=False)

    def forward(self, vectors: Tensor, offset: int = 0) -> Tensor:
        """Queries or keys ``(B, N, T, D) -> (B, N, T, D)``, the first of which stands at position ``offset``."""
        return turned(vectors, self.turns(offset, offset + vectors.shape[-2]))

    def turns(self, start: int, end: int) -> tuple[Tensor, Tensor]:
        """What `turned` multiplies vectors at the positions from ``start`` to before ``end`` with."""
        if end <= len(self.cosines):
            return self.cosines[start:end], self.sines[start:end]
        return self._turns(start, end)

    def _turns(self, start: int, end: int) -> tuple[Tensor, Tensor]:
        """Factors of a feature itself and of the one that it turns with, each ``(T, D)``."""
        angles = _angles(end, self.frequencies, start)  # (T, D / 2)
        cosine, sine = angles.cos(), angles.sin()
        return torch.cat((cosine, cosine), dim=-1), torch.cat((-sine, sine), dim=-1)


def turned(vectors: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Queries or keys ``(..., T, D)`` turned by `RotaryPositions.turns`."""
    exact = vectors.float()
    # Feature d turns with feature d + D / 2, which a roll by half the width brings to its place.
    other = exact.roll(exact.shape[-1] // 2, dims=-1)
    return torch.addcmul(exact * turns[0], other, turns[1]).to(vectors.dtype)


def _frequencies(features: int) -> Tensor:
    """Angular frequencies ``10000 ** (-2 i / features)``, shape ``(features / 2,)``."""
    if features % 2:
        raise ConfigError(
            f"positions need an even number of features a head, found {features}; choose an even one"
        )
    return 10000.0 ** (-torch.arange(0, features, 2, dtype=torch.float32) / features)


def _angles(end: int, frequencies: Tensor, start: int = 0) -> Tensor:
    """Angles ``(T, len(frequencies))`` in float32: bfloat16 cannot tell long positions apart."""
    steps = torch.arange(start, end, dtype=torch.float32, device=frequencies.device)
    return torch.outer(steps, frequencies.float())
