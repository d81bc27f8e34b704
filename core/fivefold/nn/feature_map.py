"""Networks that classify by a feature map."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class FeatureMapNetwork(nn.Module, ABC):
    """A network whose logits come of its last feature map alone, so that Grad-CAM can say what speaks for a class.

    Attributes:
        features: channels of the feature map.
        head: feature map to logits.
    """

    features: int
    head: nn.Module

    @abstractmethod
    def feature_map(self, images: Tensor) -> Tensor:
        """``(B, channels, H, W)`` to ``(B, features, h, w)``; of volumes with a depth likewise."""

    def forward(self, images: Tensor) -> Tensor:
        """``(B, channels, H, W)``, or ``(B, channels, D, H, W)`` of volumes, to logits ``(B, classes)``."""
        logits: Tensor = self.head(self.feature_map(images))
        return logits
