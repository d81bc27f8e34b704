import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fivefold.errors import ConfigError
from fivefold.nn import ResNet, WideResNet


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("depth", "parameters"), [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032)])
def test_imagenet_parameter_counts_are_the_published(depth: int, parameters: int) -> None:
    with torch.device("meta"):
        assert count(ResNet(depth, 3, 1000, stem="large")) == parameters


def test_wide_resnet_28_10_has_36_and_a_half_million_parameters() -> None:
    with torch.device("meta"):
        assert count(WideResNet(28, 10, 3, 10)) == 36_479_194


@pytest.mark.parametrize(
    ("depth", "stem", "size", "edge", "features"),
    [
        (18, "small", 32, 4, 512),
        (34, "large", 64, 2, 512),
        (50, "small", 28, 4, 2048),
        (50, "large", 224, 7, 2048),
    ],
)
def test_shapes(depth: int, stem: str, size: int, edge: int, features: int) -> None:
    with torch.device("meta"):
        network = ResNet(depth, 1, 7, stem=stem)
        images = torch.empty(2, 1, size, size)
        assert network.features == features
        assert network.feature_map(images).shape == (2, features, edge, edge)
        assert network(images).shape == (2, 7)


def test_wide_resnet_shapes() -> None:
    network = WideResNet(10, 2, 1, 7, dropout=0.3)
    images = torch.randn(2, 1, 28, 28)
    assert network.feature_map(images).shape == (2, network.features, 7, 7)
    assert network(images).shape == (2, 7)


@pytest.mark.parametrize("depth", [18, 50])
def test_blocks_without_projection_start_as_rectified_identities(depth: int) -> None:
    block = ResNet(depth, 3, 5).body[1].eval()
    channels = block.body[0].convolution.in_channels
    images = torch.randn(2, channels, 4, 4)
    torch.testing.assert_close(block(images), images.relu())


@pytest.mark.parametrize("make", [lambda: ResNet(18, 1, 3), lambda: WideResNet(10, 1, 1, 3)])
def test_gradients_reach_every_parameter_after_one_step(make) -> None:
    torch.manual_seed(0)
    network = make()
    images, classes = torch.randn(3, 1, 16, 16), torch.arange(3)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    for _ in range(2):  # the zero scale of each block's last norm holds back the first step's gradients
        optimizer.zero_grad()
        F.cross_entropy(network(images), classes).backward()
        optimizer.step()
    missing = [name for name, parameter in network.named_parameters() if not parameter.grad.abs().sum() > 0]
    assert missing == []


@pytest.mark.parametrize("make", [lambda: ResNet(18, 1, 3), lambda: WideResNet(10, 1, 1, 3)])
def test_samples_do_not_mix_in_evaluation(make) -> None:
    network = make().eval()
    images = torch.randn(3, 1, 16, 16)
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(network(images), alone, atol=1e-4, rtol=1e-4)


def test_unknown_depth() -> None:
    with pytest.raises(ConfigError, match=r"depth 20 is not known; choose one of 18, 34, 50"):
        ResNet(20, 3, 10)


def test_unknown_stem() -> None:
    with pytest.raises(ConfigError, match="stem 'medium' is not known; choose 'small'"):
        ResNet(18, 3, 10, stem="medium")  # type: ignore[arg-type] - that is the test


@pytest.mark.parametrize("depth", [4, 9, 27, 30])
def test_wide_resnet_depth_that_does_not_exist(depth: int) -> None:
    with pytest.raises(ConfigError, match=f"depth {depth} does not exist; choose 6 n"):
        WideResNet(depth, 10, 3, 10)
