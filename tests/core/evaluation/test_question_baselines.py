"""Baselines of yes/no questions: unknown answers, questions without two answers, bounded reading."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from core.training.toys import Streamed
from fivefold.data.dataset import Facts, TensorDataset
from fivefold.errors import DataError
from fivefold.evaluation.baselines import Prevalence, QuestionForest, QuestionRegression


def dataset(inputs, target):
    tensors = {
        "input": torch.as_tensor(inputs, dtype=torch.float32),
        "target": torch.as_tensor(target, dtype=torch.float32),
    }
    return TensorDataset(tensors, facts=Facts(), ids=np.arange(len(target)))


def asked(count=300):
    """Three questions, a fifth of the answers unknown; the last has only noes."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(5, 3, size=(count, 4)).astype(np.float32)
    chance = 1 / (1 + np.exp(-(inputs[:, :2] - 5)))
    target = np.concatenate([generator.random((count, 2)) < chance, np.zeros((count, 1))], axis=1).astype(
        float
    )
    target[generator.random(target.shape) < 0.2] = np.nan
    return inputs, target


def features(batch):
    return batch["input"]


def regression(**settings):
    return QuestionRegression(features, "logistic regression on four numbers", **settings)


def forest(**settings):
    return QuestionForest(features, "random forest on four numbers", **{"trees": 10, **settings})


@pytest.mark.parametrize("wrap", [lambda held: held, Streamed])
def test_prevalence_is_the_share_of_yes_among_known_answers(wrap):
    baseline = Prevalence()
    nan = np.nan
    target = [[1, 0, nan], [0, nan, nan], [0, nan, nan], [nan, 0, nan], [1, 0, nan], [1, 0, nan]]
    baseline.fit(wrap(dataset(np.zeros((6, 1)), target)))
    found = baseline.predict(dataset(np.zeros((2, 1)), np.zeros((2, 3))))
    np.testing.assert_allclose(found["probabilities"], [[0.6, 0, 0.5]] * 2)
    assert baseline.name == "prevalence"


def test_regression_is_scikit_learns_on_the_known_answers():
    inputs, target = asked()
    baseline = regression(regularisation=1.0, max_iterations=1000)
    baseline.fit(dataset(inputs, target))
    found = baseline.predict(dataset(inputs, target))["probabilities"]
    for column in range(2):
        known = ~np.isnan(target[:, column])
        scaler = StandardScaler().fit(inputs[known])
        model = LogisticRegression(C=1.0, max_iter=1000).fit(
            scaler.transform(inputs[known]), target[known, column]
        )
        expected = model.predict_proba(scaler.transform(inputs))[:, 1]
        np.testing.assert_allclose(found[:, column], expected, atol=2e-3)


def test_forest_is_scikit_learns_on_the_known_answers():
    inputs, target = asked()
    baseline = forest(seed=7)
    baseline.fit(dataset(inputs, target))
    found = baseline.predict(dataset(inputs, target))["probabilities"]
    for column in range(2):
        known = ~np.isnan(target[:, column])
        model = RandomForestClassifier(10, random_state=7).fit(inputs[known], target[known, column])
        np.testing.assert_allclose(found[:, column], model.predict_proba(inputs)[:, 1])


@pytest.mark.parametrize("make", [regression, forest])
@pytest.mark.parametrize(("answer", "expected"), [(0, 0), (1, 1), (np.nan, 0.5)])
def test_a_question_of_one_answer_gets_its_prevalence(make, answer, expected):
    inputs, target = asked()
    target[:, 2] = answer
    target[:2, 2] = np.nan
    baseline = make()
    baseline.fit(dataset(inputs, target))
    found = baseline.predict(dataset(inputs, target))["probabilities"]
    assert (found[:, 2] == expected).all()
    assert found[:, :2].std(axis=0).min() > 0.1
    assert baseline.name.endswith("on four numbers")


@pytest.mark.parametrize("make", [regression, forest])
def test_equal_seeds_predict_alike(make):
    samples = dataset(*asked())
    found = []
    for _ in range(2):
        baseline = make(max_samples=100, seed=3)
        baseline.fit(samples)
        found.append(baseline.predict(samples)["probabilities"])
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("make", [regression, forest])
def test_no_more_of_the_disk_is_read_than_is_seen(make):
    inputs, target = asked()
    train = Streamed(dataset(inputs, target))
    baseline = make(max_samples=50)
    baseline.fit(train)
    assert len(train.read) == 50
    assert baseline.predict(dataset(inputs, target))["probabilities"].shape == (300, 3)


def test_samples_without_answers_are_not_seen_where_answers_are_at_hand():
    seen = []

    def spy(batch):
        seen.append(batch["target"])
        return batch["input"]

    inputs, target = asked()
    target[::3] = np.nan
    target[1::3, 0] = 0
    QuestionRegression(spy, "spied on", max_samples=1000).fit(dataset(inputs, target))
    answered = int((~np.isnan(target).all(axis=1)).sum())
    assert len(torch.cat(seen)) == answered < 300


def test_features_of_any_shape_are_flattened_and_may_be_arrays():
    inputs, target = asked()
    whole = regression()
    whole.fit(dataset(inputs, target))
    square = QuestionRegression(lambda batch: batch["input"].reshape(-1, 2, 2).numpy(), "square")
    square.fit(dataset(inputs, target))
    np.testing.assert_array_equal(
        whole.predict(dataset(inputs, target))["probabilities"],
        square.predict(dataset(inputs, target))["probabilities"],
    )


def test_a_bounded_number_of_steps_is_no_fault():
    baseline = regression(max_iterations=1)
    baseline.fit(dataset(*asked()))
    found = baseline.predict(dataset(*asked()))["probabilities"]
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("wrap", [lambda held: held, Streamed])
@pytest.mark.parametrize("make", [regression, forest])
def test_no_known_answer_is_refused(make, wrap):
    inputs, target = asked()
    with pytest.raises(
        DataError, match="on four numbers: expected training samples with known answers, found none"
    ):
        make().fit(wrap(dataset(inputs, np.full_like(target, np.nan))))
