"""What a baseline is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array


class Baseline(ABC):
    """A simple predictor, fitted on the training split, judged by the task's own metrics."""

    name: str = ""

    @abstractmethod
    def fit(self, train: Dataset) -> None:
        """Learn from the training split."""

    @abstractmethod
    def predict(self, samples: Dataset) -> dict[str, Array]:
        """Per-sample outputs with the keys that the task's metrics read, ``target`` aside."""
