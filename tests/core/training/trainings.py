"""Trainings of small tasks, and what they leave behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from core.training.toys import Classifier, blobs, settings
from fivefold.data.dataset import Dataset
from fivefold.evaluation.metric import Metric
from fivefold.tasks.base import Task
from fivefold.training.callback import Callback
from fivefold.training.trainer import Trainer

CPU = torch.device("cpu")


def trainer(
    directory: Path,
    task: Task | None = None,
    *,
    train: Dataset | None = None,
    val: bool = True,
    **values: Any,
) -> Trainer:
    torch.manual_seed(0)
    names = ("augment", "callbacks", "sample_weights", "progress", "tensorboard")
    given = {"progress": False, "tensorboard": False, **{k: values.pop(k) for k in names if k in values}}
    return Trainer(
        task or Classifier(),
        blobs(60) if train is None else train,
        blobs(30, seed=1) if val else None,
        config=settings(**values),
        device=CPU,
        directory=directory,
        **given,
    )


def records(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]


def checkpoints(directory: Path) -> list[int]:
    return sorted(int(path.name.removeprefix("step-")) for path in (directory / "checkpoints").iterdir())


class Scripted(Classifier):
    """Judged by values given beforehand, one a validation."""

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = iter(values)

    def metrics(self) -> list[Metric]:
        return [Metric("score", lambda outputs, weights: next(self.values))]  # noqa: ARG005 - a metric's signature


class Recorder(Callback):
    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def on_start(self, info: dict[str, Any]) -> None:
        self.calls.append(("start", info))

    def on_log(self, record: dict[str, Any]) -> None:
        self.calls.append((record["split"], record["step"]))

    def on_end(self, info: dict[str, Any]) -> None:
        self.calls.append(("end", info))
