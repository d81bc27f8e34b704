"""Wide residual networks: few, broad, pre-activated residual blocks for small images.

Zagoruyko & Komodakis 2016, "Wide residual networks", arXiv:1605.07146; WRN-28-10 has 36.5 million parameters.
Shapes: ``B`` batch, ``C`` channels, ``H W`` height and width.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from fivefold.errors import ConfigError
from fivefold.nn.feature_map import FeatureMapNetwork
from fivefold.nn.initialise import he_initialise


class WideBlock(nn.Module):
    """Norm, ReLU, 3x3 convolution, twice, beside a shortcut (He et al. 2016, arXiv:1603.05027).

    ``(B, inputs, H, W) -> (B, width, H / stride, W / stride)``; where the shape changes, the shortcut
    projects the normalised input.
    """

    def __init__(self, inputs: int, width: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.convolution1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.dropout = nn.Dropout(dropout)
        self.convolution2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        changes = inputs != width or stride != 1
        self.projection = nn.Conv2d(inputs, width, 1, stride, bias=False) if changes else None

    def forward(self, images: Tensor) -> Tensor:
        """``(B, inputs, H, W) -> (B, width, H / stride, W / stride)``."""
        active = F.relu(self.norm1(images))
        shortcut = images if self.projection is None else self.projection(active)
        hidden = self.dropout(F.relu(self.norm2(self.convolution1(active))))
        outputs: Tensor = self.convolution2(hidden) + shortcut
        return outputs


class WideResNet(FeatureMapNetwork):
    """A wide residual network.

    Args:
        depth: layers, ``6 n + 4`` (16, 22, 28, 40).
        width: factor on the widths 16, 32, 64 of the three stages.
        channels: channels of the images.
        classes: logits.
        dropout: between the convolutions of a block.

    Attributes:
        features: channels of the feature map, ``64 width``.

    Raises:
        ConfigError: the depth is not of the form ``6 n + 4``.
    """

    def __init__(self, depth: int, width: int, channels: int, classes: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        blocks, rest = divmod(depth - 4, 6)
        if rest or blocks < 1:
            raise ConfigError(
                f"a WideResNet of depth {depth} does not exist; choose 6 n + 4, such as 16, 22, 28 or 40"
            )
        self.stem = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        stages: list[nn.Module] = []
        inputs = 16
        for stage in range(3):
            outputs = 16 * 2**stage * width
            for position in range(blocks):
                stride = 2 if stage > 0 and position == 0 else 1
                stages.append(WideBlock(inputs, outputs, stride, dropout))
                inputs = outputs
        self.body = nn.Sequential(*stages, nn.BatchNorm2d(inputs), nn.ReLU(inplace=True))
        self.features = inputs
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
        he_initialise(self)

    def feature_map(self, images: Tensor) -> Tensor:
        """``(B, channels, H, W) -> (B, features, H / 4, W / 4)``."""
        maps: Tensor = self.body(self.stem(images))
        return maps
