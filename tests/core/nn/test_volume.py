"""Networks for volumes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fivefold.config.image_network import ImageNetworkConfig
from fivefold.data.dataset import Facts
from fivefold.errors import ConfigError
from fivefold.nn.conv import CompactCNN
from fivefold.nn.image_network import ImageNetwork, build_network
from fivefold.nn.volume import VolumeBlock, VolumeCNN, VolumeResidual

VOLUMES = Facts(size=[16, 12], depth=10, channels=1, mean=[40.0], std=[20.0])


def built(outputs=3, facts=VOLUMES, **settings):
    torch.manual_seed(0)
    return build_network(ImageNetworkConfig(**settings), facts, outputs)


@pytest.mark.parametrize("size", [(8, 8, 8), (7, 9, 16), (1, 1, 1), (64, 40, 24)])
def test_shapes(size):
    with torch.device("meta"):
        network = VolumeCNN(2, 5, width=4)
        volumes = torch.empty(3, 2, *size)
        assert network.features == 32
        assert network.feature_map(volumes).shape == (3, 32, *(math.ceil(side / 8) for side in size))
        assert network(volumes).shape == (3, 5)


def test_a_block_is_what_it_says():
    torch.manual_seed(0)
    block = VolumeBlock(2, 3, stride=2).eval()
    volumes = torch.randn(2, 2, 5, 6, 7)
    expected = F.conv3d(volumes, block.convolution.weight, stride=2, padding=1) / math.sqrt(1 + 1e-5)
    torch.testing.assert_close(block(volumes), expected.relu())
    assert block(volumes).shape == (2, 3, 3, 3, 4)


def test_a_residual_adds_and_then_rectifies():
    torch.manual_seed(0)
    part = VolumeResidual(3).eval()
    volumes = torch.randn(2, 3, 4, 4, 4)
    inner = part.second(part.first(volumes)).detach()
    assert float(inner.min()) < 0  # the second block does not rectify
    torch.testing.assert_close(part(volumes), (volumes + inner).relu())


def test_the_multiplications_are_as_many_as_stated():
    counted = []

    def count(layer, inputs, output):
        counted.append(output[0].numel() * layer.in_channels * math.prod(layer.kernel_size))

    with torch.device("meta"):
        network = VolumeCNN(1, 2)
        for layer in network.modules():
            if isinstance(layer, nn.Conv3d):
                layer.register_forward_hook(count)
        network(torch.empty(1, 1, 64, 64, 64))
    assert len(counted) == 8
    assert sum(counted) == pytest.approx(0.55e9, rel=0.01)


def test_weights_start_as_he_et_al_draw_them():
    torch.manual_seed(0)
    network = VolumeCNN(1, 2, width=16)
    last = network.body[-1].convolution.weight.detach()
    assert float(last.std()) == pytest.approx(math.sqrt(2 / (27 * 128)), rel=0.02)


def test_gradients_reach_every_parameter():
    torch.manual_seed(0)
    network = VolumeCNN(1, 3, width=4)
    F.cross_entropy(network(torch.randn(3, 1, 16, 16, 16)), torch.arange(3)).backward()
    missing = [name for name, parameter in network.named_parameters() if not parameter.grad.abs().sum() > 0]
    assert missing == []


def test_samples_do_not_mix_in_evaluation():
    torch.manual_seed(0)
    network = VolumeCNN(1, 3, width=4).eval()
    volumes = torch.randn(3, 1, 8, 8, 8)
    alone = torch.cat([network(volume[None]) for volume in volumes])
    torch.testing.assert_close(network(volumes), alone, atol=1e-5, rtol=1e-4)


def test_depth_is_an_axis_like_the_others():
    """Turned kernels read a turned volume alike, so that no axis is treated apart."""
    torch.manual_seed(0)
    network, turned = VolumeCNN(1, 3, width=4).eval(), VolumeCNN(1, 3, width=4).eval()
    turned.load_state_dict(
        {
            name: tensor.permute(0, 1, 4, 2, 3) if tensor.ndim == 5 else tensor
            for name, tensor in network.state_dict().items()
        }
    )
    volumes = torch.randn(2, 1, 16, 8, 24)
    torch.testing.assert_close(turned(volumes.permute(0, 1, 4, 2, 3)), network(volumes), atol=1e-5, rtol=1e-4)


def test_it_fits_a_few_volumes():
    torch.manual_seed(0)
    network = VolumeCNN(1, 2, width=4)
    classes = torch.arange(12) % 2
    volumes = 0.1 * torch.randn(12, 1, 16, 8, 8)
    for volume, code in zip(volumes, classes, strict=True):
        start = 2 if code == 0 else 11
        volume[0, start : start + 3, 2:6, 2:6] += 2.0
        volume[0, 13 - start : 16 - start, 2:6, 2:6] -= 2.0
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(25):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(volumes), classes)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.05


# Behind the settings


def test_facts_with_a_depth_get_the_cnn_with_a_third_axis():
    network = built(width=4)
    assert isinstance(network, ImageNetwork)
    assert isinstance(network.backbone, VolumeCNN)
    assert network(torch.zeros(2, 1, 10, 16, 12, dtype=torch.uint8)).shape == (2, 3)


def test_the_width_is_16_unless_it_is_set():
    assert built().backbone.features == 128
    assert built(width=3).backbone.features == 24


def test_dropout_is_set():
    assert [layer.p for layer in built(dropout=0.4).modules() if isinstance(layer, nn.Dropout)] == [0.4]
    assert [layer.p for layer in built().modules() if isinstance(layer, nn.Dropout)] == [0.0]


@pytest.mark.parametrize("depth", [None, 0])
def test_facts_without_a_depth_are_of_images(depth):
    facts = Facts(size=[16, 12], channels=1, mean=[40.0], std=[20.0])
    facts = facts if depth is None else Facts({**facts, "depth": depth})
    assert isinstance(built(facts=facts, width=4).backbone, CompactCNN)


def test_voxels_are_scaled_by_mean_and_spread():
    network = built(width=4).eval()
    volumes = torch.randint(256, (2, 1, 10, 16, 12), dtype=torch.uint8)
    torch.testing.assert_close(network(volumes), network.backbone((volumes.float() - 40) / 20))
    torch.testing.assert_close(network(volumes.float()), network(volumes))
    assert network.mean.shape == (1, 1, 1, 1, 1)


def test_each_channel_has_its_own_scaling():
    facts = Facts(size=[8, 8], depth=8, channels=2, mean=[10.0, 20.0], std=[1.0, 2.0])
    network = built(facts=facts, width=4).eval()
    volumes = torch.randint(256, (2, 2, 8, 8, 8), dtype=torch.uint8)
    scaled = torch.stack([volumes[:, 0] - 10.0, (volumes[:, 1] - 20.0) / 2], dim=1)
    torch.testing.assert_close(network(volumes), network.backbone(scaled))


def test_grey_volumes_are_repeated_for_a_network_that_reads_more():
    network = ImageNetwork(VolumeCNN(3, 2, width=4), [0.0] * 3, [1.0] * 3, channels=3, axes=3).eval()
    volumes = torch.rand(2, 1, 8, 8, 8)
    torch.testing.assert_close(network(volumes), network(volumes.repeat(1, 3, 1, 1, 1)))


def test_the_scaling_is_part_of_the_state():
    network, other = built(width=4).eval(), built(width=4, facts=Facts({**VOLUMES, "mean": [0.0]})).eval()
    other.load_state_dict(network.state_dict())
    volumes = torch.randint(256, (2, 1, 10, 16, 12), dtype=torch.uint8)
    torch.testing.assert_close(other(volumes), network(volumes))


@pytest.mark.parametrize("kind", ["resnet18", "wide-resnet", "efficientnet-lite0"])
def test_other_kinds_read_images_only(kind):
    with pytest.raises(
        ConfigError, match=f"model.kind {kind} reads images, and the data are volumes; expected cnn"
    ):
        built(kind=kind)
