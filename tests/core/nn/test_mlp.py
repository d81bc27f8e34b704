import pytest
import torch
from torch.nn import functional as F

from fivefold.nn import MLP


def test_computes_linear_gelu_linear() -> None:
    network = MLP(5, [7], 3).eval()
    first, last = network.layers[0], network.layers[-1]
    inputs = torch.randn(4, 5)
    expected = F.linear(F.gelu(F.linear(inputs, first.weight, first.bias)), last.weight, last.bias)
    torch.testing.assert_close(network(inputs), expected)


@pytest.mark.parametrize("hidden", [[], [8], [8, 6]])
def test_keeps_leading_dimensions(hidden: list[int]) -> None:
    assert MLP(5, hidden, 3)(torch.randn(2, 4, 5)).shape == (2, 4, 3)


def test_drops_only_in_training() -> None:
    torch.manual_seed(0)
    network = MLP(5, [64], 3, dropout=0.5)
    inputs = torch.randn(2, 5)
    assert not torch.equal(network(inputs), network(inputs))
    network.eval()
    assert torch.equal(network(inputs), network(inputs))
