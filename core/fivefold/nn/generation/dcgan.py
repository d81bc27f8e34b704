"""Generator and discriminator of a deep convolutional GAN.

Radford, Metz and Chintala 2015, arXiv:1511.06434, with classes by conditional norms and projection.
Shapes: ``B`` batch, ``Z`` latent width, ``C`` channels, ``S`` edge of the square image.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.config.adversarial import DiscriminatorConfig, DiscriminatorNorm, GeneratorConfig
from fivefold.nn.generation.head import ProjectionHead
from fivefold.nn.generation.norms import ConditionalNorm, NormKind
from fivefold.nn.generation.sizes import base_of, widths_of
from fivefold.nn.generation.spectral import spectrally_normalised

_SPREAD = 0.02  # standard deviation of the initial weights, as the paper has it
_SLOPE = 0.2  # of the leaky ReLU below zero


class DCGANGenerator(nn.Module):
    """Images from noise: ``(B, Z)`` to ``(B, channels, S, S)`` in ``[-1, 1]``.

    Attributes:
        latent: width ``Z`` of the noise.

    Args:
        config: widths and norm; its ``width`` is that before the last layer.
        channels: channels of the images.
        size: their edge, one of `fivefold.nn.generation.sizes.SIZES`.
        classes: how many classes there are; 0 for images without.

    Raises:
        ConfigError: there is no network for the size.
    """

    def __init__(self, config: GeneratorConfig, channels: int, size: int, classes: int = 0) -> None:
        super().__init__()
        widths = widths_of(size, config.width, config.widest)
        self.latent = config.latent
        self.start = _Up(
            config.latent, widths[0], classes, config.norm, kernel=base_of(size), stride=1, padding=0
        )
        self.blocks = nn.ModuleList(
            [_Up(inputs, outputs, classes, config.norm) for inputs, outputs in pairwise(widths)]
        )
        self.last = nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1)
        _initialise(self)

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """Noise ``(B, Z)`` and classes int64 ``(B,)`` to images."""
        maps: Tensor = self.start(noise[:, :, None, None], labels)
        for block in self.blocks:
            maps = block(maps, labels)
        images: Tensor = self.last(maps)
        return images.tanh_()


class DCGANDiscriminator(nn.Module):
    """A score for each image, high for real: ``(B, channels, S, S)`` to ``(B,)``.

    Args:
        config: widths and norm; its ``width`` is that of the first layer.
        channels, size, classes: as the generator's.

    Raises:
        ConfigError: there is no network for the size.
    """

    def __init__(self, config: DiscriminatorConfig, channels: int, size: int, classes: int = 0) -> None:
        super().__init__()
        widths = widths_of(size, config.width, config.widest)[::-1]
        self.first = nn.Conv2d(channels, widths[0], 4, stride=2, padding=1)
        self.blocks = nn.ModuleList(
            [_Down(inputs, outputs, config.norm) for inputs, outputs in pairwise(widths)]
        )
        _initialise(self)
        if config.norm == "spectral":
            spectrally_normalised(self.first)
            for block in self.blocks:
                spectrally_normalised(block.get_submodule("convolution"))
        # On the flat features this is the paper's convolution over the whole of the last map.
        features = widths[-1] * base_of(size) ** 2
        self.head = ProjectionHead(features, classes, spectral=config.norm == "spectral")

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images and classes int64 ``(B,)`` to logits ``(B,)``."""
        maps = F.leaky_relu(self.first(images), _SLOPE, inplace=True)
        for block in self.blocks:
            maps = block(maps)
        scores: Tensor = self.head(maps.flatten(1), labels)
        return scores


class _Up(nn.Module):
    """Transposed convolution, norm, ReLU; the edge doubles by default."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        classes: int,
        norm: NormKind,
        *,
        kernel: int = 4,
        stride: int = 2,
        padding: int = 1,
    ) -> None:
        super().__init__()
        self.convolution = nn.ConvTranspose2d(
            inputs, outputs, kernel, stride=stride, padding=padding, bias=False
        )
        self.norm = ConditionalNorm(outputs, classes, norm)

    def forward(self, maps: Tensor, labels: Tensor | None) -> Tensor:
        return F.relu(self.norm(self.convolution(maps), labels), inplace=True)


class _Down(nn.Module):
    """Convolution that halves the edge, norm, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, norm: DiscriminatorNorm) -> None:
        super().__init__()
        normed = norm == "batch"
        self.convolution = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=not normed)
        self.norm = nn.BatchNorm2d(outputs) if normed else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.convolution(maps)), _SLOPE, inplace=True)


def _initialise(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, _SPREAD)
        elif isinstance(layer, nn.BatchNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, _SPREAD)
