"""Drawing the next token from scores. Shapes: ``B`` batch, ``V`` vocabulary.

Temperature, top-k (Fan et al. 2018), top-p (Holtzman et al. 2020, arXiv:1904.09751) and min-p (Nguyen et al. 2024,
arXiv:2407.01082) are applied in this order, each to what the one before left.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fivefold.errors import ConfigError

LARGEST = 1 - 1e-6
"""Uniform numbers stay below this, so that rounding never picks a token of probability zero."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn.

    Attributes:
        temperature: scores are divided by it; 0 takes the likeliest token.
        top_k: only so many likeliest tokens; None for all.
        top_p: only the fewest likeliest tokens whose probabilities sum to this or more; None for all.
        min_p: only tokens whose probability is at least this share of the likeliest one's; None for all.

    Raises:
        ConfigError: a value lies outside its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def __post_init__(self) -> None:
        shares = {"top_p": self.top_p, "min_p": self.min_p}
        for name, value in shares.items():
            if value is not None and not 0 < value <= 1:
                raise ConfigError(f"{name} must be above 0 and at most 1, found {value}")
        if not 0 <= self.temperature < float("inf"):
            raise ConfigError(f"the temperature must be 0 or more, found {self.temperature}")
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError(f"top_k must be 1 or more, found {self.top_k}")


def pick(logits: Tensor, uniforms: Tensor | None, how: Sampling) -> Tensor:
    """The next token of each row, without waiting for the device.

    Args:
        logits: scores ``(B, V)``.
        uniforms: one number from 0 to 1 for each row, ``(B,)``; not needed at temperature 0.
        how: as above.

    Returns:
        Token numbers, int64 ``(B,)``.
    """
    if how.temperature == 0 or uniforms is None:
        return logits.argmax(dim=-1)
    probabilities, order = candidates(logits, how)
    reached = probabilities.cumsum(dim=-1)
    points = uniforms[:, None].clamp(max=LARGEST) * reached[:, -1:]
    # The first token whose cumulative share lies above the point; one of no share never does.
    place = torch.searchsorted(reached, points, right=True)
    return (place if order is None else order.gather(1, place))[:, 0]


def candidates(logits: Tensor, how: Sampling) -> tuple[Tensor, Tensor | None]:
    """Shares of the tokens that may come next, float32, not normalised where some were taken away.

    Returns:
        Shares ``(B, K)``, and the token numbers that they belong to, ``(B, K)`` from the likeliest on, or None where
        they stand in the order of the vocabulary.
    """
    logits = logits.float()
    if how.temperature != 1:
        logits = logits / how.temperature
    order = None
    if how.top_k is not None and how.top_k < logits.shape[1]:
        logits, order = logits.topk(how.top_k, dim=-1)
    elif how.top_p is not None and how.top_p < 1:
        logits, order = logits.sort(dim=-1, descending=True)
    probabilities = logits.softmax(dim=-1)
    if how.top_p is not None and how.top_p < 1:
        before = probabilities.cumsum(dim=-1) - probabilities
        probabilities = probabilities.where(before < how.top_p, 0.0)
    if how.min_p is not None:
        least = how.min_p * probabilities.amax(dim=-1, keepdim=True)
        probabilities = probabilities.where(probabilities >= least, 0.0)
    return probabilities, order
