"""A tower of blocks to compile; run as a script, what the compiler makes of it is compared with eager."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from core.training.toys import blobs
from fivefold.data.dataset import Batch
from fivefold.tasks.base import Loss, Task
from fivefold.training.speed.compilation import compile_task
from fivefold.training.speed.precision import Precision

FLOAT32 = Precision(torch.float32, "cpu")


class Block(nn.Module):
    def __init__(self, norm: type[nn.Module]) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.norm = norm(4)

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + torch.tanh(self.norm(self.linear(inputs)))


class Tower(Task):
    def __init__(self, norm: type[nn.Module] = nn.BatchNorm1d) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Block(norm) for _ in range(3)))
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(4, 3)

    def loss(self, batch: Batch, phase: str) -> Loss:
        logits = self.head(self.dropout(self.blocks(batch["input"])))
        return Loss(nn.functional.cross_entropy(logits, batch["target"]), len(logits))


def gradients(task: Task, batch: Batch) -> list[Tensor]:
    torch.manual_seed(3)
    task.train().loss(batch, "main").value.backward()
    found = [value.grad for value in task.parameters() if value.grad is not None]
    task.zero_grad()
    return found


def main() -> None:
    batch = blobs(12).tensors()
    torch.manual_seed(0)
    task = Tower(nn.LayerNorm)
    task.dropout.p = 0.0
    eager = copy.deepcopy(task)
    assert len(compile_task(task, [batch], FLOAT32, "default")) == 3
    for one, other in zip(gradients(task, batch), gradients(eager, batch), strict=True):
        torch.testing.assert_close(one, other)
