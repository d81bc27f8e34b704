"""EfficientNet-Lite0: a small ImageNet network without squeeze-and-excitation, with ReLU6.

Tan & Le 2019, "EfficientNet", arXiv:1905.11946; the Lite variant: Liu 2020, TensorFlow blog, 16 March
2020. 4,652,008 parameters, 75.1 % ImageNet top-1 as published.
Shapes: ``B`` batch, ``C`` channels, ``H W`` height and width.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from fivefold.data.sources.base import Progress
from fivefold.errors import ConfigError, DataError
from fivefold.nn.feature_map import FeatureMapNetwork
from fivefold.nn.initialise import he_initialise
from fivefold.nn.preprocessing import ImageInput
from fivefold.nn.same_conv import SameConv2d
from fivefold.nn.stochastic_depth import StochasticDepth
from fivefold.nn.weights import load_weights

IMAGENET_MANIFEST = "fivefold_data:weights/efficientnet-lite0.yaml"
IMAGENET_CLASSES = 1000

# expansion, channels, blocks, stride of the first block, kernel (table 1 of the paper)
_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
_STEM, _TOP = 32, 1280
_SIZE = 224


class _Block(nn.Module):
    """SAME convolution, batch normalisation with TensorFlow's constants, ReLU6."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        *,
        groups: int = 1,
        activate: bool = True,
    ) -> None:
        super().__init__()
        self.convolution = SameConv2d(inputs, outputs, kernel, stride, groups=groups)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.activation = nn.ReLU6(inplace=True) if activate else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """``(B, inputs, H, W) -> (B, outputs, ceil(H / stride), ceil(W / stride))``."""
        outputs: Tensor = self.activation(self.norm(self.convolution(images)))
        return outputs


class InvertedResidual(nn.Module):
    """Expand, convolve each channel apart, project (Sandler et al. 2018, arXiv:1801.04381).

    ``(B, inputs, H, W) -> (B, outputs, ceil(H / stride), ceil(W / stride))``; added to its input where the
    shapes agree.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int, drop_path: float
    ) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = _Block(inputs, hidden, 1) if expansion > 1 else nn.Identity()
        self.depthwise = _Block(hidden, hidden, kernel, stride, groups=hidden)
        self.project = _Block(hidden, outputs, 1, activate=False)
        self.residual = stride == 1 and inputs == outputs
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, images: Tensor) -> Tensor:
        """``(B, inputs, H, W) -> (B, outputs, ceil(H / stride), ceil(W / stride))``."""
        branch: Tensor = self.project(self.depthwise(self.expand(images)))
        return images + self.drop_path(branch) if self.residual else branch


class EfficientNetLite0(FeatureMapNetwork):
    """EfficientNet-Lite0; see `efficientnet_lite0_imagenet` for trained weights.

    Args:
        classes: logits.
        channels: channels of the images.
        dropout: before the classifier.
        drop_path: rate of stochastic depth at the last block; it rises linearly from 0 at the first.

    Attributes:
        features: channels of the feature map, 1280.
        image: what images should be: 224 pixels square and ``(x - 127) / 128`` on 0 to 255.
    """

    features = _TOP

    def __init__(
        self,
        classes: int = IMAGENET_CLASSES,
        channels: int = 3,
        *,
        dropout: float = 0.2,
        drop_path: float = 0.2,
    ) -> None:
        super().__init__()
        self.image = ImageInput(channels, _SIZE, (127 / 255,) * channels, (128 / 255,) * channels)
        self.stem = _Block(channels, _STEM, 3, 2)
        self.blocks = nn.Sequential(*_blocks(drop_path))
        self.top = _Block(_STAGES[-1][1], _TOP, 1)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(_TOP, classes)
        )
        he_initialise(self)

    def feature_map(self, images: Tensor) -> Tensor:
        """``(B, channels, H, W) -> (B, 1280, H / 32, W / 32)``."""
        maps: Tensor = self.top(self.blocks(self.stem(images)))
        return maps


def efficientnet_lite0_imagenet(
    classes: int = IMAGENET_CLASSES,
    channels: int = 3,
    *,
    dropout: float = 0.2,
    drop_path: float = 0.2,
    manifest: str = IMAGENET_MANIFEST,
    progress: Progress | None = None,
) -> EfficientNetLite0:
    """EfficientNet-Lite0 with weights trained on ImageNet, fetched on first use (19 MB).

    Args:
        classes: logits; other than 1000 the classifier starts afresh.
        channels: 3, or 1 for grey images (the first layer's weights are summed over colours, which gives the
            outputs that the grey image repeated three times would).
        dropout: before the classifier.
        drop_path: rate of stochastic depth at the last block.
        manifest: the manifest of the weights, ``package:file.yaml``.
        progress: called with a name, bytes done and bytes in all while fetching.

    Raises:
        ConfigError: neither 1 nor 3 channels.
        DataError: the weights cannot be fetched or are not those of this network.
    """
    if channels not in {1, 3}:
        raise ConfigError(
            f"ImageNet weights read images of 1 or 3 channels, found {channels}; convert the images to RGB "
            "or train the network from scratch"
        )
    state = translate(load_weights(manifest, progress=progress), manifest)
    if channels == 1:
        state["stem.convolution.weight"] = state["stem.convolution.weight"].sum(dim=1, keepdim=True)
    network = EfficientNetLite0(classes, channels, dropout=dropout, drop_path=drop_path)
    if classes != IMAGENET_CLASSES:
        own = network.state_dict()
        state |= {name: own[name] for name in own if name.startswith("head.")}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise DataError(
            f"{manifest}: these are not weights of EfficientNet-Lite0 ({' '.join(str(error).split())}); "
            "name a manifest whose weights are"
        ) from error
    return network


def translate(weights: Mapping[str, Tensor], origin: str) -> dict[str, Tensor]:
    """Weights under the names of the published checkpoint, under the names used here.

    Raises:
        DataError: a name that the published checkpoint does not have; ``origin`` says whose it is.
    """
    return {_translate(name, origin): tensor for name, tensor in weights.items()}


_TOP_NAMES = {
    "_conv_stem": "stem.convolution",
    "_bn0": "stem.norm",
    "_conv_head": "top.convolution",
    "_bn1": "top.norm",
    "_fc": "head.3",
}
_BLOCK_NAMES = {
    "_expand_conv": "expand.convolution",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.convolution",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.convolution",
    "_bn2": "project.norm",
}
_PUBLISHED = re.compile(r"(?:_blocks\.(?P<block>\d+)\.)?(?P<layer>_\w+)\.(?P<value>\w+)")


def _translate(name: str, origin: str) -> str:
    """``_blocks.1._bn0.weight`` is ``blocks.1.expand.norm.weight``, ``_fc.bias`` is ``head.3.bias``."""
    found = _PUBLISHED.fullmatch(name)
    block = found["block"] if found else None
    layer = (_TOP_NAMES if block is None else _BLOCK_NAMES).get(found["layer"]) if found else None
    if found is None or layer is None:
        raise DataError(
            f"{origin}: '{name}' is no weight of EfficientNet-Lite0; name a manifest whose weights are"
        )
    prefix = "" if block is None else f"blocks.{block}."
    return f"{prefix}{layer}.{found['value']}"


def _blocks(drop_path: float) -> list[InvertedResidual]:
    count = sum(stage[2] for stage in _STAGES)
    blocks: list[InvertedResidual] = []
    inputs = _STEM
    for expansion, outputs, repeats, stride, kernel in _STAGES:
        for position in range(repeats):
            step = stride if position == 0 else 1
            rate = drop_path * len(blocks) / count
            blocks.append(InvertedResidual(inputs, outputs, kernel, step, expansion, rate))
            inputs = outputs
    return blocks
