"""Baselines of yes/no questions; outputs ``probabilities`` of yes, shape ``(N, Q)``.

They read ``target``, shape ``(B, Q)``: 1 is yes, 0 is no, nan is not known and is not learned from.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.baselines.base import Baseline
from fivefold.evaluation.baselines.features import FeatureBaseline, Features, LogisticBaseline
from fivefold.tasks.reading import in_batches


class Prevalence(Baseline):
    """Gives every sample the share of yes among the known training answers."""

    name = "prevalence"

    def __init__(self) -> None:
        self._shares: NDArray[np.float64] = np.empty(0)

    def fit(self, train: Dataset) -> None:
        """Count the answers."""
        self._shares = _prevalence(_answers(train))

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``probabilities``, the same for every sample."""
        return {"probabilities": np.tile(self._shares, (len(samples), 1))}


class ByQuestion(FeatureBaseline):
    """One classifier a question, on features of the samples."""

    def __init__(self, features: Features, name: str, *, max_samples: int, seed: int) -> None:
        super().__init__(features, name, max_samples=max_samples, seed=seed)
        self._models: list[Any] = []
        self._shares: NDArray[np.float64] = np.empty(0)

    @abstractmethod
    def _fitted(self, features: Array, target: Array) -> Any:
        """A classifier of scikit-learn's, fitted to features ``(N, D)`` and answers 0 or 1, ``(N,)``."""

    def fit(self, train: Dataset) -> None:
        """Fit each question to its known answers in a bounded draw of the training split.

        A question whose answers there are all alike, or all unknown, is given the share of yes instead.

        Raises:
            DataError: none of the samples drawn has a known answer.
        """
        batches = [batch for _, batch in in_batches(train, self._draw(train))]
        if all(batch["target"].isnan().all() for batch in batches):
            raise DataError(
                f"{self.name}: expected training samples with known answers, found none among {len(train)}; "
                "give answers, or leave this baseline out"
            )
        target = np.concatenate([batch["target"].numpy() for batch in batches])
        features = np.concatenate([self._flat(batch) for batch in batches])
        self._shares = _prevalence(target)
        self._models = [self._model(features, truth) for truth in target.T]

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``probabilities``, shape ``(N, Q)``."""
        probabilities = np.tile(self._shares, (len(samples), 1))
        for indices, batch in in_batches(samples):
            features = self._flat(batch)
            for column, model in enumerate(self._models):
                if model is not None:
                    probabilities[indices.numpy(), column] = model.predict_proba(features)[:, 1]
        return {"probabilities": probabilities}

    def _draw(self, train: Dataset) -> Tensor:
        """Indices of the training samples to see, ascending, at most so many; with answers where these are at hand."""
        order = np.random.default_rng(self._seed).permutation(len(train))
        held = train.targets()
        if held is not None:
            order = order[~held.isnan().all(dim=1).numpy()[order]]
        return torch.from_numpy(np.sort(order[: self._max_samples]))

    def _model(self, features: Array, truth: Array) -> Any:
        known = ~np.isnan(truth)
        answers = np.unique(truth[known])
        if len(answers) <= 1:
            return None
        return self._fitted(features[known], truth[known].astype(np.int64))


class QuestionRegression(LogisticBaseline, ByQuestion):
    """Logistic regression on standardised features, one a question, by scikit-learn."""


class QuestionForest(ByQuestion):
    """Random forest (Breiman 2001), one a question, by scikit-learn."""

    def __init__(
        self, features: Features, name: str, *, trees: int = 200, max_samples: int = 20_000, seed: int = 0
    ) -> None:
        """Settings.

        Args:
            features: a batch to features of shape ``(B, ...)``, flattened to ``(B, D)``.
            name: as the report prints it; say what the features are ("random forest on last values").
            trees: of each forest.
            max_samples: training samples seen at most.
            seed: of the draw of training samples, and of the forests.
        """
        super().__init__(features, name, max_samples=max_samples, seed=seed)
        self._trees = trees

    def _fitted(self, features: Array, target: Array) -> Any:
        from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415 - costs half a second, needed only here

        forest = RandomForestClassifier(self._trees, random_state=self._seed, n_jobs=-1).fit(features, target)
        # Threads add up votes in any order, and so to probabilities that differ in their last digits: one does not.
        return forest.set_params(n_jobs=1)


def _answers(dataset: Dataset) -> NDArray[np.float64]:
    """Every sample's answers, shape ``(N, Q)``; inputs are read only where the dataset cannot tell them apart."""
    held = dataset.targets()
    if held is None:
        held = torch.cat([batch["target"] for _, batch in in_batches(dataset, size=256)])
    return np.asarray(held.double().numpy())


def _prevalence(target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of yes among the known answers of each question, shape ``(Q,)``; a half where none is known."""
    known = (~np.isnan(target)).sum(axis=0)
    return np.where(known > 0, np.nansum(target, axis=0) / np.maximum(known, 1), 0.5)
