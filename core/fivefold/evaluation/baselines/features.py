"""What baselines on features of the samples have in common: how they read them, and logistic regression."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from fivefold.data.dataset import Batch
from fivefold.data.table import Array
from fivefold.evaluation.baselines.base import Baseline

Features = Callable[[Batch], Tensor | Array]


class FeatureBaseline(Baseline):
    """One that learns from features of the samples; its time is bounded by the training samples seen."""

    def __init__(self, features: Features, name: str, *, max_samples: int, seed: int) -> None:
        self.name = name
        self._features = features
        self._max_samples = max_samples
        self._seed = seed

    def _flat(self, batch: Batch) -> Array:
        """``(B, D)``, float32."""
        features = np.asarray(self._features(batch), dtype=np.float32)
        return features.reshape(len(features), -1)


class LogisticBaseline(FeatureBaseline):
    """Logistic regression on standardised features, by scikit-learn."""

    def __init__(
        self,
        features: Features,
        name: str = "logistic regression",
        *,
        max_samples: int = 20_000,
        max_iterations: int = 200,
        regularisation: float = 0.1,
        seed: int = 0,
    ) -> None:
        """Settings.

        Args:
            features: a batch to features of shape ``(B, ...)``, flattened to ``(B, D)``.
            name: as the report prints it; say what the features are ("logistic regression on 14x14 pixels").
            max_samples: training samples seen at most.
            max_iterations: steps of the optimizer (L-BFGS) at most.
            regularisation: scikit-learn's ``C``; smaller is more regular.
            seed: of the draw of training samples.
        """
        super().__init__(features, name, max_samples=max_samples, seed=seed)
        self._max_iterations = max_iterations
        self._regularisation = regularisation

    def _fitted(self, features: Array, target: Array) -> Any:
        """A classifier fitted to features ``(N, D)`` and codes ``(N,)``."""
        from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - costs half a second, needed only here
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - imported where it is used
        from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - imported where it is used
        from sklearn.preprocessing import StandardScaler  # noqa: PLC0415 - imported where it is used

        regression = LogisticRegression(C=self._regularisation, max_iter=self._max_iterations)
        model = make_pipeline(StandardScaler(), regression)
        with warnings.catch_warnings():
            # A bounded number of steps is the point here: close to the optimum is as good a baseline.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(features, target)
