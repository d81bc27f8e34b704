import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fivefold.errors import ConfigError
from fivefold.nn import Discriminator, Generator


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (32, 3), (64, 1)])
def test_shapes(size: int, channels: int) -> None:
    generator = Generator(10, channels, size, width=4)
    images = generator(torch.randn(3, 10))
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    assert Discriminator(channels, size, width=4)(images).shape == (3,)


def test_spectral_norms_are_one() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(3, 16, width=8, spectral_norm=True)
    for _ in range(50):  # power iterations advance in training
        discriminator(torch.randn(2, 3, 16, 16))
    discriminator.eval()
    layers = [layer for layer in discriminator.layers if isinstance(layer, nn.Conv2d)]
    norms = [torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item() for layer in layers]
    assert norms == pytest.approx([1.0] * len(layers), abs=0.05)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in discriminator.layers)


@pytest.mark.parametrize("spectral", [False, True])
def test_gradients_reach_the_generator_through_the_discriminator(spectral: bool) -> None:
    generator, discriminator = (
        Generator(6, 1, 16, width=4),
        Discriminator(1, 16, width=4, spectral_norm=spectral),
    )
    F.softplus(-discriminator(generator(torch.randn(4, 6)))).mean().backward()
    for network in (generator, discriminator):
        assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("size", [0, 4, 28, 48])
@pytest.mark.parametrize("make", [lambda size: Generator(6, 1, size), lambda size: Discriminator(1, size)])
def test_sizes_that_are_no_power_of_two(make, size: int) -> None:
    with pytest.raises(ConfigError, match=f"power of two from 8, found {size}; resize"):
        make(size)
