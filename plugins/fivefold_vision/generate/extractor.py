"""What a feature extractor is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Extractor(nn.Module, ABC):
    """A fixed network that turns images into the features by which they are judged, in evaluation mode.

    What it finds depends on the image alone, not on the others in its batch.

    Attributes:
        name: by which metrics are named.
        width: numbers of a feature vector, ``D``.
        at_once: images that it looks at together, which bounds its memory.
    """

    at_once = 64

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self.name = name
        self.width = width

    def train(self, mode: bool = True) -> Extractor:  # noqa: ARG002 - it has one mode only
        """Stays in evaluation mode."""
        return super().train(mode=False)

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """Of a few images ``(B, C, S, S)`` in ``[-1, 1]``: ``(B, D)``."""

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(N, C, S, S)`` in ``[-1, 1]`` to ``(N, D)``, float32."""
        with torch.no_grad():
            return torch.cat([self.features(part).float() for part in torch.split(images, self.at_once)])
