from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from fivefold.config import OptimizerConfig
from fivefold.training import optim
from fivefold.training.optim import (
    build_optimizers,
    embedding_ids,
    load_optimizer_tensors,
    optimizer_tensors,
    set_learning_rate,
)
from fivefold.training.speed.offload import OffloadedOptimizer


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 4)
        self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
        self.unused = nn.Parameter(torch.zeros(2))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.body(self.table(tokens))


def build(
    network: nn.Module, *, offload: bool = False, device: str = "cpu", **values: Any
) -> list[Optimizer]:
    """As `build_optimizers`, with the optimizers offloaded on the CPU too."""
    network.to(device)
    config = OptimizerConfig(lr=0.05, weight_decay=0.1, **values)
    parameters = dict(network.named_parameters())
    if not offload or device != "cpu":
        return build_optimizers(parameters, embedding_ids(network), config, offload=offload)
    recipes = optim._recipes(list(parameters.values()), embedding_ids(network), config, sharded=False)
    return [OffloadedOptimizer(groups, make) for groups, make in recipes]


def train(network: nn.Module, optimizers: list[Optimizer], seeds: range) -> None:
    device = next(network.parameters()).device
    for seed in seeds:
        tokens = torch.randint(5, (8,), generator=torch.Generator().manual_seed(seed)).to(device)
        network(tokens).square().mean().backward()
        for optimizer in optimizers:
            set_learning_rate(optimizer, 0.05 / (seed + 1))
            optimizer.step()
            optimizer.zero_grad()


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(value.cpu(), twin.cpu()) for value, twin in pairs)


@pytest.fixture
def networks() -> tuple[Network, Network]:
    torch.manual_seed(0)
    network = Network()
    return network, copy.deepcopy(network)


@pytest.mark.parametrize("name", ["adamw", "sgd", "muon"])
def test_updates_and_state_are_those_of_the_plain_optimizer(
    name: str, networks: tuple[Network, Network]
) -> None:
    plain, offloaded = networks
    ours, theirs = build(plain, name=name), build(offloaded, offload=True, name=name)
    train(plain, ours, range(4))
    train(offloaded, theirs, range(4))
    assert same(plain, offloaded)
    for one, other in zip(ours, theirs, strict=True):
        names = [{id(value): key for key, value in network.named_parameters()} for network in networks]
        expected, found = optimizer_tensors(one, names[0]), optimizer_tensors(other, names[1])
        assert expected.keys() == found.keys()
        assert all(torch.equal(expected[key], found[key]) for key in expected)


@pytest.mark.parametrize("name", ["adamw", "sgd", "muon"])
def test_a_training_goes_on_bit_for_bit(name: str, networks: tuple[Network, Network]) -> None:
    network, other = networks
    optimizers = build(network, offload=True, name=name)
    train(network, optimizers, range(3))
    names = {id(value): key for key, value in network.named_parameters()}
    saved = {key: value.clone() for one in optimizers for key, value in optimizer_tensors(one, names).items()}
    fresh = build(other, offload=True, name=name)  # before the weights are loaded, as the trainer does it
    other.load_state_dict(network.state_dict())
    for optimizer in fresh:
        load_optimizer_tensors(optimizer, {id(value): key for key, value in other.named_parameters()}, saved)
    train(network, optimizers, range(3, 6))
    train(other, fresh, range(3, 6))
    assert same(network, other)


def test_weights_that_someone_else_writes_are_taken_over(networks: tuple[Network, Network]) -> None:
    plain, offloaded = networks
    ours, theirs = build(plain), build(offloaded, offload=True)
    for network, optimizers in ((plain, ours), (offloaded, theirs)):
        train(network, optimizers, range(2))
        with torch.no_grad():
            network.body[0].weight.mul_(2)
        train(network, optimizers, range(2, 4))
    assert same(plain, offloaded)


def test_nothing_is_offloaded_on_a_cpu(networks: tuple[Network, Network]) -> None:
    network, _ = networks
    parameters = dict(network.named_parameters())
    (optimizer,) = build_optimizers(parameters, set(), OptimizerConfig(), offload=True)
    assert type(optimizer) is torch.optim.AdamW


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_state_lives_on_the_host_and_weights_on_the_device(networks: tuple[Network, Network]) -> None:
    plain, offloaded = networks
    theirs = build(offloaded, offload=True, device="cuda")
    train(plain, build(plain), range(4))
    train(offloaded, theirs, range(4))
    assert all(value.is_cuda for value in offloaded.parameters())
    (optimizer,) = theirs
    assert {tensor.device.type for state in optimizer.state.values() for tensor in state.values()} == {"cpu"}
    for one, other in zip(plain.parameters(), offloaded.parameters(), strict=True):
        torch.testing.assert_close(one, other.cpu(), rtol=1e-4, atol=1e-5)
