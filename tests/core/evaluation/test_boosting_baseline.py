"""Gradient boosting as a baseline: scikit-learn's, deterministic, stopped by a tail, fit for rare answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score

from fivefold.data.dataset import Facts, TensorDataset
from fivefold.errors import DataError
from fivefold.evaluation.baselines.boosting import QuestionBoosting


def dataset(inputs, target):
    tensors = {
        "input": torch.as_tensor(inputs, dtype=torch.float32),
        "target": torch.as_tensor(target, dtype=torch.float32),
    }
    return TensorDataset(tensors, facts=Facts(), ids=np.arange(len(target)))


def asked(count=400, seed=0):
    """Two questions, a fifth of the answers unknown and a tenth of the features missing."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(count, 4)).astype(np.float32)
    target = (generator.random((count, 2)) < 1 / (1 + np.exp(-3 * inputs[:, :2]))).astype(float)
    inputs[generator.random(inputs.shape) < 0.1] = np.nan
    target[generator.random(target.shape) < 0.2] = np.nan
    return inputs, target


def boosting(**settings):
    return QuestionBoosting(
        lambda batch: batch["input"], "boosting on four numbers", **{"trees": 20, **settings}
    )


def predicted(baseline, train, test):
    baseline.fit(dataset(*train))
    return baseline.predict(dataset(*test))["probabilities"]


def test_it_is_scikit_learns_on_the_known_answers():
    inputs, target = asked()
    found = predicted(
        boosting(learning_rate=0.2, leaves=7, regularisation=0.5), (inputs, target), (inputs, target)
    )
    for column in range(2):
        known = ~np.isnan(target[:, column])
        model = HistGradientBoostingClassifier(
            max_iter=20, learning_rate=0.2, max_leaf_nodes=7, l2_regularization=0.5, early_stopping=False
        ).fit(inputs[known], target[known, column])
        np.testing.assert_allclose(found[:, column], model.predict_proba(inputs)[:, 1])


def test_the_tail_tells_when_to_stop_and_is_not_learned():
    inputs, target = asked()
    target = np.nan_to_num(target[:, :1])
    found = predicted(boosting(trees=300, tail=0.25, patience=5), (inputs, target), (inputs, target))
    model = HistGradientBoostingClassifier(max_iter=300, n_iter_no_change=5, early_stopping=True).fit(
        inputs[:300], target[:300, 0], X_val=inputs[300:], y_val=target[300:, 0]
    )
    assert model.n_iter_ < 100
    np.testing.assert_allclose(found[:, 0], model.predict_proba(inputs)[:, 1])


def test_a_tail_of_one_answer_does_not_stop():
    inputs, target = asked()
    target = np.nan_to_num(target[:, :1])
    target[300:] = 0
    with_tail = predicted(boosting(tail=0.25), (inputs, target), (inputs, target))
    np.testing.assert_array_equal(with_tail, predicted(boosting(), (inputs, target), (inputs, target)))


@pytest.mark.parametrize("tail", [0.0, 0.2])
def test_equal_seeds_predict_alike(tail):
    found = [
        predicted(boosting(max_samples=200, seed=3, tail=tail), asked(), asked(seed=1)) for _ in range(2)
    ]
    np.testing.assert_array_equal(*found)


def test_rare_answers_are_found():
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(4000, 3)).astype(np.float32)
    target = ((inputs[:, 0] > 1.8) & (inputs[:, 1] > 0)).astype(float)[:, None]
    assert target.mean() < 0.03
    found = predicted(boosting(), (inputs[:2000], target[:2000]), (inputs[2000:], target[2000:]))
    assert average_precision_score(target[2000:, 0], found[:, 0]) > 0.9


def test_a_question_of_one_answer_gets_its_prevalence():
    inputs, target = asked()
    target[:, 1] = 0
    assert (predicted(boosting(), (inputs, target), (inputs, target))[:, 1] == 0).all()


def test_no_known_answer_is_refused():
    inputs, target = asked()
    with pytest.raises(
        DataError, match="boosting on four numbers: expected training samples with known answers"
    ):
        boosting().fit(dataset(inputs, np.full_like(target, np.nan)))
