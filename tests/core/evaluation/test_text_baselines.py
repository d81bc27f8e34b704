"""Baselines on texts beside scikit-learn used by hand, and what they say of texts that they cannot use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from fivefold.data.dataset import Facts, TensorDataset
from fivefold.errors import DataError
from fivefold.evaluation.baselines import TfidfLogisticRegression, TfidfRidge

TEXTS = ["a fine film !", "fine , fine acting", "dull and slow", "a slow , dull film", "so dull", "fine"]
PATTERN = r"(?u)\w+|[^\w\s]+"
CODES = [1, 1, 0, 0, 0, 1]


class Texts(TensorDataset):
    def __init__(self, texts: Sequence[str], target: Sequence[float], classes: int = 2) -> None:
        kind = torch.int64 if classes else torch.float32
        super().__init__(
            {"target": torch.tensor(target, dtype=kind)},
            facts=Facts(classes=[str(code) for code in range(classes)]),
            ids=np.array([f"row {row}" for row in range(len(texts))], dtype=object),
        )
        self.texts = texts


def by_hand(texts: Sequence[str], new: Sequence[str]) -> tuple[object, object]:
    words = TfidfVectorizer(token_pattern=PATTERN, ngram_range=(1, 2), sublinear_tf=True)
    features = words.fit_transform(texts)
    return features, words.transform(new)


def test_probabilities_are_those_of_scikit_learn() -> None:
    baseline = TfidfLogisticRegression()
    baseline.fit(Texts(TEXTS, CODES))
    new = ["dull acting", "a film"]
    found = baseline.predict(Texts(new, [0, 0]))["probabilities"]
    features, unseen = by_hand(TEXTS, new)
    model = LogisticRegression(C=4.0, max_iter=300).fit(features, CODES)
    assert np.allclose(found, model.predict_proba(unseen), atol=1e-6)


def test_a_class_without_training_texts_has_no_probability() -> None:
    baseline = TfidfLogisticRegression()
    baseline.fit(Texts(TEXTS, CODES, classes=3))
    found = baseline.predict(Texts(["fine"], [2], classes=3))["probabilities"]
    assert found.shape == (1, 3)
    assert found[0, 2] == 0
    assert found[0].sum() == pytest.approx(1)


def test_ratings_are_those_of_ridge_regression() -> None:
    ratings = [4.5, 4.0, 1.0, 1.5, 0.5, 5.0]
    baseline = TfidfRidge()
    baseline.fit(Texts(TEXTS, ratings, classes=0))
    found = baseline.predict(Texts(["a dull film"], [0.0], classes=0))["prediction"]
    features, unseen = by_hand(TEXTS, ["a dull film"])
    assert np.allclose(found[:, 0], Ridge(alpha=1.0).fit(features, ratings).predict(unseen), atol=1e-5)


def test_one_class_teaches_nothing() -> None:
    with pytest.raises(DataError, match="two classes or more"):
        TfidfLogisticRegression().fit(Texts(TEXTS[:2], [1, 1]))


def test_texts_without_words_teach_nothing() -> None:
    with pytest.raises(DataError, match="expected words in the training texts"):
        TfidfLogisticRegression().fit(Texts([" ", "\n"], [0, 1]))


def test_samples_without_texts_are_refused() -> None:
    samples = TensorDataset(
        {"target": torch.tensor([0, 1])}, facts=Facts(classes=["a", "b"]), ids=np.array(["x", "y"])
    )
    with pytest.raises(DataError, match="expected samples with texts, found TensorDataset"):
        TfidfLogisticRegression().fit(samples)
