"""The network that the settings name, behind the scaling of pixels that it expects.

Networks with published weights are built without them, from a description that the facts of the data carry;
the weights are put in when a training starts. So a trained run opens again without the hub or package index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from fivefold.config.image_network import ImageNetworkConfig
from fivefold.data.dataset import Facts
from fivefold.errors import ConfigError
from fivefold.nn.backbone import build_backbone, load_backbone
from fivefold.nn.conv import CompactCNN
from fivefold.nn.efficientnet import EfficientNetLite0, efficientnet_lite0_imagenet
from fivefold.nn.preprocessing import ImageInput
from fivefold.nn.resnet import ResNet
from fivefold.nn.volume import VolumeCNN
from fivefold.nn.wide_resnet import WideResNet

SMALL = 64
"""Images up to this side are taken for small ones."""
RESNETS = {"resnet18": 18, "resnet34": 34, "resnet50": 50}


class ImageNetwork(nn.Module):
    """Scales pixels, then runs the network behind.

    The scaling lives in buffers, so that the state dict is the whole model.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        mean: Sequence[float],
        std: Sequence[float],
        *,
        channels: int,
        axes: int = 2,
        learns: nn.Module | None = None,
    ) -> None:
        """Settings.

        Args:
            backbone: ``(B, channels, H, W)``, or ``(B, channels, D, H, W)`` of volumes, to logits ``(B, K)``.
            mean: of each channel of the images, in units of 0 to 255.
            std: likewise.
            channels: what the backbone reads; grey images are repeated where it reads colour.
            axes: 2 for images, 3 for volumes.
            learns: the part of the backbone that is trained while the rest is frozen; all where not given.
        """
        super().__init__()
        self.backbone = backbone
        self.channels = channels
        each = (1, -1, *[1] * axes)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(each))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(each))
        self._learns = [] if learns is None else [learns]  # in a list, so that it is not a module twice
        for part in self._learns:
            backbone.requires_grad_(requires_grad=False)
            part.requires_grad_(requires_grad=True)

    def train(self, mode: bool = True) -> Self:
        """As any module; a frozen backbone keeps its running statistics and drops nothing."""
        super().train(mode)
        for part in self._learns:
            self.backbone.eval()
            part.train(mode)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Pixels ``(B, C, H, W)`` or ``(B, C, D, H, W)``, uint8 or float from 0 to 255, to logits ``(B, K)``."""
        if x.shape[1] < self.channels:
            x = x.expand(-1, self.channels, *x.shape[2:])
        logits: Tensor = self.backbone((x.to(self.mean.dtype) - self.mean) / self.std)
        return logits


def has_published_weights(config: ImageNetworkConfig) -> bool:
    """Whether the kind of network is one that is usually not trained from scratch."""
    return config.kind in {"efficientnet-lite0", "huggingface"}


def describe_backbone(config: ImageNetworkConfig) -> dict[str, Any] | None:
    """A huggingface backbone as plain values: ``size`` of its images, ``network``; None for other kinds.

    Published weights are fetched here, so that a training that cannot have them ends before it begins.

    Raises:
        ConfigError: the backbone reads text.
        DataError: the weights could not be fetched, or are not a model.
        DependencyError: a huggingface backbone without the package transformers.
    """
    if config.kind == "huggingface":
        backbone = load_backbone(str(config.name))
        if backbone.image is None:
            raise ConfigError(
                f"model.name '{config.name}': expected a network that reads images, found one for text"
            )
        return {"size": backbone.image.size, "network": backbone.describe()}
    if config.kind == "efficientnet-lite0" and config.pretrained is not False:
        efficientnet_lite0_imagenet()
    return None


def build_network(config: ImageNetworkConfig, data: Facts, outputs: int) -> ImageNetwork:
    """The network for images as ``data`` state them (size, channels, mean, std), with fresh weights.

    Where they state a ``depth`` as well, they are volumes, for which there is the cnn with a third axis.

    Args:
        config: which network.
        data: facts of the training split.
        outputs: how many logits it gives.

    Raises:
        ConfigError: there is no such network.
        DependencyError: a huggingface backbone without the package transformers.
    """
    if data.get("depth"):
        return _of_volumes(config, data, outputs)
    if config.kind == "huggingface":
        return _hugging_face(config, data, outputs)
    if config.kind == "efficientnet-lite0":
        network = EfficientNetLite0(outputs, data.channels)
        return _as_trained(network, network.image, network.head if config.freeze else None)
    return ImageNetwork(_from_scratch(config, data, outputs), data.mean, data.std, channels=data.channels)


def load_published(network: ImageNetwork, config: ImageNetworkConfig, data: Facts, outputs: int) -> None:
    """Put published weights into ``network``, where the settings ask for them; its last layer stays fresh.

    Raises:
        DataError: the weights could not be fetched, or are not a model.
    """
    if not has_published_weights(config) or config.pretrained is False:
        return
    if config.kind == "huggingface":
        published = load_backbone(str(config.name)).state_dict()
        network.backbone.get_submodule("0").load_state_dict(published)
        return
    trained = efficientnet_lite0_imagenet(outputs, data.channels).state_dict()
    own = network.backbone.state_dict()
    kept = {name: own[name] for name in own if name.startswith("head.")}
    network.backbone.load_state_dict(trained | kept)


def _of_volumes(config: ImageNetworkConfig, data: Facts, outputs: int) -> ImageNetwork:
    if config.kind != "cnn":
        raise ConfigError(
            f"model.kind {config.kind} reads images, and the data are volumes; expected cnn, which has a third axis "
            "for them"
        )
    network = VolumeCNN(data.channels, outputs, config.width or 16, dropout=config.dropout or 0.0)
    return ImageNetwork(network, data.mean, data.std, channels=data.channels, axes=3)


def _from_scratch(config: ImageNetworkConfig, data: Facts, outputs: int) -> nn.Module:
    channels = data.channels
    if config.kind == "cnn":
        return CompactCNN(channels, outputs, config.width or 32, dropout=config.dropout or 0.0)
    if config.kind == "wide-resnet":
        return WideResNet(
            config.depth or 28, config.width or 10, channels, outputs, dropout=config.dropout or 0.0
        )
    stem = config.stem or ("small" if max(data.size) <= SMALL else "large")
    return ResNet(RESNETS[config.kind], channels, outputs, stem)


def _hugging_face(config: ImageNetworkConfig, data: Facts, outputs: int) -> ImageNetwork:
    body = build_backbone(data.backbone["network"])
    head = nn.Linear(body.features, outputs)
    return _as_trained(nn.Sequential(body, head), body.image, head if config.freeze else None)


def _as_trained(network: nn.Module, image: ImageInput | None, learns: nn.Module | None) -> ImageNetwork:
    """Behind the scaling that its published weights expect, which is given for images in 0 to 1."""
    if image is None:
        raise ConfigError("expected a backbone that reads images, found one for text; name another")
    mean, std = ([255 * value for value in values] for values in (image.mean, image.std))
    return ImageNetwork(network, mean, std, channels=image.channels, learns=learns)
