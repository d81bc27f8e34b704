"""Convolution, normalisation and activation as one block, and a residual pair of them.

Shapes: ``B`` batch, ``C`` channels, ``H W`` height and width.
"""

from __future__ import annotations

from torch import Tensor, nn

from fivefold.nn.feature_map import FeatureMapNetwork
from fivefold.nn.initialise import he_initialise


class ConvBlock(nn.Module):
    """Convolution without bias, batch normalisation (Ioffe & Szegedy 2015, arXiv:1502.03167), activation.

    ``(B, inputs, H, W) -> (B, outputs, ceil(H / stride), ceil(W / stride))`` for an odd ``kernel``.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: edge of the square kernel, odd.
        stride: step of the kernel.
        groups: groups of channels that are convolved apart; ``inputs`` of them make it depthwise.
        activate: whether a ReLU ends the block; off where a residual sum follows.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        groups: int = 1,
        activate: bool = True,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.ReLU(inplace=True) if activate else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """``(B, inputs, H, W) -> (B, outputs, ceil(H / stride), ceil(W / stride))``."""
        outputs: Tensor = self.activation(self.norm(self.convolution(images)))
        return outputs


class ResidualPair(nn.Module):
    """Two 3x3 blocks whose output is added to their input; ``(B, C, H, W) -> (B, C, H, W)``.

    The sum is not rectified again, so that the identity passes through untouched (He et al. 2016,
    arXiv:1603.05027).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvBlock(channels, channels)
        self.second = ConvBlock(channels, channels)

    def forward(self, images: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C, H, W)``."""
        outputs: Tensor = images + self.second(self.first(images))
        return outputs


class PooledStem(nn.Module):
    """3x3 convolution, 2x2 max-pooling, normalisation, ReLU; ``(B, inputs, H, W) -> (B, outputs, H/2, W/2)``.

    Pooling comes before normalisation: as long as the norm's scales are positive the order changes nothing
    but the statistics, and the norm and the ReLU then move a quarter of the bytes.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.pool = nn.MaxPool2d(2)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        """``(B, inputs, H, W) -> (B, outputs, H // 2, W // 2)``."""
        outputs: Tensor = self.activation(self.norm(self.pool(self.convolution(images))))
        return outputs


class CompactCNN(FeatureMapNetwork):
    """A small residual network for images of 28 to 64 pixels that trains in minutes on two CPU cores.

    A narrow stem at full resolution, then three widths (``width``, ``2 width``, ``4 width``) at a half, a
    quarter and an eighth of it: the manner of the ResNet-9 of the DAWNBench entries, with the costly layers
    moved to where images are small, since memory traffic, not arithmetic, bounds a CPU at full resolution.
    With ``width=32`` a 28x28 grey image costs 6.7 million multiplications.

    Attributes:
        features: channels of the feature map, ``4 width``.
    """

    def __init__(self, channels: int, classes: int, width: int = 32, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.features = 4 * width
        self.body = nn.Sequential(
            PooledStem(channels, max(1, width // 2)),
            ConvBlock(max(1, width // 2), width),
            ConvBlock(width, 2 * width, stride=2),
            ResidualPair(2 * width),
            ConvBlock(2 * width, 4 * width, stride=2),
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(4 * width, classes)
        )
        he_initialise(self)

    def feature_map(self, images: Tensor) -> Tensor:
        """``(B, channels, H, W) -> (B, features, H / 8, W / 8)``, what Grad-CAM looks at."""
        maps: Tensor = self.body(images)
        return maps
