"""The generator and the discriminator that the settings name."""

from __future__ import annotations

from torch import nn

from fivefold.config.adversarial import DiscriminatorConfig, GeneratorConfig
from fivefold.nn.generation.dcgan import DCGANDiscriminator, DCGANGenerator
from fivefold.nn.generation.residual import ResidualDiscriminator, ResidualGenerator

GENERATORS = {"dcgan": DCGANGenerator, "resnet": ResidualGenerator}
DISCRIMINATORS = {"dcgan": DCGANDiscriminator, "resnet": ResidualDiscriminator}


def build_generator(config: GeneratorConfig, channels: int, size: int, classes: int = 0) -> nn.Module:
    """Noise ``(B, latent)`` and classes int64 ``(B,)`` to images ``(B, channels, size, size)`` in ``[-1, 1]``.

    Args:
        config: which network.
        channels: of the images.
        size: their edge.
        classes: how many classes there are; 0 for images without.

    Raises:
        ConfigError: there is no network for the size.
    """
    return GENERATORS[config.kind](config, channels, size, classes)


def build_discriminator(config: DiscriminatorConfig, channels: int, size: int, classes: int = 0) -> nn.Module:
    """Images ``(B, channels, size, size)`` and classes int64 ``(B,)`` to logits ``(B,)``.

    Arguments and errors are those of `build_generator`.
    """
    return DISCRIMINATORS[config.kind](config, channels, size, classes)
