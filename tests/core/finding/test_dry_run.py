"""What a training takes, against numbers counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.finding.plans import everything, plan, same
from core.training.toys import Classifier, Gan, blobs, jitter, settings
from fivefold.data.dataset import Batch
from fivefold.errors import PluginError
from fivefold.finding.dry_run import Module, dry_run, top_modules
from fivefold.tasks.base import Task

# Classifier: 4 to 16 to 3, with biases, in four tensors.
WEIGHTS = 4 * 16 + 16 + 16 * 3 + 3


class Flat(Classifier):
    """Predicts one number for all samples."""

    def predict(self, batch: Batch) -> Batch:
        return {"mean": super().predict(batch)["logits"].mean(0)}


class Generator(Gan):
    """A generator that predicts a sample for each it is given."""

    def predict(self, batch: Batch) -> Batch:
        return {"fake": self.generator(torch.zeros(len(batch["input"]), 2))}


class Tied(Task):
    """Two parts that share a weight, one of them frozen, and a parameter of the task's own."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4, bias=False)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.frozen = nn.Linear(4, 2).requires_grad_(requires_grad=False)
        self.scale = nn.Parameter(torch.ones(3))


def test_parameters_and_bytes_of_a_classifier() -> None:
    cost = dry_run(plan(Classifier(), config=settings(epochs=5, batch_size=16)))
    assert (cost.parameters, cost.trainable) == (WEIGHTS, WEIGHTS)
    assert cost.modules == (Module("network.0", "Linear", 80, 80), Module("network.4", "Linear", 51, 51))
    memory = cost.memory
    assert memory.weights == memory.gradients == 4 * WEIGHTS
    assert memory.buffers == 4 * 4
    # AdamW: two averages as large as the weights, and a count of steps for each of four tensors.
    assert memory.optimizer == 8 * WEIGHTS + 4 * 4
    assert memory.average == 0
    assert memory.data == 120 * (4 * 4 + 8)
    assert memory.device_peak is None
    parts = memory.weights + memory.buffers + memory.gradients + memory.optimizer
    assert memory.total == parts + memory.activations + memory.data
    # 120 samples in batches of 16.
    assert (cost.steps_per_epoch, cost.steps) == (8, 40)
    assert cost.total_seconds == pytest.approx(40 * cost.step_seconds)
    assert cost.step_seconds > 0


def test_activations_are_what_autograd_saves() -> None:
    def activations(size: int) -> int:
        return dry_run(plan(Classifier(), config=settings(batch_size=size))).memory.activations

    # A sample: the input less the mean (4 floats), the hidden layer after ReLU (16), the log of the softmax (3),
    # the target (an int64). The weight of all samples, a float, does not grow with them.
    a_sample = 4 * (4 + 16 + 3) + 8
    assert activations(16) == 16 * a_sample + 4
    assert activations(32) == 32 * a_sample + 4


def test_the_average_of_weights_and_samples_of_validation_count() -> None:
    config = settings(trainer={"ema": 0.9})
    cost = dry_run(plan(Classifier(), config=config, val=blobs(30)))
    assert cost.memory.average == 4 * WEIGHTS
    assert cost.memory.data == 150 * (4 * 4 + 8)


def test_phases_have_optimizers_of_their_own_and_the_largest_gradient_counts() -> None:
    cost = dry_run(plan(Generator(), config=settings(trainer={"accumulate": 2})))
    generator, critic = 2 * 16 + 16 + 16 * 4 + 4, 4 * 16 + 16 + 16 + 1
    assert cost.parameters == generator + critic
    assert [(part.name, part.parameters) for part in cost.modules] == [
        ("generator", generator),
        ("critic", critic),
    ]
    assert cost.memory.gradients == 4 * max(generator, critic)
    # AdamW for the critic's four tensors, SGD's momentum for the generator.
    assert cost.memory.optimizer == 8 * critic + 4 * 4 + 4 * generator
    # Two updates of the critic, each of two batches.
    assert cost.batches_per_step == 4


def test_nothing_is_changed_or_written(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    torch.manual_seed(0)
    task = Classifier(dropout=0.5, norm=True)
    before = everything(task)
    dry_run(plan(task, augment=jitter))
    assert same(before, everything(task))


def test_outputs_are_told_and_must_have_a_row_a_sample() -> None:
    outputs = dry_run(plan(Classifier(), val=blobs(3))).outputs
    assert outputs == {"logits": "(3, 3) float32", "target": "(3,) int64"}
    with pytest.raises(PluginError, match=r"gave 'mean' of shape \(3,\) for 4 samples; expected a first"):
        dry_run(plan(Flat()))


def test_shared_frozen_and_own_parameters_count_once() -> None:
    assert top_modules(Tied()) == (
        Module("first", "Linear", 16, 16),
        Module("second", "Linear", 4, 4),
        Module("frozen", "Linear", 10, 0),
        Module("", "Tied", 3, 3),
    )
