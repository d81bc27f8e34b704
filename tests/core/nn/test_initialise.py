import math

import pytest
import torch
from torch import nn

from fivefold.nn import he_initialise


@pytest.mark.parametrize("groups", [1, 64])
def test_keeps_the_variance_of_gradients_through_relu(groups: int) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(64, 64, 3, padding=1, groups=groups)
    he_initialise(layer)
    fan_out = 64 // groups * 9
    assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / fan_out), rel=0.1)
    assert torch.count_nonzero(layer.bias) == 0


def test_agrees_with_torch_without_groups() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 48, 5, bias=False)
    he_initialise(layer)
    reference = torch.empty_like(layer.weight)
    nn.init.kaiming_normal_(reference, mode="fan_out", nonlinearity="relu")
    assert layer.weight.std().item() == pytest.approx(reference.std().item(), rel=0.05)
