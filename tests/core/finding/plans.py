"""Plans for the tests: small tasks with data, and a look at what must not change."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.training.toys import blobs, settings
from fivefold.config import PipelineConfig
from fivefold.data.dataset import Batch, Dataset, Facts, TensorDataset
from fivefold.finding.rehearsal import Plan
from fivefold.tasks.base import Loss, Task

CPU = torch.device("cpu")


def plan(
    task: Task, train: Dataset | None = None, *, config: PipelineConfig | None = None, **rest: Any
) -> Plan:
    """A training of ``task`` on the CPU."""
    values = {"val": None, "device": CPU, "config": config or settings(), **rest}
    return Plan(task, blobs(120) if train is None else train, **values)


class Linear(Task):
    """Least squares: by a weight of curvature ``2``, for inputs of variance one, without noise."""

    def __init__(self, features: int = 4) -> None:
        super().__init__()
        self.network = nn.Linear(features, 1, bias=False)

    def loss(self, batch: Batch, phase: str) -> Loss:
        errors = self.network(batch["input"])[:, 0] - batch["target"]
        return Loss(errors.square().mean(), len(errors))


def line(size: int = 512, features: int = 4, *, seed: int = 0) -> TensorDataset:
    """Targets that a `Linear` fits exactly."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(size, features, generator=generator)
    target = points @ torch.linspace(1, 2, features)
    return TensorDataset({"input": points, "target": target}, facts=Facts(), ids=np.arange(size).astype(str))


def everything(task: Task) -> list[Tensor]:
    """Copies of all that a search must leave as it is: weights, buffers, gradients, generators."""
    gradients = [value.grad for value in task.parameters() if value.grad is not None]
    generators = [
        torch.get_rng_state(),
        torch.from_numpy(np.random.get_state()[1].astype(np.int64)),  # noqa: NPY002 - the global one
        torch.tensor([value % 2**31 for value in random.getstate()[1]]),
    ]
    return [tensor.clone() for tensor in [*task.state_dict().values(), *gradients, *generators]]


def same(before: list[Tensor], after: list[Tensor]) -> bool:
    """Whether both are equal bit for bit."""
    return len(before) == len(after) and all(torch.equal(*pair) for pair in zip(before, after, strict=True))
