"""A pipeline of the tests' own: Fisher's irises from a CSV file, classified by a small perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from sklearn.datasets import load_iris

from fivefold.config import OptimizerConfig, PipelineConfig
from fivefold.data.dataset import Dataset, Facts, TensorDataset
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.evaluation.baselines import Baseline, MajorityClass
from fivefold.nn.mlp import MLP
from fivefold.pipeline import Pipeline
from fivefold.plugins.discovery import Owner
from fivefold.plugins.registry import Registry
from fivefold.plugins.spec import PipelineSpec
from fivefold.tasks.base import Task
from fivefold.tasks.classification import Classification

CLASSES = ("setosa", "versicolor", "virginica")
SPEC = PipelineSpec("plants/iris", "Irises by petal and sepal", target="iris_pipeline:Iris")


class Iris(Pipeline):
    """Four lengths in, one of three irises out."""

    class Config(PipelineConfig):
        """Network."""

        epochs: int = Field(12, ge=1)
        batch_size: int = 16
        optimizer: OptimizerConfig = OptimizerConfig(lr=0.02)
        hidden: int = 16

    def read(self, source: Path) -> Table:
        table = self.read_inputs(source)
        rows = [line.split(",") for line in source.read_text().splitlines()]
        for row, cells in enumerate(rows):
            if cells[-1] not in CLASSES:
                raise DataError(f"{source}, row {row}: unknown iris '{cells[-1]}'")
        label = np.array([CLASSES.index(cells[-1]) for cells in rows])
        return Table({**table.columns, "label": label}, source=str(source), label="label", classes=CLASSES)

    def read_inputs(self, source: Path) -> Table:
        rows = [line.split(",") for line in source.read_text().splitlines()]
        return Table({"size": np.array([cells[:4] for cells in rows], dtype=np.float32)}, source=str(source))

    def samples(self, table: Table) -> Dataset:
        tensors = {"input": torch.from_numpy(table["size"])}
        if table.label is not None:
            tensors["target"] = torch.from_numpy(table[table.label])
        return TensorDataset(tensors, facts=Facts(features=4, classes=list(CLASSES)), ids=table.ids)

    def task(self, data: Facts) -> Task:
        return Classification(MLP(data.features, [self.config.hidden], len(data.classes)), data.classes)

    def baselines(self, data: Facts) -> Sequence[Baseline]:
        return [MajorityClass()]


class IrisRegistry(Registry):
    """A registry with that pipeline alone."""

    def pipeline_class(self, name: str) -> type[Pipeline]:
        self.pipeline_spec(name)
        return Iris


def registry() -> IrisRegistry:
    owner = Owner("plants", "plants", "1.0")
    return IrisRegistry(pipelines={SPEC.name: (SPEC, owner)})


def write_irises(path: Path, rows: slice = slice(None)) -> Path:
    """The irises that scikit-learn carries, or some of them, as a CSV file."""
    irises = load_iris()
    lines = [
        ",".join([*(f"{size:.1f}" for size in sizes), CLASSES[code]])
        for sizes, code in zip(irises.data[rows], irises.target[rows], strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
