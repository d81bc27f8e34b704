"""Studies on irises: pipelines that watch what tuning does with them, and a command for processes of their own.

python plants.py DATA DIRECTORY TRIALS killed|beside
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fivefold.config import OptimizerConfig, PipelineConfig
from fivefold.config.models import TrainerConfig
from fivefold.data.dataset import Batch, Dataset, Facts, TensorDataset
from fivefold.data.table import Array, Table
from fivefold.pipeline import Pipeline
from fivefold.training.callback import Callback
from fivefold.tuning.tuner import Tuned, tune
from iris_pipeline import SPEC, Iris, IrisRegistry, registry


class Sealed(Dataset):
    """Samples that nobody may look at."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def batch(self, indices: Tensor) -> Batch:
        raise AssertionError("the test split was looked at")

    @property
    def facts(self) -> Facts:
        raise AssertionError("the test split was looked at")

    @property
    def ids(self) -> Array:
        raise AssertionError("the test split was looked at")


class SealedIris(Iris):
    """Counts how often the data are read, and gives the test split out sealed."""

    reads = 0

    class Config(Iris.Config):
        epochs: int = 3
        optimizer: OptimizerConfig = OptimizerConfig(lr=0.02)
        trainer: TrainerConfig = TrainerConfig(probe=False)
        keep: float = 1.0
        """Share of the training samples that is kept."""

    def read(self, source: Path) -> Table:
        type(self).reads += 1
        return super().read(source)

    def samples(self, table: Table) -> Dataset:
        self._asked = getattr(self, "_asked", 0) + 1
        if self._asked == 3:
            return Sealed(len(table))
        samples = super().samples(table)
        if self._asked == 1:
            kept = torch.arange(round(self.config.keep * len(samples)))
            return TensorDataset(samples.batch(kept), facts=samples.facts, ids=samples.ids[kept.numpy()])
        return samples


@dataclass
class Watcher(Callback):
    """Calls ``act`` with the number of the trial, by its order here, and each validation record."""

    act: Callable[[int, dict[str, Any]], None]
    trial: int = field(default=-1)

    def on_start(self, info: dict[str, Any]) -> None:
        self.trial += 1

    def on_log(self, record: dict[str, Any]) -> None:
        if record["split"] == "val":
            self.act(self.trial, record)


class Plants(IrisRegistry):
    """A registry with one pipeline class and one watcher."""

    kind: type[Pipeline] = SealedIris
    watcher: Watcher | None = None

    def pipeline_class(self, name: str) -> type[Pipeline]:
        return self.kind

    def callbacks(self) -> list[Callback]:
        return [] if self.watcher is None else [self.watcher]


def plants(
    kind: type[Pipeline] = SealedIris, act: Callable[[int, dict[str, Any]], None] | None = None
) -> Plants:
    found = Plants(pipelines=registry().pipelines)
    found.kind = kind
    found.watcher = None if act is None else Watcher(act)
    return found


def study(source: Path, out: Path, **options: Any) -> Tuned:
    """A small study; options go to `tune`."""
    kind = options.pop("kind", SealedIris)
    act = options.pop("act", None)
    options = {"trials": 3, "config": kind.Config(), **options}
    return tune(SPEC, str(source), out=out, registry=plants(kind, act), **options)


def quick(**changes: Any) -> PipelineConfig:
    """Settings of the tests' pipeline."""
    return SealedIris.Config(**changes)


def kill_in_second_trial(trial: int, record: dict[str, Any]) -> None:
    """As an operating system without memory would."""
    if trial == 1 and record["epoch"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)


def main(source: Path, directory: Path, trials: int, role: str) -> None:
    act = kill_in_second_trial if role == "killed" else None
    study(source, directory, trials=trials, act=act)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
