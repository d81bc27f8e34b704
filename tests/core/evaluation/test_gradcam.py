import pytest
import torch
from torch import Tensor, nn

from fivefold.evaluation.gradcam import grad_cam, last_feature_map


class Corners(nn.Module):
    """Class 0 is spoken for by brightness top left, class 1 by brightness bottom right."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU())
        self.head = nn.Linear(2, 2)
        with torch.no_grad():
            self.features[0].weight.zero_()
            self.features[0].bias.zero_()
            self.features[0].weight[:, :, 1, 1] = torch.tensor([[1.0], [-1.0]])
            self.head.weight.copy_(torch.eye(2))
            self.head.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean(dim=(2, 3)))


def picture() -> Tensor:
    x = torch.zeros(2, 1, 16, 16)
    x[:, :, 2:5, 2:5] = 1.0  # bright: class 0
    x[:, :, 11:14, 11:14] = -1.0  # dark: class 1
    return x


def test_it_finds_the_planted_pattern() -> None:
    heat = grad_cam(Corners(), picture(), torch.tensor([0, 1]))
    assert heat is not None
    assert heat.shape == (2, 16, 16)
    assert heat[0, 3, 3] == 1.0
    assert heat[0, 8:, 8:].max() == 0.0
    assert heat[1, 12, 12] == 1.0
    assert heat[1, :8, :8].max() == 0.0


def test_it_equals_the_formula() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)
    ).eval()
    x = torch.randn(1, 1, 6, 6)
    features = network[1](network[0](x)).detach().requires_grad_()
    network[3](features.flatten(1))[0, 2].backward()
    expected = (features.grad.mean(dim=(2, 3), keepdim=True) * features).sum(1).clamp(min=0)[0]
    heat = grad_cam(network, x, torch.tensor([2]), layer=network[1])
    assert heat is not None
    torch.testing.assert_close(heat[0], (expected / expected.max()).detach())


def test_it_works_without_trainable_parameters_and_leaves_no_trace() -> None:
    network = Corners().requires_grad_(requires_grad=False).train()
    with torch.no_grad():
        heat = grad_cam(network, (picture() * 255).to(torch.int16), torch.tensor([0, 1]))
    assert heat is not None
    assert heat[0, 3, 3] == 1.0
    assert network.training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_nothing_spoke_for_the_class() -> None:
    heat = grad_cam(Corners(), torch.zeros(1, 1, 8, 8), torch.tensor([0]))
    assert heat is not None
    assert heat.max() == 0.0


def test_hooks_go_when_the_network_fails() -> None:
    network = Corners()
    with pytest.raises(RuntimeError, match="channels"):
        grad_cam(network, torch.zeros(1, 3, 8, 8), torch.tensor([0]))
    assert not any(module._forward_hooks for module in network.modules())


def test_the_last_map_of_more_than_one_place_is_taken() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    network = nn.Sequential(*network, nn.Linear(2, 2)).eval()
    assert last_feature_map(network, torch.zeros(1, 1, 8, 8)) is network[2]


def test_networks_without_late_feature_maps_have_none() -> None:
    mixing = [nn.Linear(36, 36) for _ in range(6)]
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), *mixing, nn.Linear(36, 2))
    assert last_feature_map(network, torch.zeros(1, 1, 8, 8)) is None
    assert grad_cam(network, torch.zeros(1, 1, 8, 8), torch.tensor([0])) is None
