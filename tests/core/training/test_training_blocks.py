from __future__ import annotations

import copy

from torch import nn

from fivefold.nn.resnet import ResNet
from fivefold.nn.transformer import TransformerEncoder
from fivefold.training.speed.blocks import named_blocks, repeated_blocks


def test_layers_of_a_transformer() -> None:
    network = nn.ModuleDict({"encoder": TransformerEncoder(8, 2, 3)})
    assert list(named_blocks(network)) == [f"encoder.blocks.{number}" for number in range(3)]
    assert repeated_blocks(network) == list(network["encoder"].blocks)


def test_outer_blocks_of_a_residual_network_whatever_their_shapes() -> None:
    network = ResNet(18, 3, 10)
    assert list(named_blocks(network)) == [f"body.{number}" for number in range(8)]


def test_the_network_may_itself_be_the_list() -> None:
    block = nn.TransformerEncoderLayer(4, 2, 4)
    network = nn.Sequential(nn.Linear(4, 4), block, copy.deepcopy(block), nn.Linear(4, 4))
    assert list(named_blocks(network)) == ["1", "2"]


def test_single_layers_lists_and_single_blocks_are_none() -> None:
    plain = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    assert named_blocks(nn.Sequential(plain, copy.deepcopy(plain), nn.TransformerEncoderLayer(4, 2, 4))) == {}


def test_a_block_in_two_lists_counts_once() -> None:
    layers = [nn.TransformerEncoderLayer(4, 2, 4) for _ in range(2)]
    network = nn.ModuleDict({"one": nn.ModuleList(layers), "two": nn.ModuleList(layers)})
    assert list(named_blocks(network)) == ["one.0", "one.1"]
