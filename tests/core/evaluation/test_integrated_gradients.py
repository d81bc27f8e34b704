"""Integrated gradients against closed forms, and their completeness on real networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from torch import Tensor, nn

from fivefold.evaluation.integrated_gradients import SMALLEST_GAP, TOLERANCE, integrated_gradients
from fivefold.nn import (
    Backbone,
    BackboneClassifier,
    ConvolutionalClassifier,
    RecurrentClassifier,
    SequenceNetwork,
    TransformerClassifier,
)

IDS = torch.tensor([3, 7, 2, 9, 5, 3])


class Sum(SequenceNetwork):
    """A function of the sum over steps of ``w x``."""

    def __init__(self, power: int) -> None:
        super().__init__()
        self.table = nn.Embedding(12, 4)
        self.line = nn.Linear(4, 1)
        self.power = power

    def embed(self, ids: Tensor) -> Tensor:
        return self.table(ids)

    def from_embeddings(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        return self.line(embedded).sum(dim=1) ** self.power


class Stairs(Sum):
    """One whose gradient says nothing of its rise."""

    def from_embeddings(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        total = super().from_embeddings(embedded, lengths)
        return total.sign() * 5 + 0 * total


def first(outputs: Tensor) -> Tensor:
    return outputs[:, 0]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("baseline", [None, 4])
def test_a_linear_network_is_shared_out_exactly(baseline) -> None:
    network = Sum(1)
    found = integrated_gradients(network, IDS, first, baseline=baseline)
    blank = torch.zeros(4) if baseline is None else network.table.weight[baseline]
    expected = (network.table.weight[IDS] - blank) @ network.line.weight[0]
    np.testing.assert_allclose(found.parts, expected.detach().numpy(), atol=1e-6)
    assert (found.points, found.converged) == (32, True)
    assert found.gap < 1e-5


def test_a_quadratic_network_is_shared_out_by_the_formula() -> None:
    network = Sum(2)
    found = integrated_gradients(network, IDS, first, baseline=4)
    way = (network.table.weight[IDS] - network.table.weight[4]) @ network.line.weight[0]
    end = network.line(network.table.weight[IDS]).sum().detach()
    start = network.line(network.table.weight[[4] * 6]).sum().detach()
    np.testing.assert_allclose(found.parts, (way * (start + end)).detach().numpy(), rtol=1e-4, atol=1e-5)
    assert found.output == pytest.approx(float(end**2), rel=1e-5)
    assert found.baseline == pytest.approx(float(start**2), rel=1e-5)


def test_kept_steps_get_nothing() -> None:
    kept = torch.tensor([True, False, False, False, False, True])
    found = integrated_gradients(Sum(2), IDS, first, baseline=0, kept=kept)
    assert found.parts[0] == found.parts[-1] == 0
    assert np.all(found.parts[1:-1] != 0)
    assert found.converged
    nothing = integrated_gradients(Sum(2), IDS, first, baseline=0, kept=torch.ones(6, dtype=torch.bool))
    assert not nothing.parts.any()
    assert (nothing.gap, nothing.converged) == (0.0, True)


def test_a_gap_that_stays_is_told() -> None:
    network = Stairs(1)
    with torch.no_grad():
        network.line.bias.zero_()
        network.table.weight[0] = 0
    found = integrated_gradients(network, IDS, first, baseline=0, most_points=100)
    assert (found.points, found.converged) == (100, False)
    assert found.gap == pytest.approx(5.0)
    assert integrated_gradients(network, IDS, first, baseline=0, smallest_gap=6.0).converged


def makers() -> dict[str, SequenceNetwork]:
    size = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 24, "num_hidden_layers": 2}
    bert = transformers.BertModel(transformers.BertConfig(**size, vocab_size=12, max_position_embeddings=16))
    return {
        "lstm": RecurrentClassifier("lstm", 12, 3, embedding=6, hidden=5, layers=2, dropout=0.5),
        "gru": RecurrentClassifier("gru", 12, 3, embedding=6, hidden=5, dropout=0.5),
        "cnn": ConvolutionalClassifier(12, 3, embedding=6, filters=7, dropout=0.5),
        "transformer": TransformerClassifier(12, 3, features=8, heads=2, dropout=0.5),
        "bert": BackboneClassifier(Backbone(bert), 3, dropout=0.5, freeze=1),
    }


@pytest.mark.parametrize("kind", ["lstm", "gru", "cnn", "transformer", "bert"])
def test_the_parts_add_up_and_leave_no_trace(kind) -> None:
    network = makers()[kind].train()
    nn.init.normal_(network.get_submodule("head").weight, std=3.0)
    with torch.no_grad():  # as where reports are made
        found = integrated_gradients(network, IDS, lambda outputs: outputs[:, 1] - outputs[:, 2], baseline=0)
    assert found.converged
    assert found.gap <= max(TOLERANCE * abs(found.output - found.baseline), SMALLEST_GAP)
    logits = network.eval()(IDS[None], torch.tensor([6])).detach()
    assert found.output == pytest.approx(float(logits[0, 1] - logits[0, 2]), abs=1e-5)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_mode_comes_back() -> None:
    network = makers()["bert"].train()
    integrated_gradients(network, IDS, first)
    assert network.training
    assert not network.get_submodule("backbone.network.encoder.layer.0").training  # frozen
    assert network.get_submodule("backbone.network.encoder.layer.1").training


def test_passes_of_bounded_size_change_nothing(monkeypatch) -> None:
    network = makers()["transformer"]
    whole = integrated_gradients(network, IDS, first)
    monkeypatch.setattr("fivefold.evaluation.integrated_gradients.STEPS_AT_ONCE", 30)
    pieces = integrated_gradients(network, IDS, first)
    np.testing.assert_allclose(pieces.parts, whole.parts, atol=1e-6)
