"""Baselines of the autoencoder: they reconstruct the same normal scores by their mean, or by principal components.

Outputs are ``error``, the mean square over the numbers that are there, ``(N,)``, and ``probabilities``, ``(N, 1)``, a
score that rises with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array
from fivefold.evaluation.baselines import Baseline
from fivefold.tasks.reading import in_batches
from fivefold_finance.fraud.numbers import NormalScores
from fivefold_finance.fraud.tasks import FITTED_ON, fit_scores


class PrincipalComponents(Baseline):
    """Reconstruction from principal components; without any it is by the mean."""

    def __init__(self, components: int) -> None:
        self.name = f"{components} principal components" if components else "mean"
        self._components = components
        self._scores = NormalScores(0, [])
        self._mean: NDArray[np.float64] = np.empty(0)
        self._axes: NDArray[np.float64] = np.empty((0, 0))

    def fit(self, train: Dataset) -> None:
        """Mean and axes of the training transactions' normal scores."""
        self._scores = NormalScores(train.batch(torch.zeros(1, dtype=torch.int64))["input"].shape[1], [])
        fit_scores(self._scores, train)
        rows = torch.linspace(0, len(train) - 1, min(len(train), FITTED_ON), dtype=torch.float64).long()
        parts = [self._scored(batch)[0] for _, batch in in_batches(train, rows)]
        scores = np.concatenate(parts)
        self._mean = scores.mean(axis=0)
        _, axes = np.linalg.eigh(np.cov(scores, rowvar=False).reshape(scores.shape[1], -1))
        self._axes = axes[:, ::-1][:, : self._components]

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``error`` and ``probabilities``."""
        errors = []
        for _, batch in in_batches(samples):
            scores, known = self._scored(batch)
            apart = scores - self._mean
            apart = apart - apart @ self._axes @ self._axes.T
            errors.append((apart**2 * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1))
        error = np.concatenate(errors)
        return {"error": error, "probabilities": (error / (1 + error))[:, None]}

    def _scored(self, batch: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        values = batch["input"]
        return self._scores(values).double().numpy(), (~values.isnan()).numpy()
