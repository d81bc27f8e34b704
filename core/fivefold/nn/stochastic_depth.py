"""Stochastic depth: residual branches that are left out at random while training."""

from __future__ import annotations

from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """Drops the branch of whole samples and scales up the rest (Huang et al. 2016, arXiv:1603.09382).

    ``(B, ...) -> (B, ...)``; the identity in evaluation.

    Args:
        rate: share of samples whose branch is dropped, from 0 to below 1.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """``(B, ...) -> (B, ...)``."""
        if not self.training or self.rate == 0:
            return branch
        shape = (branch.shape[0],) + (1,) * (branch.ndim - 1)
        keep = branch.new_empty(shape).bernoulli_(1 - self.rate) / (1 - self.rate)
        return branch * keep
