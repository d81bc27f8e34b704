"""Small tasks and data for the tests of the trainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fivefold.config import OptimizerConfig, PipelineConfig, TrainerConfig
from fivefold.data.dataset import Batch, Dataset, Facts, TensorDataset
from fivefold.data.table import Array
from fivefold.evaluation.metric import Metric
from fivefold.tasks.base import Loss, Phase, Task


def blobs(size: int, *, seed: int = 0, features: int = 4, classes: int = 3) -> TensorDataset:
    """Points around one centre a class."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.arange(size) % classes
    centres = 2 * F.one_hot(target, features).float()
    points = centres + 0.5 * torch.randn(size, features, generator=generator)
    ids = np.array([f"sample {row}" for row in range(size)], dtype=object)
    return TensorDataset({"input": points, "target": target}, facts=Facts(features=features), ids=ids)


class Streamed(Dataset):
    """The same samples, read a batch at a time; some of them may be broken."""

    def __init__(self, inner: Dataset, broken: Mapping[int, Exception] | None = None) -> None:
        self.inner = inner
        self.broken = dict(broken or {})
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(self.inner)

    def batch(self, indices: Tensor) -> Batch:
        for index in indices.tolist():
            if index in self.broken:
                raise self.broken[index]
        self.read += indices.tolist()
        return self.inner.batch(indices)

    @property
    def facts(self) -> Facts:
        return self.inner.facts

    @property
    def ids(self) -> Array:
        return self.inner.ids


def _size(outputs: Mapping[str, Array], weights: Array | None) -> float:
    return float(len(outputs["target"]))


def _accuracy(outputs: Mapping[str, Array], weights: Array | None) -> float:
    hit = outputs["logits"].argmax(1) == outputs["target"]
    return float(np.average(hit, weights=weights))


def _log_loss(outputs: Mapping[str, Array], weights: Array | None) -> float:
    loss = F.cross_entropy(
        torch.from_numpy(outputs["logits"]), torch.from_numpy(outputs["target"]), reduction="none"
    )
    return float(np.average(loss.numpy(), weights=weights))


class Classifier(Task):
    """A small network with everything that resuming must restore: dropout, running statistics, a buffer."""

    def __init__(
        self, features: int = 4, classes: int = 3, *, dropout: float = 0.0, norm: bool = False
    ) -> None:
        super().__init__()
        self.prepared = 0
        self.register_buffer("mean", torch.zeros(features))
        self.network = nn.Sequential(
            nn.Linear(features, 16),
            nn.BatchNorm1d(16) if norm else nn.Identity(),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(16, classes),
        )

    def prepare(self, train: Dataset) -> None:
        self.prepared += 1
        tensors = train.tensors()
        if tensors is not None:
            self.mean.copy_(tensors["input"].mean(0))

    def loss(self, batch: Batch, phase: str) -> Loss:
        logits = self.network(batch["input"] - self.mean)
        value = F.cross_entropy(logits, batch["target"])
        hits = (logits.detach().argmax(1) == batch["target"]).float().mean()
        return Loss(value, len(logits), {"accuracy": hits})

    def predict(self, batch: Batch) -> Batch:
        return {"logits": self.network(batch["input"] - self.mean), "target": batch["target"]}

    def metrics(self) -> list[Metric]:
        return [
            Metric("size", _size, higher_is_better=None),
            Metric("accuracy", _accuracy, headline=True),
            Metric("log_loss", _log_loss, higher_is_better=False),
        ]


class Gan(Task):
    """A generator and a critic that makes two updates a step, as WGAN-GP: its loss differentiates twice."""

    def __init__(self, features: int = 4) -> None:
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, features))
        self.critic = nn.Sequential(nn.Linear(features, 16), nn.Tanh(), nn.Linear(16, 1))

    def phases(self) -> list[Phase]:
        return [
            Phase("critic", ("critic",), OptimizerConfig(lr=2e-3, momentum=0.5), repeats=2),
            Phase("generator", ("generator",), OptimizerConfig(name="sgd", lr=1e-2)),
        ]

    def loss(self, batch: Batch, phase: str) -> Loss:
        real = batch["input"]
        fake = self.generator(torch.randn(len(real), 2, device=real.device))
        if phase == "generator":
            return Loss(-self.critic(fake).mean(), len(real))
        fake = fake.detach()
        between = torch.lerp(real, fake, torch.rand(len(real), 1, device=real.device)).requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        penalty = (slope.norm(dim=1) - 1).square().mean()
        return Loss(
            self.critic(fake).mean() - self.critic(real).mean() + 10 * penalty,
            len(real),
            {"penalty": penalty},
        )


def jitter(batch: Batch, generator: torch.Generator) -> Batch:
    """Augmentation: a little noise."""
    noise = torch.randn(batch["input"].shape, generator=generator)
    return {**batch, "input": batch["input"] + 0.1 * noise}


def settings(
    *, trainer: Mapping[str, Any] | None = None, optimizer: Mapping[str, Any] | None = None, **values: Any
) -> PipelineConfig:
    """Settings for small and quick trainings."""
    return PipelineConfig(
        trainer=TrainerConfig(**{"log_every": 3, **(trainer or {})}),
        optimizer=OptimizerConfig(**{"lr": 0.01, **(optimizer or {})}),
        **{"epochs": 3, "batch_size": 16, **values},
    )


class Weighted(Classifier):
    """Weighs its samples like tokens: the mean runs over the weights of the batch."""

    def loss(self, batch: Batch, phase: str) -> Loss:
        each = F.cross_entropy(self.network(batch["input"] - self.mean), batch["target"], reduction="none")
        tokens = 1.0 + 3.0 * batch["target"]
        return Loss((each * tokens).sum() / tokens.sum(), tokens.sum())
