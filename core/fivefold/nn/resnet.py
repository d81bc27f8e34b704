"""Residual networks of depth 18, 34 and 50.

He, Zhang, Ren, Sun 2015, "Deep residual learning for image recognition", arXiv:1512.03385; the bottleneck
strides in its 3x3 convolution, and the last norm of each block starts at zero (Goyal et al. 2017,
arXiv:1706.02677).
Shapes: ``B`` batch, ``C`` channels, ``H W`` height and width.
"""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from fivefold.errors import ConfigError
from fivefold.nn.conv import ConvBlock
from fivefold.nn.feature_map import FeatureMapNetwork
from fivefold.nn.initialise import he_initialise


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: ``(B, inputs, H, W) -> (B, width, H / stride, W / stride)``."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvBlock(inputs, width, stride=stride),
            ConvBlock(width, width, activate=False),
        )
        self.shortcut = _shortcut(inputs, width * self.expansion, stride)

    def forward(self, images: Tensor) -> Tensor:
        """``(B, inputs, H, W) -> (B, width, H / stride, W / stride)``."""
        return F.relu(self.body(images) + self.shortcut(images))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 beside a shortcut: ``(B, inputs, H, W) -> (B, 4 width, H / stride, W / stride)``."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvBlock(inputs, width, kernel=1),
            ConvBlock(width, width, stride=stride),
            ConvBlock(width, width * self.expansion, kernel=1, activate=False),
        )
        self.shortcut = _shortcut(inputs, width * self.expansion, stride)

    def forward(self, images: Tensor) -> Tensor:
        """``(B, inputs, H, W) -> (B, 4 width, H / stride, W / stride)``."""
        return F.relu(self.body(images) + self.shortcut(images))


_BLOCKS: dict[int, tuple[type[BasicBlock | Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
}


class ResNet(FeatureMapNetwork):
    """A residual network.

    Args:
        depth: 18, 34 or 50.
        channels: channels of the images.
        classes: logits.
        stem: ``small`` is a 3x3 convolution at full resolution, for images up to about 64 pixels;
            ``large`` is the paper's 7x7 of stride 2 with max-pooling, for images of about 224.

    Attributes:
        features: channels of the feature map (512, or 2048 at depth 50).

    Raises:
        ConfigError: no such depth or stem.
    """

    def __init__(
        self, depth: int, channels: int, classes: int, stem: Literal["small", "large"] = "small"
    ) -> None:
        super().__init__()
        if depth not in _BLOCKS:
            raise ConfigError(
                f"a ResNet of depth {depth} is not known; choose one of {', '.join(map(str, _BLOCKS))}"
            )
        block, repeats = _BLOCKS[depth]
        self.stem = _stem(stem, channels)
        stages: list[nn.Module] = []
        inputs = 64
        for stage, count in enumerate(repeats):
            width = 64 * 2**stage
            for position in range(count):
                stride = 2 if stage > 0 and position == 0 else 1
                stages.append(block(inputs, width, stride))
                inputs = width * block.expansion
        self.body = nn.Sequential(*stages)
        self.features = inputs
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
        he_initialise(self)
        for module in self.body:
            _zero_last_norm(module)

    def feature_map(self, images: Tensor) -> Tensor:
        """``(B, channels, H, W) -> (B, features, H / 8, W / 8)``; with the large stem a 32nd."""
        maps: Tensor = self.body(self.stem(images))
        return maps


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    """The identity, or a 1x1 projection where the shape changes (the paper's option B)."""
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return ConvBlock(inputs, outputs, kernel=1, stride=stride, activate=False)


def _stem(name: str, channels: int) -> nn.Module:
    if name == "small":
        return ConvBlock(channels, 64)
    if name == "large":
        return nn.Sequential(
            ConvBlock(channels, 64, kernel=7, stride=2), nn.MaxPool2d(3, stride=2, padding=1)
        )
    raise ConfigError(
        f"a ResNet stem '{name}' is not known; choose 'small' (3x3) or 'large' (7x7 with max-pooling)"
    )


def _zero_last_norm(block: nn.Module) -> None:
    """Let the residual block start as the identity."""
    norms = [module for module in block.get_submodule("body").modules() if isinstance(module, nn.BatchNorm2d)]
    nn.init.zeros_(norms[-1].weight)
