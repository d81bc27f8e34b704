from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from fivefold.errors import ConfigError
from fivefold.training.speed.activations import checkpoint_activations, is_recomputed


class Block(nn.Module):
    def __init__(self, norm: nn.Module, *, spectral: bool = False) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.norm = norm
        self.dropout = nn.Dropout(0.3)
        self.passes = 0
        if spectral:
            spectral_norm(self.linear)

    def forward(self, inputs: Tensor, *, scale: float = 1.0) -> Tensor:
        self.passes += 1
        return inputs + scale * self.dropout(torch.relu(self.norm(self.linear(inputs))))


class Tower(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        norm = nn.BatchNorm1d if kind == "batch" else nn.LayerNorm
        self.blocks = nn.ModuleList(Block(norm(8), spectral=kind == "spectral") for _ in range(3))
        self.head = nn.Linear(8, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        for block in self.blocks:
            inputs = block(inputs, scale=0.5)
        return self.head(inputs)


def pair(kind: str) -> tuple[Tower, Tower]:
    torch.manual_seed(0)
    plain = Tower(kind)
    recomputed = copy.deepcopy(plain)
    assert checkpoint_activations(recomputed) == ["blocks.0", "blocks.1", "blocks.2"]
    return plain, recomputed


@pytest.mark.parametrize("kind", ["layer", "batch", "spectral"])
def test_loss_gradients_buffers_and_random_numbers_are_the_same_bits(kind: str) -> None:
    plain, recomputed = pair(kind)
    inputs = torch.randn(6, 8)
    for seed in range(3):
        after = []
        for network in (plain, recomputed):
            torch.manual_seed(seed)
            loss = network(inputs).square().mean()
            loss.backward()
            after.append((loss.detach(), torch.rand(1)))
        assert after[0] == after[1]
    assert [block.passes for block in plain.blocks] == [3, 3, 3]
    assert [block.passes for block in recomputed.blocks] == [6, 6, 6]
    for one, other in zip(plain.parameters(), recomputed.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.equal(one.grad, other.grad)
    for one, other in zip(plain.buffers(), recomputed.buffers(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("kind", ["layer", "batch"])
def test_a_loss_may_differentiate_twice(kind: str) -> None:
    plain, recomputed = pair(kind)
    inputs = torch.randn(6, 8, requires_grad=True)
    for network in (plain, recomputed):
        torch.manual_seed(1)
        (slope,) = torch.autograd.grad(network(inputs).sum(), inputs, create_graph=True)
        slope.square().sum().backward()
    for name, value in plain.named_parameters():
        if value.grad is not None:
            torch.testing.assert_close(recomputed.get_parameter(name).grad, value.grad)
    for one, other in zip(plain.buffers(), recomputed.buffers(), strict=True):
        assert torch.equal(one, other)


def test_names_stay_and_copies_are_on_their_own() -> None:
    plain, recomputed = pair("batch")
    assert list(recomputed.state_dict()) == list(plain.state_dict())
    duplicate = copy.deepcopy(recomputed)
    assert is_recomputed(duplicate.blocks[0])
    assert not is_recomputed(plain.blocks[0])
    duplicate(torch.randn(6, 8)).sum().backward()
    assert recomputed.blocks[0].passes == 0
    assert recomputed.blocks[0].linear.weight.grad is None


def test_without_gradients_nothing_is_recomputed() -> None:
    plain, recomputed = pair("batch")
    inputs = torch.randn(6, 8)
    assert torch.equal(recomputed.eval()(inputs), plain.eval()(inputs))
    with torch.no_grad():
        recomputed.train()(inputs)
    assert recomputed.blocks[0].passes == 2


def test_a_network_without_blocks_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"activation_checkpointing is on, and Sequential has no repeated"):
        checkpoint_activations(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)))
