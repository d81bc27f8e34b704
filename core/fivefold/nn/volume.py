"""A compact residual network for volumes: `CompactCNN` with a third axis.

Shapes: ``B`` batch, ``C`` channels, ``D H W`` depth, height and width.
"""

from __future__ import annotations

from torch import Tensor, nn

from fivefold.nn.feature_map import FeatureMapNetwork
from fivefold.nn.initialise import he_initialise


class VolumeBlock(nn.Module):
    """3x3x3 convolution without bias, batch normalisation, ReLU.

    ``(B, inputs, D, H, W) -> (B, outputs, ceil(D / stride), ceil(H / stride), ceil(W / stride))``.

    Args:
        inputs: channels in.
        outputs: channels out.
        stride: step of the kernel.
        activate: whether a ReLU ends the block; off where a residual sum follows.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, *, activate: bool = True) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm = nn.BatchNorm3d(outputs)
        self.activation = nn.ReLU(inplace=True) if activate else nn.Identity()

    def forward(self, volumes: Tensor) -> Tensor:
        """``(B, inputs, D, H, W)`` to the block's output."""
        outputs: Tensor = self.activation(self.norm(self.convolution(volumes)))
        return outputs


class VolumeResidual(nn.Module):
    """Two blocks whose output is added to their input, and rectified; ``(B, C, D, H, W)`` to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = VolumeBlock(channels, channels)
        self.second = VolumeBlock(channels, channels, activate=False)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, volumes: Tensor) -> Tensor:
        """``(B, C, D, H, W) -> (B, C, D, H, W)``."""
        outputs: Tensor = self.activation(volumes + self.second(self.first(volumes)))
        return outputs


class VolumeCNN(FeatureMapNetwork):
    """Four widths (``width`` to ``8 width``): the first three each halve the resolution, the last keeps an eighth.

    With ``width=16`` a grey volume of 64x64x64 costs 0.55 billion multiplications.

    Attributes:
        features: channels of the feature map, ``8 width``.
    """

    def __init__(self, channels: int, outputs: int, width: int = 16, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.features = 8 * width
        self.body = nn.Sequential(
            VolumeBlock(channels, width, stride=2),
            VolumeBlock(width, 2 * width, stride=2),
            VolumeResidual(2 * width),
            VolumeBlock(2 * width, 4 * width, stride=2),
            VolumeResidual(4 * width),
            VolumeBlock(4 * width, 8 * width),
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(8 * width, outputs)
        )
        he_initialise(self)

    def feature_map(self, images: Tensor) -> Tensor:
        """``(B, channels, D, H, W)`` to ``(B, features, ceil(D / 8), ceil(H / 8), ceil(W / 8))``, for Grad-CAM."""
        maps: Tensor = self.body(images)
        return maps
