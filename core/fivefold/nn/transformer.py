"""Transformer blocks with normalisation before each part, and an encoder made of them.

Vaswani et al. 2017, arXiv:1706.03762; pre-norm: Xiong et al. 2020, arXiv:2002.04745.
Shapes: ``B`` batch, ``T`` time, ``S`` context, ``F`` features.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from fivefold.errors import ConfigError
from fivefold.nn.attention import Attention
from fivefold.nn.mlp import MLP
from fivefold.nn.positional import SinusoidalPositions


class TransformerBlock(nn.Module):
    """Attention and an MLP, each on the normalised input and added to it: ``(B, T, F) -> (B, T, F)``.

    With a context, attention to it stands between the two.

    Args:
        features: width ``F``.
        heads: attention heads; they divide ``features``.
        expansion: width of the MLP's hidden layer in units of ``features``.
        dropout: of attention weights and of each part's output.
        rotary: whether self-attention turns queries and keys by position.
        context_features: width of a context to attend to as well; None where there is none (an encoder).
        longest: positions whose turns are kept ready, where ``rotary``.
    """

    def __init__(
        self,
        features: int,
        heads: int,
        *,
        expansion: int = 4,
        dropout: float = 0.0,
        rotary: bool = False,
        context_features: int | None = None,
        longest: int = 0,
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(features)
        self.attention = Attention(features, heads, dropout=dropout, rotary=rotary, longest=longest)
        self.cross_norm: nn.LayerNorm | None = None
        self.cross: Attention | None = None
        if context_features is not None:
            self.cross_norm = nn.LayerNorm(features)
            self.cross = Attention(features, heads, context_features=context_features, dropout=dropout)
        self.mlp_norm = nn.LayerNorm(features)
        self.mlp = MLP(features, [expansion * features], features, dropout=dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        sequence: Tensor,
        context: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        context_mask: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """``(B, T, F) -> (B, T, F)``; masks are bool ``(B, T)`` and ``(B, S)``, True where not padded."""
        attended = self.attention(self.attention_norm(sequence), mask=mask, causal=causal)
        sequence = sequence + self.dropout(attended)
        if self.cross is not None and self.cross_norm is not None:
            crossed = self.cross(self.cross_norm(sequence), context, mask=context_mask)
            sequence = sequence + self.dropout(crossed)
        outputs: Tensor = sequence + self.dropout(self.mlp(self.mlp_norm(sequence)))
        return outputs


class TransformerEncoder(nn.Module):
    """Positions, blocks, and a last normalisation: ``(B, T, F) -> (B, T, F)``.

    Args:
        features: width ``F``.
        heads: attention heads; they divide ``features``.
        layers: blocks.
        dropout: of attention weights and of each part's output.
        positions: ``rotary`` turns queries and keys; ``sinusoidal`` is added to the input; ``none`` sees a
            set.
        causal: whether a position sees only itself and what is before it.

    Raises:
        ConfigError: positions of another name, or heads that do not divide the features.
    """

    def __init__(
        self,
        features: int,
        heads: int,
        layers: int,
        *,
        dropout: float = 0.0,
        positions: Literal["rotary", "sinusoidal", "none"] = "rotary",
        causal: bool = False,
    ) -> None:
        super().__init__()
        if positions not in {"rotary", "sinusoidal", "none"}:
            raise ConfigError(f"positions '{positions}' are not known; choose rotary, sinusoidal or none")
        self.positions = SinusoidalPositions(features) if positions == "sinusoidal" else nn.Identity()
        self.blocks = nn.ModuleList(
            TransformerBlock(features, heads, dropout=dropout, rotary=positions == "rotary")
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(features)
        self.causal = causal
        self.features = features

    def forward(self, sequence: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(B, T, F) -> (B, T, F)``; the mask is bool ``(B, T)``, True where not padded."""
        sequence = self.positions(sequence)
        for block in self.blocks:
            sequence = block(sequence, mask=mask, causal=self.causal)
        outputs: Tensor = self.norm(sequence)
        return outputs
