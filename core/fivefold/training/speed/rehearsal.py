"""Steps that leave no trace: what is measured or tried out before a training begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fivefold.data.dataset import Batch
from fivefold.tasks.base import Task
from fivefold.training.seeds import generator_tensors, generator_values, restore_generators
from fivefold.training.speed.precision import Precision


@contextmanager
def generators_kept(device: torch.device) -> Iterator[None]:
    """The global generators of torch, Python and numpy are afterwards as they were before."""
    tensors, values = generator_tensors(device), generator_values()
    try:
        yield
    finally:
        restore_generators(tensors, values, device)


def forward_backward(task: Task, batch: Batch, precision: Precision) -> None:
    """Forward and backward of every phase as often as it repeats, without an update; no gradient is left."""
    for phase in task.phases():
        for _ in range(phase.repeats):
            with precision.context():
                loss = task.loss(batch, phase.name)
            torch.autograd.backward(loss.value)
            task.zero_grad()
