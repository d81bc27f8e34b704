"""Baselines of regression; outputs ``prediction``, shape ``(N, K)``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array
from fivefold.evaluation.baselines.base import Baseline
from fivefold.tasks.reading import in_batches


class MeanTarget(Baseline):
    """Predicts the mean of the training targets for every sample."""

    name = "mean of the training targets"

    def __init__(self) -> None:
        self._mean: NDArray[np.float64] = np.empty(0)

    def fit(self, train: Dataset) -> None:
        """Average the targets."""
        total = np.zeros(1)
        for _, batch in in_batches(train):
            target = batch["target"].double()
            total = total + target.reshape(len(target), -1).sum(dim=0).numpy()
        self._mean = total / len(train)

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``prediction``, the same for every sample."""
        return {"prediction": np.tile(self._mean, (len(samples), 1))}
