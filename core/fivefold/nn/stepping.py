"""One step of a causal transformer without its modules: the same arithmetic from the same weights, called directly.

A step of one token is so little work that calling some hundred modules is a good part of it. So generation collects the
weights once, with queries, keys and values in one matrix, and turns queries and keys together.
Shapes: ``B`` batch, ``T`` time, ``F`` features, ``N`` heads, ``D = F / N``.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fivefold.errors import ConfigError
from fivefold.nn.positional import turned
from fivefold.nn.transformer import TransformerBlock

Linear = tuple[Tensor, Tensor]


class KeysValues:
    """Keys and values of the steps that an attention layer has seen, so that the next one need not see them again.

    The memory for all steps is set aside at the first, so that no later step copies what is there already.

    Attributes:
        length: steps seen.

    Args:
        capacity: most steps.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.length = 0
        self._keys = self._values = torch.empty(0)

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Take in ``T`` more steps, ``(B, N, T, D)`` each.

        Returns:
            Keys and values of all steps, ``(B, N, length, D)`` each.

        Raises:
            ConfigError: there is no room for them.
        """
        end = self.length + keys.shape[2]
        if end > self.capacity:
            raise ConfigError(f"a cache for {self.capacity} steps got {end}; make it larger, or begin anew")
        if not self.length:
            batch, heads, _, width = keys.shape
            self._keys = keys.new_empty(batch, heads, self.capacity, width)
            self._values = torch.empty_like(self._keys)
        self._keys[:, :, self.length : end] = keys
        self._values[:, :, self.length : end] = values
        self.length = end
        return self._keys[:, :, :end], self._values[:, :, :end]


class BlockWeights(NamedTuple):
    """A `TransformerBlock` with rotary self-attention and nothing else: weight and bias of each part."""

    attention_norm: Linear
    query_key_value: Linear
    output: Linear
    mlp_norm: Linear
    widen: Linear
    narrow: Linear
    heads: int

    @classmethod
    def of(cls, block: nn.Module) -> BlockWeights:
        """Those of ``block``; later changes of its weights are not seen."""
        found = cast(TransformerBlock, block)
        attention = found.attention
        parts = (attention.query, attention.key_value)
        together = (
            torch.cat([part.weight for part in parts]).detach(),
            torch.cat([part.bias for part in parts]).detach(),
        )
        widen, narrow = (layer for layer in found.mlp.layers if isinstance(layer, nn.Linear))
        return cls(
            _pair(found.attention_norm),
            together,
            _pair(attention.output),
            _pair(found.mlp_norm),
            _pair(widen),
            _pair(narrow),
            attention.heads,
        )


def step(sequence: Tensor, weights: BlockWeights, cache: KeysValues, turns: tuple[Tensor, Tensor]) -> Tensor:
    """What the block makes of ``(B, T, F)`` after what the cache has seen, without dropout: ``(B, T, F)``.

    Args:
        sequence: the block's input.
        weights: the block's.
        cache: of the block; gets the steps added.
        turns: of the steps' positions.
    """
    batch, steps, features = sequence.shape
    start = cache.length
    normed = F.layer_norm(sequence, (features,), *weights.attention_norm)
    mixed = F.linear(normed, *weights.query_key_value).view(batch, steps, 3, weights.heads, -1)
    mixed = mixed.permute(2, 0, 3, 1, 4)  # (3, B, N, T, D)
    queries, fresh = turned(mixed[:2], turns).unbind()
    keys, values = cache.extend(fresh, mixed[2])
    seen = None
    if start and steps > 1:
        seen = torch.ones(steps, start + steps, dtype=torch.bool, device=sequence.device).tril(start)
    attended = F.scaled_dot_product_attention(
        queries, keys, values, attn_mask=seen, is_causal=not start and steps > 1
    )
    joined = attended.transpose(1, 2).reshape(batch, steps, features)
    sequence = sequence + F.linear(joined, *weights.output)
    normed = F.layer_norm(sequence, (features,), *weights.mlp_norm)
    return sequence + F.linear(F.gelu(F.linear(normed, *weights.widen)), *weights.narrow)


def _pair(layer: nn.Linear | nn.LayerNorm) -> Linear:
    return layer.weight, layer.bias
