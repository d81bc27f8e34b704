"""Baselines: what they predict, and how they bound their time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression as Reference
from sklearn.preprocessing import StandardScaler

from core.training.toys import Streamed
from fivefold.data.dataset import Facts, TensorDataset
from fivefold.data.table import Table
from fivefold.data.windows import Windows
from fivefold.errors import ConfigError, DataError
from fivefold.evaluation.baselines import (
    LastValue,
    LogisticRegression,
    MajorityClass,
    MeanTarget,
    SeasonalNaive,
)


def dataset(inputs, target, **facts):
    tensors = {"input": torch.as_tensor(inputs), "target": torch.as_tensor(target)}
    return TensorDataset(tensors, facts=Facts(facts), ids=np.arange(len(target)))


def blobs(count=600, classes=3):
    generator = np.random.default_rng(0)
    target = generator.integers(classes, size=count)
    centres = 1.5 * generator.normal(size=(classes, 4))
    inputs = (centres[target] + generator.normal(size=(count, 4))).astype(np.float32)
    return dataset(inputs, target, classes=[str(code) for code in range(classes)])


def features(batch):
    return batch["input"]


@pytest.mark.parametrize("wrap", [lambda held: held, Streamed])
def test_majority_class_gives_the_training_shares(wrap):
    baseline = MajorityClass()
    baseline.fit(wrap(dataset(np.zeros((4, 1)), np.array([0, 2, 2, 2]), classes=["a", "b", "c"])))
    found = baseline.predict(dataset(np.zeros((2, 1)), np.zeros(2, int)))
    np.testing.assert_allclose(found["probabilities"], [[0.25, 0, 0.75]] * 2)


def test_classes_may_be_stated_as_a_number():
    baseline = MajorityClass()
    baseline.fit(dataset(np.zeros((2, 1)), np.array([0, 1]), classes=4))
    assert baseline.predict(dataset(np.zeros((1, 1)), [0]))["probabilities"].shape == (1, 4)


def test_logistic_regression_is_scikit_learns():
    train = blobs()
    baseline = LogisticRegression(features, regularisation=1.0, max_iterations=1000)
    baseline.fit(train)
    inputs, target = (train.tensors()[name].numpy() for name in ("input", "target"))
    scaler = StandardScaler().fit(inputs)
    expected = Reference(C=1.0, max_iter=1000).fit(scaler.transform(inputs), target)
    np.testing.assert_allclose(
        baseline.predict(train)["probabilities"], expected.predict_proba(scaler.transform(inputs)), atol=2e-3
    )
    assert baseline.name == "logistic regression"


def test_logistic_regression_sees_a_bounded_draw_in_proportion():
    seen = []

    def spy(batch):
        seen.append(batch["target"])
        return batch["input"]

    target = np.repeat([0, 1], [900, 100])
    train = dataset(
        np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32), target, classes=["a", "b"]
    )
    LogisticRegression(spy, max_samples=100).fit(train)
    assert np.bincount(torch.cat(seen)).tolist() == [90, 10]


def test_logistic_regression_reads_no_more_of_the_disk_than_it_sees():
    train = Streamed(blobs())
    baseline = LogisticRegression(features, max_samples=50, max_iterations=1)
    baseline.fit(train)
    assert len(train.read) == 50
    shares = baseline.predict(blobs(20))["probabilities"]
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_classes_unseen_in_training_have_probability_zero():
    train = dataset(np.arange(8.0)[:, None], np.array([0, 0, 0, 0, 2, 2, 2, 2]), classes=["a", "b", "c"])
    baseline = LogisticRegression(features)
    baseline.fit(train)
    shares = baseline.predict(train)["probabilities"]
    assert (shares[:, 1] == 0).all()
    assert (shares.argmax(axis=1) == [0, 0, 0, 0, 2, 2, 2, 2]).all()


def test_one_class_alone_is_refused():
    with pytest.raises(
        DataError, match="logistic regression: expected training samples of two classes or more"
    ):
        LogisticRegression(features).fit(dataset(np.zeros((3, 1)), np.ones(3, int), classes=["a", "b"]))


@pytest.mark.parametrize("shape", [(2500,), (2500, 3)])
def test_mean_target(shape):
    target = np.random.default_rng(0).normal(7, 2, size=shape).astype(np.float32)
    baseline = MeanTarget()
    baseline.fit(dataset(np.zeros((2500, 1)), target))
    found = baseline.predict(dataset(np.zeros((5, 1)), np.zeros(5)))["prediction"]
    np.testing.assert_allclose(found, np.tile(target.reshape(2500, -1).mean(axis=0, dtype=float), (5, 1)))


def windows(lookback=6, horizon=2, **facts):
    series = torch.arange(40.0)
    starts = range(len(series) - lookback - horizon)
    inputs = torch.stack(
        [torch.stack([series[s : s + lookback], -series[s : s + lookback]], dim=1) for s in starts]
    )
    target = torch.stack([series[s + lookback : s + lookback + horizon] for s in starts])
    return dataset(inputs, target, **facts)


def test_last_value_repeats_the_last_step():
    baseline = LastValue()
    baseline.fit(windows())
    found = baseline.predict(windows())["prediction"]
    assert found[:2].tolist() == [[5, 5], [6, 6]]
    assert baseline.name == "last value"


def test_the_column_of_the_target_is_the_one_read():
    baseline = LastValue()
    baseline.fit(windows(target_index=1))
    assert baseline.predict(windows(target_index=1))["prediction"][0].tolist() == [-5, -5]


def test_seasonal_naive_repeats_the_last_season():
    baseline = SeasonalNaive(3)
    baseline.fit(windows(horizon=5))
    assert baseline.predict(windows(horizon=5))["prediction"][0].tolist() == [3, 4, 5, 3, 4]
    assert baseline.name == "value 3 steps earlier"


def test_a_season_longer_than_the_window_is_refused():
    baseline = SeasonalNaive(7, "last week")
    baseline.fit(windows())
    with pytest.raises(
        ConfigError, match="last week: expected windows that look back at least 7 steps, found 6"
    ):
        baseline.predict(windows())
    with pytest.raises(ConfigError, match="at least one step, found a period of 0"):
        SeasonalNaive(0)


def radar(count=40):
    columns = {"other": -np.arange(float(count)), "rain": np.arange(float(count))}
    return Windows(Table(columns, "radar.csv"), lookback=3, target="rain", horizon=2)


def test_windows_are_asked_for_the_past_of_their_target():
    baseline = LastValue()
    baseline.fit(radar())
    assert baseline.predict(radar())["prediction"][0].tolist() == [2, 2]


def test_a_season_may_reach_back_further_than_the_window():
    baseline = SeasonalNaive(12)
    baseline.fit(radar())
    found = baseline.predict(radar())["prediction"]
    # The first window ends at row 2: no season lies before it, so its last value is repeated.
    assert found[0].tolist() == [2, 2]
    # The window that ends at row 10 has row 0 for its second step, but nothing for its first.
    assert found[8].tolist() == [10, 0]
    assert found[9].tolist() == [0, 1]
    assert not np.isnan(found).any()
