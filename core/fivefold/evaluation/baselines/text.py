"""Baselines on texts: counts of words, weighted, and a linear model (TF-IDF; Sparck Jones 1972)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.baselines.base import Baseline
from fivefold.evaluation.baselines.classification import class_count
from fivefold.tasks.reading import target_codes

_WORDS = r"(?u)\w+|[^\w\s]+"


@runtime_checkable
class HasTexts(Protocol):
    """A dataset that can say what its samples' texts were."""

    texts: Sequence[str]


class TfidfLogisticRegression(Baseline):
    """Logistic regression on TF-IDF of words and pairs of words, by scikit-learn; outputs ``probabilities``."""

    name = "TF-IDF with logistic regression"

    def __init__(self, *, regularisation: float = 4.0, max_features: int = 200_000) -> None:
        """Settings.

        Args:
            regularisation: scikit-learn's ``C``; smaller is more regular.
            max_features: words and pairs at most, the commonest.
        """
        self._regularisation = regularisation
        self._max_features = max_features
        self._model: Any = None
        self._classes = 0

    def fit(self, train: Dataset) -> None:
        """Fit on the training split.

        Raises:
            DataError: the samples have no texts, no words, or are all of one class.
        """
        from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - costs half a second, needed only here
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - imported where it is used

        self._classes = class_count(train.facts)
        target = target_codes(train)
        if (target == target[0]).all():
            raise DataError(
                f"{self.name}: expected texts of two classes or more, found one; add another class"
            )
        model = LogisticRegression(C=self._regularisation, max_iter=300)
        with warnings.catch_warnings():
            # A bounded number of steps is the point: close to the optimum is as good a baseline.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._model = _fitted(model, texts_of(train), target, self._max_features)

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``probabilities``, ``(N, C)``; zero for classes that no training sample had."""
        probabilities = np.zeros((len(samples), self._classes))
        probabilities[:, self._model.classes_] = self._model.predict_proba(list(texts_of(samples)))
        return {"probabilities": probabilities}


class TfidfRidge(Baseline):
    """Ridge regression on TF-IDF of words and pairs of words, by scikit-learn; outputs ``prediction``."""

    name = "TF-IDF with ridge regression"

    def __init__(self, *, strength: float = 1.0, max_features: int = 200_000) -> None:
        """Settings.

        Args:
            strength: of the penalty.
            max_features: words and pairs at most, the commonest.
        """
        self._strength = strength
        self._max_features = max_features
        self._model: Any = None

    def fit(self, train: Dataset) -> None:
        """Fit on the training split."""
        from sklearn.linear_model import Ridge  # noqa: PLC0415 - imported where it is used

        target = train.targets()
        if target is None:
            raise DataError(f"{self.name}: expected ratings to learn from, found none")
        model = Ridge(alpha=self._strength)
        self._model = _fitted(model, texts_of(train), target.double().numpy(), self._max_features)

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``prediction``, ``(N, 1)``."""
        return {"prediction": np.asarray(self._model.predict(list(texts_of(samples)))).reshape(-1, 1)}


def texts_of(samples: Dataset) -> Sequence[str]:
    """The texts of ``samples``.

    Raises:
        DataError: the dataset has none.
    """
    if not isinstance(samples, HasTexts):
        raise DataError(f"expected samples with texts, found {type(samples).__name__}, which has none")
    return samples.texts


def _fitted(model: Any, texts: Sequence[str], target: Array, max_features: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - imported where it is used
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - imported where it is used

    # Words of one letter and punctuation carry sentiment, too ("a", "!"), so tokens are runs of either kind.
    words = TfidfVectorizer(
        token_pattern=_WORDS, ngram_range=(1, 2), sublinear_tf=True, max_features=max_features
    )
    try:
        return make_pipeline(words, model).fit(list(texts), target)
    except ValueError as error:
        if "empty vocabulary" not in str(error):
            raise
        raise DataError(
            "TF-IDF: expected words in the training texts, found none; give texts with words"
        ) from error
