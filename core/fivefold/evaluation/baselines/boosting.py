"""Gradient boosting over yes/no questions; outputs ``probabilities`` of yes, shape ``(N, Q)``."""

from __future__ import annotations

from typing import Any

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.baselines.features import Features
from fivefold.evaluation.baselines.questions import ByQuestion

_BOTH = 2


class QuestionBoosting(ByQuestion):
    """Histogram gradient boosting (Friedman 2001; Ke et al. 2017), one a question, by scikit-learn.

    Missing features (nan) are a branch of their own. Where a tail is held back, trees are added until its loss has
    not fallen for a while; a tail, and not a random part, as in samples that are in order of time the latter would
    tell of the same bursts that are learned.
    """

    def __init__(
        self,
        features: Features,
        name: str,
        *,
        trees: int = 200,
        learning_rate: float = 0.1,
        leaves: int = 31,
        regularisation: float = 0.0,
        tail: float = 0.0,
        patience: int = 10,
        max_samples: int = 1_000_000,
        seed: int = 0,
    ) -> None:
        """Settings.

        Args:
            features: a batch to features of shape ``(B, ...)``, flattened to ``(B, D)``.
            name: as the report prints it; say what the features are ("gradient boosting on amounts").
            trees: of each question, at most.
            learning_rate: what each tree counts.
            leaves: of each tree, at most.
            regularisation: L2, on the values of leaves.
            tail: share of the training samples, the last ones, held back to tell when to stop; 0 does not stop early.
            patience: trees without a fall of the tail's loss after which no more are added.
            max_samples: training samples seen at most.
            seed: of the draw of training samples, and of the boosting.
        """
        super().__init__(features, name, max_samples=max_samples, seed=seed)
        self._tail = tail
        self._settings: dict[str, Any] = {
            "max_iter": trees,
            "learning_rate": learning_rate,
            "max_leaf_nodes": leaves,
            "l2_regularization": regularisation,
            "n_iter_no_change": patience,
            "random_state": seed,
        }

    def _fitted(self, features: Array, target: Array) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - costs half a second, needed only here

        held = round(self._tail * len(target))
        first, last = target[: len(target) - held], target[len(target) - held :]
        if min(len(np.unique(first)), len(np.unique(last))) < _BOTH:
            # Without both answers in each part, there is nothing to learn from, or no loss to tell when to stop.
            return HistGradientBoostingClassifier(**self._settings, early_stopping=False).fit(
                features, target
            )
        return HistGradientBoostingClassifier(**self._settings, early_stopping=True).fit(
            features[: len(first)], first, X_val=features[len(first) :], y_val=last
        )
