"""Grad-CAM of volumes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.evaluation.gradcam import grad_cam, last_feature_map
from fivefold.nn.volume import VolumeCNN


class Corners(nn.Module):
    """Class 0 is spoken for by brightness in the first corner, class 1 by darkness anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.ReLU())
        self.head = nn.Linear(2, 2)
        with torch.no_grad():
            self.features[0].weight.zero_()
            self.features[0].bias.zero_()
            self.features[0].weight[:, 0, 1, 1, 1] = torch.tensor([1.0, -1.0])
            self.head.weight.copy_(torch.eye(2))
            self.head.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean(dim=(2, 3, 4)))


def volumes() -> Tensor:
    x = torch.zeros(2, 1, 10, 12, 14)
    x[:, :, 2:4, 2:5, 2:5] = 1.0  # bright: class 0
    x[:, :, 7:9, 8:10, 10:12] = -1.0  # dark: class 1
    return x


def test_it_finds_the_planted_pattern() -> None:
    heat = grad_cam(Corners(), volumes(), torch.tensor([0, 1]))
    assert heat is not None
    assert heat.shape == (2, 10, 12, 14)
    assert heat.dtype == torch.float32
    assert heat[0, 2, 3, 3] == 1.0
    assert heat[0, 5:].max() == 0.0
    assert heat[1, 8, 9, 11] == 1.0
    assert heat[1, :6].max() == 0.0


def test_it_equals_the_formula_where_no_scaling_is_needed() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 120, 3)
    ).eval()
    x = torch.randn(2, 1, 4, 5, 6)
    expected = []
    for sample, code in zip(x, (2, 0), strict=True):
        features = network[1](network[0](sample[None])).detach().requires_grad_()
        network[3](features.flatten(1))[0, code].backward()
        cam = (features.grad.mean(dim=(2, 3, 4), keepdim=True) * features).sum(1).clamp(min=0)[0]
        expected.append((cam / cam.max()).detach())
    heat = grad_cam(network, x, torch.tensor([2, 0]), layer=network[1])
    assert heat is not None
    torch.testing.assert_close(heat, torch.stack(expected))


def test_a_coarse_map_is_brought_to_the_volume_trilinearly() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv3d(1, 3, 3, 2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 64, 2)
    ).eval()
    x = torch.randn(1, 1, 8, 8, 8)
    features = network[1](network[0](x)).detach().requires_grad_()
    network[3](features.flatten(1))[0, 1].backward()
    cam = (features.grad.mean(dim=(2, 3, 4), keepdim=True) * features).sum(1, keepdim=True).clamp(min=0)
    large = F.interpolate(cam.detach(), size=(8, 8, 8), mode="trilinear", align_corners=False)[0, 0]
    heat = grad_cam(network, x, torch.tensor([1]), layer=network[1])
    assert heat is not None
    torch.testing.assert_close(heat[0], large / large.max())


def test_a_volume_of_one_slice_looks_where_the_picture_does() -> None:
    torch.manual_seed(0)
    flat = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 48, 2)).eval()
    deep = nn.Sequential(
        nn.Conv3d(1, 3, (1, 3, 3), padding=(0, 1, 1)), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 48, 2)
    ).eval()
    deep.load_state_dict(
        {
            name: tensor[:, :, None] if tensor.ndim == 4 else tensor
            for name, tensor in flat.state_dict().items()
        }
    )
    x = torch.randn(2, 1, 6, 8)
    pictures, slices = (
        grad_cam(flat, x, torch.tensor([0, 1])),
        grad_cam(deep, x[:, :, None], torch.tensor([0, 1])),
    )
    assert pictures is not None
    assert slices is not None
    torch.testing.assert_close(slices[:, 0], pictures)


def test_the_network_for_volumes_is_explained_by_its_last_map() -> None:
    torch.manual_seed(0)
    network = VolumeCNN(1, 3, width=4).eval()
    x = torch.randn(1, 1, 16, 16, 24)
    layer = last_feature_map(network, x)
    assert layer is network.body[-1].activation
    heat = grad_cam(network, x, torch.tensor([1]))
    assert heat is not None
    assert heat.shape == (1, 16, 16, 24)
    features = network.feature_map(x).detach()
    # Behind the pooling the gradient is the head's weights, alike at each place.
    cam = (network.head[-1].weight[1].view(1, -1, 1, 1, 1) * features).sum(1, keepdim=True).clamp(min=0)
    large = F.interpolate(cam.detach(), size=(16, 16, 24), mode="trilinear", align_corners=False)[:, 0]
    torch.testing.assert_close(heat, large / large.max())


@pytest.mark.parametrize("training", [True, False])
def test_it_leaves_no_trace_and_works_frozen_and_in_whole_numbers(training: bool) -> None:
    network = Corners().requires_grad_(requires_grad=False).train(training)
    with torch.no_grad():
        heat = grad_cam(network, (volumes() * 100).to(torch.int16), torch.tensor([0, 1]))
    assert heat is not None
    assert heat[0, 2, 3, 3] == 1.0
    assert network.training is training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_nothing_spoke_for_the_class() -> None:
    heat = grad_cam(Corners(), torch.zeros(1, 1, 4, 4, 4), torch.tensor([0]))
    assert heat is not None
    assert heat.max() == 0.0


def test_each_volume_is_scaled_by_its_own_largest_value() -> None:
    x = volumes() * torch.tensor([0.01, 5.0]).view(2, 1, 1, 1, 1)
    heat = grad_cam(Corners(), x, torch.tensor([0, 0]))
    assert heat is not None
    torch.testing.assert_close(heat.amax(dim=(1, 2, 3)), torch.ones(2))


def test_maps_of_pictures_are_no_maps_of_volumes() -> None:
    class Slices(nn.Module):
        """Reads each slice for itself, so that no leaf gives a map of the volume."""

        def __init__(self) -> None:
            super().__init__()
            self.read = nn.Conv2d(1, 2, 3, padding=1)
            self.head = nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            batch, _, depth = x.shape[:3]
            maps = self.read(x.transpose(1, 2).flatten(0, 1))
            return self.head(maps.mean(dim=(2, 3)).view(batch, depth, 2).mean(dim=1))

    x = torch.randn(1, 1, 3, 6, 6)
    assert last_feature_map(Slices(), x) is None
    assert grad_cam(Slices(), x, torch.tensor([0])) is None
