"""Baselines of classification; outputs ``probabilities``, shape ``(N, C)``."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Dataset, Facts
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.baselines.base import Baseline
from fivefold.evaluation.baselines.features import LogisticBaseline
from fivefold.tasks.reading import in_batches, target_codes


class MajorityClass(Baseline):
    """Gives every sample the shares that the classes have in the training split."""

    name = "majority class"

    def __init__(self) -> None:
        self._shares: NDArray[np.float64] = np.empty(0)

    def fit(self, train: Dataset) -> None:
        """Count the classes."""
        counts = np.bincount(target_codes(train), minlength=class_count(train.facts))
        self._shares = counts / counts.sum()

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``probabilities``, the same for every sample."""
        return {"probabilities": np.tile(self._shares, (len(samples), 1))}


class LogisticRegression(LogisticBaseline):
    """Multinomial logistic regression on standardised features, by scikit-learn.

    Its time is bounded: it sees at most ``max_samples`` training samples, drawn in the classes' proportions
    where labels are at hand without reading the inputs, and makes at most ``max_iterations`` steps.
    """

    def fit(self, train: Dataset) -> None:
        """Fit on a bounded draw of the training split.

        Raises:
            DataError: the samples drawn are all of one class.
        """
        self._classes = class_count(train.facts)
        features, target = self._gather(train, self._draw(train))
        self._model = self._fitted(features, target)

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``probabilities``; zero for classes that no training sample had."""
        probabilities = np.zeros((len(samples), self._classes))
        for indices, batch in in_batches(samples):
            found = self._model.predict_proba(self._flat(batch))
            probabilities[indices.numpy()[:, None], self._model.classes_] = found
        return {"probabilities": probabilities}

    def _draw(self, train: Dataset) -> Tensor:
        """Indices of the training samples to see, ascending, at most ``max_samples``."""
        generator = np.random.default_rng(self._seed)
        order = generator.permutation(len(train))
        held = train.tensors()
        if held is not None and len(order) > self._max_samples:
            # Evenly spaced in the order of classes: every class in its proportion.
            order = order[np.argsort(held["target"].numpy()[order], kind="stable")]
            order = order[np.linspace(0, len(order) - 1, self._max_samples).astype(np.int64)]
        return torch.from_numpy(np.sort(order[: self._max_samples]))

    def _gather(self, train: Dataset, indices: Tensor) -> tuple[Array, Array]:
        batches = [batch for _, batch in in_batches(train, indices)]
        target = np.concatenate([batch["target"].numpy() for batch in batches])
        if (target == target[0]).all():
            raise DataError(
                f"{self.name}: expected training samples of two classes or more, "
                f"found only code {target[0]} among the {len(target)} seen; give data of at least two classes"
            )
        return np.concatenate([self._flat(batch) for batch in batches]), target


def class_count(facts: Facts) -> int:
    """Number of classes that the data state, as a number or as names."""
    classes = facts.classes
    return classes if isinstance(classes, int) else len(classes)
