"""The multilayer perceptron. Shapes: ``F`` features; ``...`` any leading dimensions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class MLP(nn.Module):
    """Linear layers with GELU and dropout between them (Hendrycks & Gimpel 2016, arXiv:1606.08415).

    ``(..., features) -> (..., outputs)``; with an empty ``hidden`` it is a linear map.
    """

    def __init__(self, features: int, hidden: Sequence[int], outputs: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = features
        for next_width in hidden:
            layers += [nn.Linear(width, next_width), nn.GELU(), nn.Dropout(dropout)]
            width = next_width
        layers.append(nn.Linear(width, outputs))
        self.layers = nn.Sequential(*layers)
        self.features = features

    def forward(self, inputs: Tensor) -> Tensor:
        """``(..., features) -> (..., outputs)``."""
        outputs: Tensor = self.layers(inputs)
        return outputs
