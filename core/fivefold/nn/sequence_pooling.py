"""From the steps of sequences of unequal length to one vector each.

Shapes: ``B`` batch, ``T`` time, ``F`` features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def length_mask(lengths: Tensor, steps: int, device: torch.device | None = None) -> Tensor:
    """Which steps exist.

    Args:
        lengths: true steps of each sequence, int64 ``(B,)``, usually on the CPU.
        steps: ``T``, padding included.
        device: where the mask is wanted; that of ``lengths`` where not given.

    Returns:
        bool ``(B, T)``, True where not padded.
    """
    # Without waiting: a blocking copy would hold the host up until the device has done all its work.
    lengths = lengths.to(device, non_blocking=True)
    return torch.arange(steps, device=lengths.device)[None, :] < lengths[:, None]


def mean_over_steps(sequence: Tensor, mask: Tensor) -> Tensor:
    """The mean of the steps that exist: ``(B, T, F)`` and bool ``(B, T)`` to ``(B, F)``, float32."""
    # In float32, because bfloat16 cannot tell the lengths 256 and 257 apart.
    present = mask[:, :, None].float()
    return (sequence.float() * present).sum(dim=1) / present.sum(dim=1)


class AttentionPooling(nn.Module):
    """A weighted mean of steps, where a small network says how much each one counts.

    Yang et al. 2016, "Hierarchical attention networks for document classification", equations 5 to 7: a step's
    score is the product of ``tanh(W h + b)`` with a learned context vector, after Bahdanau et al. 2015,
    arXiv:1409.0473.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, features)
        self.context = nn.Linear(features, 1, bias=False)

    def weights(self, sequence: Tensor, mask: Tensor) -> Tensor:
        """How much each step counts: ``(B, T, F)`` and bool ``(B, T)`` to ``(B, T)``, summing to 1 a row."""
        scores: Tensor = self.context(self.hidden(sequence).tanh())[:, :, 0].float()
        return scores.masked_fill(~mask, -torch.inf).softmax(dim=1)

    def forward(self, sequence: Tensor, mask: Tensor) -> Tensor:
        """``(B, T, F)`` and bool ``(B, T)``, True at steps that exist, at least one a row, to ``(B, F)``."""
        return (self.weights(sequence, mask)[:, :, None] * sequence).sum(dim=1)
