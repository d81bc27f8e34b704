from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import distributed, nn

from fivefold.config import OptimizerConfig
from fivefold.errors import ConfigError
from fivefold.training.ema import MovingAverage
from fivefold.training.optim import (
    build_optimizers,
    embedding_ids,
    load_optimizer_tensors,
    optimizer_tensors,
    set_learning_rate,
)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 4)
        self.conv = nn.Conv1d(1, 2, 3, padding=1, bias=False)
        self.norm = nn.LayerNorm(4)
        self.out = nn.Linear(4, 3)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        hidden = self.table(tokens)
        return self.out(self.norm(self.conv(hidden[:, None]).mean(1)))


def build(**values: Any) -> tuple[Network, list[torch.optim.Optimizer]]:
    torch.manual_seed(0)
    network = Network()
    return network, build_optimizers(
        dict(network.named_parameters()), embedding_ids(network), OptimizerConfig(**values)
    )


def step(network: Network, optimizers: list[torch.optim.Optimizer], seed: int = 0) -> None:
    tokens = torch.randint(5, (8,), generator=torch.Generator().manual_seed(seed))
    network(tokens).square().mean().backward()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_decay_spares_norms_and_biases(name: str) -> None:
    network, (optimizer,) = build(name=name, weight_decay=0.3)
    decay = {
        id(value): group["weight_decay"] for group in optimizer.param_groups for value in group["params"]
    }
    by_name = {key: decay[id(value)] for key, value in network.named_parameters()}
    assert {key for key, value in by_name.items() if value == 0.3} == {
        "table.weight",
        "conv.weight",
        "out.weight",
    }
    assert {value for key, value in by_name.items() if "bias" in key or "norm" in key} == {0.0}


def test_updates_are_those_of_torch() -> None:
    network, optimizers = build(lr=0.01, weight_decay=0.1)
    reference = Network()
    reference.load_state_dict(network.state_dict())
    decayed = [value for value in reference.parameters() if value.ndim > 1]
    spared = [value for value in reference.parameters() if value.ndim == 1]
    plain = torch.optim.AdamW(
        [{"params": decayed}, {"params": spared, "weight_decay": 0.0}], lr=0.01, weight_decay=0.1
    )
    for seed in range(5):
        step(network, optimizers, seed)
        step(reference, [plain], seed)
    for one, other in zip(network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_muon_takes_matrices_that_are_not_tables() -> None:
    network, (muon, adamw) = build(name="muon")
    assert [id(value) for value in muon.param_groups[0]["params"]] == [id(network.out.weight)]
    assert sum(len(group["params"]) for group in adamw.param_groups) == len(list(network.parameters())) - 1


def test_muon_alone_and_without_matrices() -> None:
    linear, norm = nn.Linear(2, 2, bias=False), nn.LayerNorm(2)
    config = OptimizerConfig(name="muon")
    assert [
        type(one).__name__ for one in build_optimizers(dict(linear.named_parameters()), set(), config)
    ] == ["Muon"]
    assert [type(one).__name__ for one in build_optimizers(dict(norm.named_parameters()), set(), config)] == [
        "AdamW"
    ]


@pytest.mark.parametrize("name", ["adamw", "sgd", "muon"])
def test_state_goes_on_bit_for_bit(name: str) -> None:
    network, optimizers = build(name=name)
    for seed in range(3):
        step(network, optimizers, seed)
    names = {id(value): key for key, value in network.named_parameters()}
    saved = {key: value.clone() for one in optimizers for key, value in optimizer_tensors(one, names).items()}
    other, fresh = build(name=name)
    other.load_state_dict(network.state_dict())
    for optimizer in fresh:
        load_optimizer_tensors(optimizer, {id(value): key for key, value in other.named_parameters()}, saved)
    step(network, optimizers, 9)
    step(other, fresh, 9)
    assert all(
        torch.equal(one, two) for one, two in zip(network.parameters(), other.parameters(), strict=True)
    )


def test_state_takes_the_layout_of_the_parameter() -> None:
    weight = nn.Parameter(torch.rand(2, 3, 3, 3).contiguous(memory_format=torch.channels_last))
    (optimizer,) = build_optimizers({"weight": weight}, set(), OptimizerConfig())
    moment = torch.rand(2, 3, 3, 3)
    saved = {"weight/exp_avg": moment, "weight/exp_avg_sq": moment, "weight/step": torch.tensor(3.0)}
    load_optimizer_tensors(optimizer, {id(weight): "weight"}, saved)
    state = optimizer.state[weight]
    assert state["exp_avg"].stride() == weight.stride()
    assert torch.equal(state["exp_avg"], moment)
    assert float(state["step"]) == 3.0


def test_set_learning_rate() -> None:
    _, (optimizer,) = build()
    set_learning_rate(optimizer, 0.5)
    assert {group["lr"] for group in optimizer.param_groups} == {0.5}


def test_moving_average() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1.0)
    average = MovingAverage(network, 0.5)
    expected = 1.0
    for number, value in enumerate([2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]):
        nn.init.constant_(network.weight, value)
        average.update(number)
        decay = min(0.5, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * value
    with average.applied():
        assert network.weight.item() == pytest.approx(expected)
    assert network.weight.item() == 10.0
    again = MovingAverage(nn.Linear(1, 1, bias=False), 0.5)
    again.load_state_dict(average.state_dict())
    assert torch.equal(again.state_dict()["weight"], average.state_dict()["weight"])
    average.copy_to_network()
    assert network.weight.item() == pytest.approx(expected)


def test_moving_average_comes_off_after_an_error() -> None:
    network = nn.Linear(1, 1)
    average = MovingAverage(network, 0.5)
    own = network.weight.detach().clone()
    nn.init.constant_(network.weight, 5.0)

    def fail() -> None:
        with average.applied():
            assert torch.equal(network.weight, own)
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError, match="in between"):
        fail()
    assert network.weight.item() == 5.0


def test_one_group_where_nothing_decays() -> None:
    network, (optimizer,) = build(weight_decay=0.0)
    (group,) = optimizer.param_groups
    assert len(group["params"]) == len(list(network.parameters()))


@pytest.fixture
def group_of_one() -> Iterator[None]:
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures("group_of_one")
@pytest.mark.parametrize("name", ["adamw", "sgd", "muon"])
def test_shards_are_updated_as_whole_parameters_are(name: str) -> None:
    from torch.distributed.fsdp import fully_shard

    whole, optimizers = build(name=name)
    torch.manual_seed(0)
    sharded = fully_shard(Network(), mesh=distributed.device_mesh.init_device_mesh("cpu", (1,)))
    parameters = dict(sharded.named_parameters())
    config = OptimizerConfig(name=name)
    others = build_optimizers(parameters, embedding_ids(sharded), config)
    for seed in range(3):
        step(whole, optimizers, seed)
        step(sharded, others, seed)
    for value, other in zip(whole.parameters(), parameters.values(), strict=True):
        torch.testing.assert_close(other.full_tensor(), value)
    with pytest.raises(ConfigError, match=r"trainer\.parallel has split them into shards"):
        build_optimizers(parameters, set(), config, offload=True)
