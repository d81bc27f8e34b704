import pytest
import torch
from torch.nn import functional as F

from fivefold.nn import CompactCNN, ConvBlock, ResidualPair


def test_block_is_convolution_norm_relu() -> None:
    block = ConvBlock(3, 8, stride=2).eval()
    block.norm.running_mean.uniform_(-1, 1)
    block.norm.running_var.uniform_(0.5, 2)
    images = torch.randn(2, 3, 9, 9)
    convolved = F.conv2d(images, block.convolution.weight, stride=2, padding=1)
    mean, spread = (
        block.norm.running_mean[:, None, None],
        (block.norm.running_var + 1e-5).sqrt()[:, None, None],
    )
    torch.testing.assert_close(block(images), ((convolved - mean) / spread).relu())


def test_block_without_activation_can_be_negative() -> None:
    assert ConvBlock(3, 8, activate=False)(torch.randn(2, 3, 9, 9)).min() < 0


def test_depthwise_block_keeps_channels_apart() -> None:
    block = ConvBlock(4, 4, groups=4).eval()
    images = torch.randn(1, 4, 6, 6)
    changed = images.clone()
    changed[:, 0] += 1
    difference = (block(images) - block(changed)).abs().amax(dim=(0, 2, 3))
    assert difference[0] > 0
    assert difference[1:].max() == 0


def test_residual_pair_adds_its_input() -> None:
    pair = ResidualPair(4).eval()
    torch.nn.init.zeros_(pair.second.convolution.weight)
    images = torch.randn(2, 4, 5, 5)
    torch.testing.assert_close(pair(images), images)


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32), (3, 64), (3, 33)])
def test_compact_cnn_shapes(channels: int, size: int) -> None:
    network = CompactCNN(channels, 10, width=8).eval()
    images = torch.randn(2, channels, size, size)
    assert network.feature_map(images).shape[:2] == (2, network.features)
    assert network(images).shape == (2, 10)


def test_compact_cnn_gradients_reach_every_parameter() -> None:
    network = CompactCNN(1, 10, width=8)
    F.cross_entropy(network(torch.randn(4, 1, 28, 28)), torch.arange(4)).backward()
    assert all(
        parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in network.parameters()
    )


def test_compact_cnn_does_not_mix_samples_in_evaluation() -> None:
    network = CompactCNN(1, 10, width=8).eval()
    images = torch.randn(5, 1, 28, 28)
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(network(images), alone, atol=1e-5, rtol=1e-5)


def test_compact_cnn_learns_a_batch_by_heart() -> None:
    torch.manual_seed(0)
    network = CompactCNN(1, 4, width=8)
    images, classes = torch.randn(8, 1, 28, 28), torch.arange(8) % 4
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images), classes)
        loss.backward()
        optimizer.step()
    assert loss < 0.1
