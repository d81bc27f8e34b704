"""Noise of a generator: kept from its tails, and on the way from one image to another."""

from __future__ import annotations

import torch
from torch import Tensor

_NEARLY = 1e-6  # an angle below which the great circle is a straight line


def truncated(noise: Tensor, limit: float) -> Tensor:
    """Normal noise brought within ``limit`` by its quantiles: what comes out has the normal distribution cut off there.

    Brock et al. 2019, arXiv:1809.11096, draw anew what lies outside; by quantiles the same noise gives the same image
    but for its being more typical, and a limit that rises moves it steadily.

    Args:
        noise: standard normal, any shape.
        limit: largest number, above 0.
    """
    exact = noise.double()
    most = torch.special.ndtr(torch.tensor(limit, dtype=torch.float64, device=noise.device))
    quantiles = (1 - most) + torch.special.ndtr(exact) * (2 * most - 1)
    cut: Tensor = torch.special.ndtri(quantiles)
    return cut.clamp(-limit, limit).to(noise.dtype)


def interpolated(first: Tensor, second: Tensor, places: Tensor) -> Tensor:
    """Noise on the great circle from one to the other (White 2016, arXiv:1609.04468), as typical all the way.

    Args:
        first: ``(Z,)``.
        second: ``(Z,)``.
        places: 0 at the first, 1 at the second, ``(N,)``.

    Returns:
        ``(N, Z)``.
    """
    cosine = torch.dot(first / first.norm(), second / second.norm()).clamp(-1, 1)
    angle = torch.acos(cosine)
    share = places[:, None]
    if float(angle.sin()) < _NEARLY:
        return torch.lerp(first[None], second[None], share)
    return (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / angle.sin()
