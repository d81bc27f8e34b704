"""The generator and the discriminator of a deep convolutional GAN.

Radford, Metz, Chintala 2015, arXiv:1511.06434; spectral normalisation: Miyato et al. 2018, arXiv:1802.05957.
Shapes: ``B`` batch, ``Z`` latent width, ``C`` channels, ``S`` edge of the square image.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as spectral

from fivefold.errors import ConfigError

_BASE = 4  # edge of the smallest feature map
_SPREAD = 0.02  # standard deviation of the initial weights, as the paper has it


class Generator(nn.Module):
    """Images from noise: ``(B, latent) -> (B, channels, size, size)`` in ``[-1, 1]``.

    Args:
        latent: width ``Z`` of the noise.
        channels: channels of the images.
        size: edge of the images, a power of two from 8.
        width: channels before the last layer; they double with each halving of the edge.

    Raises:
        ConfigError: the size is not a power of two from 8.
    """

    def __init__(self, latent: int, channels: int, size: int, width: int = 64) -> None:
        super().__init__()
        doublings = _doublings(size)
        outputs = width * 2 ** (doublings - 1)
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(latent, outputs, _BASE, bias=False),  # (B, Z, 1, 1) -> (B, outputs, 4, 4)
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
        for _ in range(doublings - 1):
            layers += [
                nn.ConvTranspose2d(outputs, outputs // 2, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outputs // 2),
                nn.ReLU(inplace=True),
            ]
            outputs //= 2
        layers += [nn.ConvTranspose2d(outputs, channels, 4, stride=2, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.latent = latent
        _initialise(self)

    def forward(self, noise: Tensor) -> Tensor:
        """``(B, Z) -> (B, C, S, S)``."""
        images: Tensor = self.layers(noise[:, :, None, None])
        return images


class Discriminator(nn.Module):
    """A score for each image, high for real: ``(B, channels, size, size) -> (B,)`` logits.

    Args:
        channels: channels of the images.
        size: edge of the images, a power of two from 8.
        width: channels of the first layer; they double with each halving of the edge.
        spectral_norm: whether each layer's spectral norm is held at 1 instead of normalising batches.

    Raises:
        ConfigError: the size is not a power of two from 8.
    """

    def __init__(self, channels: int, size: int, width: int = 64, *, spectral_norm: bool = False) -> None:
        super().__init__()
        halvings = _doublings(size)
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for _ in range(halvings - 1):
            layers.append(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=spectral_norm))
            if not spectral_norm:
                layers.append(nn.BatchNorm2d(2 * width))
            layers.append(nn.LeakyReLU(0.2))
            width *= 2
        layers.append(nn.Conv2d(width, 1, _BASE))  # (B, width, 4, 4) -> (B, 1, 1, 1)
        self.layers = nn.Sequential(*layers)
        _initialise(self)
        if spectral_norm:
            for layer in self.layers:
                if isinstance(layer, nn.Conv2d):
                    spectral(layer)

    def forward(self, images: Tensor) -> Tensor:
        """``(B, C, S, S) -> (B,)``."""
        scores: Tensor = self.layers(images)
        return scores.flatten()


def _doublings(size: int) -> int:
    """How often 4 is doubled to make ``size``."""
    doublings = (size // _BASE).bit_length() - 1
    if doublings < 1 or _BASE * 2**doublings != size:
        raise ConfigError(
            f"a DCGAN's image size must be a power of two from 8, found {size}; resize images to 32 or 64"
        )
    return doublings


def _initialise(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, _SPREAD)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, _SPREAD)
