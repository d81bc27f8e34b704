"""Residual generator and discriminator, as GANs with spectral normalisation have them.

Miyato et al. 2018, arXiv:1802.05957, appendix B; Gulrajani et al. 2017, arXiv:1704.00028.
Shapes: ``B`` batch, ``Z`` latent width, ``C`` channels, ``S`` edge of the square image.
"""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.config.adversarial import DiscriminatorConfig, DiscriminatorNorm, GeneratorConfig
from fivefold.nn.generation.head import ProjectionHead
from fivefold.nn.generation.norms import ConditionalNorm, NormKind
from fivefold.nn.generation.sizes import base_of, widths_of
from fivefold.nn.generation.spectral import spectrally_normalised


class ResidualGenerator(nn.Module):
    """Images from noise: ``(B, Z)`` to ``(B, channels, S, S)`` in ``[-1, 1]``.

    Arguments, attributes and errors are those of `DCGANGenerator`; the config's ``width`` is that at the whole edge.
    """

    def __init__(self, config: GeneratorConfig, channels: int, size: int, classes: int = 0) -> None:
        super().__init__()
        widths = widths_of(size, config.width, config.widest)
        widths = [min(2 * widths[0], config.widest), *widths]
        self.latent = config.latent
        self.start = nn.ConvTranspose2d(config.latent, widths[0], base_of(size))
        self.blocks = nn.ModuleList(
            [_UpResidual(inputs, outputs, classes, config.norm) for inputs, outputs in pairwise(widths)]
        )
        self.norm = ConditionalNorm(widths[-1], 0, config.norm)
        self.last = nn.Conv2d(widths[-1], channels, 3, padding=1)
        _initialise(self)

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """Noise ``(B, Z)`` and classes int64 ``(B,)`` to images."""
        maps: Tensor = self.start(noise[:, :, None, None])
        for block in self.blocks:
            maps = block(maps, labels)
        images: Tensor = self.last(F.relu(self.norm(maps), inplace=True))
        return images.tanh_()


class ResidualDiscriminator(nn.Module):
    """A score for each image, high for real: ``(B, channels, S, S)`` to ``(B,)``.

    Arguments and errors are those of `DCGANDiscriminator`; the config's ``width`` is that of the first block.
    """

    def __init__(self, config: DiscriminatorConfig, channels: int, size: int, classes: int = 0) -> None:
        super().__init__()
        widths = widths_of(size, config.width, config.widest)[::-1]
        blocks = [_DownResidual(channels, widths[0], config.norm, first=True)]
        blocks += [_DownResidual(inputs, outputs, config.norm) for inputs, outputs in pairwise(widths)]
        blocks.append(_DownResidual(widths[-1], widths[-1], config.norm, halves=False))
        self.blocks = nn.ModuleList(blocks)
        _initialise(self)
        if config.norm == "spectral":
            for layer in list(self.blocks.modules()):
                if isinstance(layer, nn.Conv2d):
                    spectrally_normalised(layer)
        self.head = ProjectionHead(widths[-1], classes, spectral=config.norm == "spectral")

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images and classes int64 ``(B,)`` to logits ``(B,)``."""
        maps = images
        for block in self.blocks:
            maps = block(maps)
        scores: Tensor = self.head(F.relu(maps).sum(dim=(2, 3)), labels)
        return scores


class _UpResidual(nn.Module):
    """Norm, ReLU, doubling, convolution, norm, ReLU, convolution, added to the doubled input."""

    def __init__(self, inputs: int, outputs: int, classes: int, norm: NormKind) -> None:
        super().__init__()
        self.first_norm = ConditionalNorm(inputs, classes, norm)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second_norm = ConditionalNorm(outputs, classes, norm)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, maps: Tensor, labels: Tensor | None) -> Tensor:
        inner = F.relu(self.first_norm(maps, labels), inplace=True)
        inner = self.first(F.interpolate(inner, scale_factor=2.0, mode="nearest"))
        inner = self.second(F.relu(self.second_norm(inner, labels), inplace=True))
        # A 1x1 convolution and the repetition of pixels may change places, and before it there is a quarter to do.
        added: Tensor = inner + F.interpolate(self.shortcut(maps), scale_factor=2.0, mode="nearest")
        return added


class _DownResidual(nn.Module):
    """ReLU, convolution, ReLU, convolution, halving, added to the halved input; the first block sees raw pixels."""

    def __init__(
        self, inputs: int, outputs: int, norm: DiscriminatorNorm, *, first: bool = False, halves: bool = True
    ) -> None:
        super().__init__()
        self.sees_pixels = first
        self.halves = halves
        self.first_norm = _norm(inputs, norm) if not first else nn.Identity()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second_norm = _norm(outputs, norm)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if halves or inputs != outputs else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        inner = maps if self.sees_pixels else F.relu(self.first_norm(maps))
        inner = self.second(F.relu(self.second_norm(self.first(inner)), inplace=True))
        if not self.halves:
            added: Tensor = inner + self.shortcut(maps)
            return added
        # Averaged first, the 1x1 convolution gives the same from a quarter of the pixels.
        halved: Tensor = F.avg_pool2d(inner, 2) + self.shortcut(F.avg_pool2d(maps, 2))
        return halved


def _norm(channels: int, norm: DiscriminatorNorm) -> nn.Module:
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.Identity()


def _initialise(module: nn.Module) -> None:
    """Glorot's uniform distribution, of twice the variance where a ReLU follows, as the papers have it."""
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            inside = name.endswith((".first", ".second"))
            nn.init.xavier_uniform_(layer.weight, math.sqrt(2) if inside else 1.0)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
