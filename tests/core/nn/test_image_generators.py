"""Generators and discriminators of images: shapes, classes, spectral norms, layout; losses and penalties by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from fivefold.config.adversarial import DiscriminatorConfig, GeneratorConfig
from fivefold.errors import ConfigError
from fivefold.nn.generation.build import build_discriminator, build_generator
from fivefold.nn.generation.head import ProjectionHead
from fivefold.nn.generation.losses import accuracy, discriminator_loss, generator_loss
from fivefold.nn.generation.norms import ConditionalNorm
from fivefold.nn.generation.penalties import interpolation_penalty, scored_with_slope
from fivefold.nn.generation.spectral import SpectralNorm, spectrally_normalised
from fivefold.training.speed.precision import lay_out_channels_last

KINDS = ("dcgan", "resnet")


def networks(
    kind: str, size: int, channels: int = 3, classes: int = 0, **norm: str
) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    generator = GeneratorConfig(kind=kind, latent=6, width=2, widest=8, norm=norm.get("generator", "batch"))
    discriminator = DiscriminatorConfig(
        kind=kind, width=2, widest=8, norm=norm.get("discriminator", "spectral")
    )
    return (
        build_generator(generator, channels, size, classes),
        build_discriminator(discriminator, channels, size, classes),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (64, 1), (128, 3), (256, 1)])
@pytest.mark.parametrize("classes", [0, 3])
def test_shapes(kind: str, size: int, channels: int, classes: int) -> None:
    generator, discriminator = networks(kind, size, channels, classes)
    labels = torch.tensor([0, 2]) if classes else None
    images = generator(torch.randn(2, 6), labels)
    assert images.shape == (2, channels, size, size)
    assert images.abs().max() <= 1
    assert discriminator(images, labels).shape == (2,)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", ["spectral", "batch", "none"])
def test_gradients_reach_every_weight(kind: str, norm: str) -> None:
    generator, discriminator = networks(kind, 28, 1, 3, discriminator=norm)
    labels = torch.tensor([0, 1, 2, 1])
    discriminator(generator(torch.randn(4, 6), labels), labels).sum().backward()
    for network in (generator, discriminator):
        assert [name for name, value in network.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize("kind", KINDS)
def test_other_classes_make_other_images_and_scores(kind: str) -> None:
    generator, discriminator = networks(kind, 32, 3, 4)
    for table in generator.modules():
        if isinstance(table, nn.Embedding):
            nn.init.normal_(table.weight, 1.0, 0.5)
    noise = torch.randn(1, 6).expand(4, -1)
    generator.eval()
    discriminator.eval()
    labels = torch.arange(4)
    images = generator(noise, labels)
    assert torch.pdist(images.flatten(1)).min() > 1e-4
    assert discriminator(images[:1].expand(4, -1, -1, -1), labels).std() > 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_group_norm_makes_each_image_alone(kind: str) -> None:
    generator, _ = networks(kind, 32, generator="group")
    noise = torch.randn(5, 6)
    torch.testing.assert_close(generator(noise)[1:3], generator(noise[1:3]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_images_stay_laid_out_as_the_weights_are(kind: str) -> None:
    generator, discriminator = networks(kind, 32, classes=2)
    noise, labels = torch.randn(3, 6), torch.tensor([0, 1, 1])
    plain = generator.eval()(noise, labels)
    scores = discriminator.eval()(plain, labels)
    assert plain.is_contiguous()
    lay_out_channels_last(generator)
    lay_out_channels_last(discriminator)
    images = generator(noise, labels)
    assert images.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(images, plain, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(discriminator(images, labels), scores, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [0, 16, 48, 512])
@pytest.mark.parametrize("kind", KINDS)
def test_sizes_without_a_network(kind: str, size: int) -> None:
    with pytest.raises(ConfigError, match=rf"an edge of 28, 32, 64, 128, 256 pixels, found {size}; resize"):
        build_generator(GeneratorConfig(kind=kind), 1, size)
    with pytest.raises(ConfigError, match=f"found {size}; resize"):
        build_discriminator(DiscriminatorConfig(kind=kind), 1, size)


# Spectral norm


def test_spectral_norms_are_one() -> None:
    for kind in KINDS:
        _, discriminator = networks(kind, 32, classes=3)
        for _ in range(60):  # power iterations advance in training
            discriminator(torch.randn(2, 3, 32, 32), torch.tensor([0, 1]))
        discriminator.eval()
        layers = [layer for layer in discriminator.modules() if hasattr(layer, "parametrizations")]
        norms = [torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item() for layer in layers]
        assert len(norms) >= 5
        assert norms == pytest.approx([1.0] * len(norms), abs=0.03)


def test_spectral_norm_as_torch_has_it() -> None:
    torch.manual_seed(1)
    plain = nn.Conv2d(5, 7, 3)
    found = spectrally_normalised(nn.Conv2d(5, 7, 3))
    found.parametrizations.weight.original.data.copy_(plain.weight)
    expected = nn.utils.parametrizations.spectral_norm(plain, n_power_iterations=50)
    for _ in range(50):
        found(torch.zeros(1, 5, 3, 3))
    for layer in (found, expected):
        layer(torch.zeros(1, 5, 3, 3))
        (layer.weight * torch.arange(5 * 7 * 9.0).view(7, 5, 3, 3)).sum().backward()
    torch.testing.assert_close(found.weight, expected.weight, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        found.parametrizations.weight.original.grad,
        expected.parametrizations.weight.original.grad,
        atol=5e-2,
        rtol=1e-3,
    )


def test_spectral_norm_is_still_in_evaluation_and_exact_under_autocast() -> None:
    torch.manual_seed(0)
    weight = torch.randn(6, 4, 3, 3)
    norm = SpectralNorm(weight)
    before = norm.left.clone()
    norm.eval()
    first = norm(weight)
    assert torch.equal(norm.left, before)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(norm(weight), first)
    assert not torch.equal((norm.train()(weight), norm.left)[1], before)


# Classes


def test_conditional_norm_by_hand() -> None:
    norm = ConditionalNorm(2, classes=3)
    nn.init.normal_(norm.scale.weight)
    nn.init.normal_(norm.shift.weight)
    images, labels = torch.randn(4, 2, 3, 3), torch.tensor([2, 0, 1, 2])
    mean = images.mean(dim=(0, 2, 3), keepdim=True)
    spread = (images.var(dim=(0, 2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
    scale, shift = norm.scale.weight[labels], norm.shift.weight[labels]
    expected = (images - mean) / spread * scale[:, :, None, None] + shift[:, :, None, None]
    torch.testing.assert_close(norm(images, labels), expected)


def test_projection_by_hand() -> None:
    head = ProjectionHead(4, classes=3)
    features, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 2, 0])
    with torch.no_grad():
        expected = [
            float(head.score.weight[0] @ row + head.score.bias[0] + head.vectors.weight[label] @ row)
            for row, label in zip(features, labels, strict=True)
        ]
        assert head(features, labels).tolist() == pytest.approx(expected, rel=1e-5)


# Losses and penalties

REAL, FAKE = torch.tensor([2.0, -0.5, 0.3]), torch.tensor([-1.0, 0.25, 1.5])


def _softplus(values: Tensor) -> float:
    return sum(math.log1p(math.exp(value)) for value in values.tolist()) / len(values)


def test_losses_by_hand() -> None:
    expected = {
        "non-saturating": (_softplus(-REAL) + _softplus(FAKE), _softplus(-FAKE)),
        "hinge": ((0 + 1.5 + 0.7) / 3 + (0 + 1.25 + 2.5) / 3, -0.25),
        "wasserstein": (0.25 - 0.6, -0.25),
        "relativistic": (_softplus(FAKE - REAL), _softplus(REAL - FAKE)),
    }
    for kind, (discriminator, generator) in expected.items():
        real = REAL if kind == "relativistic" else None
        assert float(discriminator_loss(kind, REAL, FAKE)) == pytest.approx(discriminator, rel=1e-5)
        assert float(generator_loss(kind, FAKE, real)) == pytest.approx(generator, rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "expected"), [("hinge", (2 / 3 + 1 / 3) / 2), ("relativistic", 1 / 3), ("wasserstein", 1 / 3)]
)
def test_accuracy_by_hand(kind: str, expected: float) -> None:
    assert float(accuracy(kind, REAL, FAKE)) == pytest.approx(expected)


class Quadratic(nn.Module):
    """``a * sum x^2 + b_label``: its slope is ``2 a x``."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.7))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.scale * images.square().sum(dim=(1, 2, 3))


def test_slopes_by_hand() -> None:
    network, images = Quadratic(), torch.randn(3, 2, 4, 4)
    scores, slopes = scored_with_slope(network, images, None)
    squares = images.square().sum(dim=(1, 2, 3))
    torch.testing.assert_close(scores, 0.7 * squares)
    torch.testing.assert_close(slopes, 4 * 0.49 * squares)
    slopes.mean().backward()
    assert float(network.scale.grad) == pytest.approx(float((8 * 0.7 * squares).mean()), rel=1e-5)


def test_penalty_between_by_hand() -> None:
    network = Quadratic()
    real, fake, places = torch.randn(3, 1, 4, 4), torch.randn(3, 1, 4, 4), torch.tensor([0.0, 0.25, 1.0])
    between = real + places[:, None, None, None] * (fake - real)
    expected = (2 * 0.7 * between.flatten(1).norm(dim=1) - 1).square()
    torch.testing.assert_close(interpolation_penalty(network, real, fake, None, places), expected)
    flat = interpolation_penalty(network, 0 * real, 0 * fake, None, places)
    flat.sum().backward()
    assert flat.tolist() == pytest.approx([1.0] * 3)
    assert torch.isfinite(network.scale.grad)


def test_slopes_by_automatic_differentiation_of_a_network() -> None:
    _, network = networks("resnet", 28, 1, discriminator="none")
    images = torch.randn(3, 1, 28, 28)
    _, slopes = scored_with_slope(network, images, None)
    one_by_one = []
    for image in images:
        seen = image[None].clone().requires_grad_()
        network(seen).sum().backward()
        one_by_one.append(float(seen.grad.square().sum()))
    assert slopes.tolist() == pytest.approx(one_by_one, rel=1e-4)


def test_slopes_are_float32_under_autocast() -> None:
    _, network = networks("dcgan", 28, 1, discriminator="none")
    images = torch.randn(3, 1, 28, 28)
    expected = scored_with_slope(network, images, None)[1]
    with torch.autocast("cpu", torch.bfloat16):
        found = scored_with_slope(network, images.bfloat16().float(), None)[1]
        assert found.dtype is torch.float32
        assert network(images).dtype is torch.bfloat16
        torch.testing.assert_close(scored_with_slope(network, images, None)[1], expected)
