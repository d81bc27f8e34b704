"""Multi-head attention over torch's fused `scaled_dot_product_attention`.

Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762.
Shapes: ``B`` batch, ``T`` queries, ``S`` keys, ``F`` features, ``N`` heads, ``D = F / N``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fivefold.errors import ConfigError
from fivefold.nn.positional import RotaryPositions


class Attention(nn.Module):
    """Self-attention, or cross-attention where a context is given.

    Args:
        features: width ``F`` of queries and outputs.
        heads: ``N``; divides ``features``.
        context_features: width of the context; ``features`` where not given.
        dropout: of attention weights, in training.
        rotary: whether queries and keys are turned by position (self-attention only).
        longest: positions whose turns are kept ready; others are computed when they come.

    Raises:
        ConfigError: the heads do not divide the features.
    """

    def __init__(
        self,
        features: int,
        heads: int,
        *,
        context_features: int | None = None,
        dropout: float = 0.0,
        rotary: bool = False,
        longest: int = 0,
    ) -> None:
        super().__init__()
        if features % heads:
            raise ConfigError(
                f"attention over {features} features cannot have {heads} heads; choose one that divides it"
            )
        context_features = features if context_features is None else context_features
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(features, features)
        self.key_value = nn.Linear(context_features, 2 * features)
        self.output = nn.Linear(features, features)
        self.positions = RotaryPositions(features // heads, longest) if rotary else None

    def forward(
        self,
        sequence: Tensor,
        context: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """Attend.

        Args:
            sequence: ``(B, T, F)``.
            context: ``(B, S, context_features)``; the sequence itself where not given.
            mask: bool ``(B, S)``, True at keys that exist (not padding); at least one a row.
            causal: whether a query sees only keys at or before its own position.

        Returns:
            ``(B, T, F)``.
        """
        context = sequence if context is None else context
        queries = self._split(self.query(sequence))  # (B, N, T, D)
        keys, values = (
            self._split(part) for part in self.key_value(context).chunk(2, dim=-1)
        )  # (B, N, S, D)
        if self.positions is not None:
            queries, keys = self.positions(queries), self.positions(keys)
        allowed = None if mask is None else mask[:, None, None, :]  # (B, 1, 1, S)
        if allowed is not None and causal:
            size = (sequence.shape[1], context.shape[1])
            allowed = allowed & torch.ones(size, dtype=torch.bool, device=sequence.device).tril()
        attended = F.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=allowed,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=causal and allowed is None,  # the fused kernel takes a mask or the flag, not both
        )
        outputs: Tensor = self.output(attended.transpose(1, 2).flatten(2))  # (B, N, T, D) -> (B, T, F)
        return outputs

    def _split(self, vectors: Tensor) -> Tensor:
        """``(B, T, F) -> (B, N, T, D)``."""
        batch, length, features = vectors.shape
        return vectors.view(batch, length, self.heads, features // self.heads).transpose(1, 2)
