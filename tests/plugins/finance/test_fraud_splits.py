"""Splits in order of time, and labels that are not known yet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fivefold.errors import ConfigError, DataError
from fivefold_finance.fraud.config import FraudConfig
from fivefold_finance.fraud.pipeline import Fraud
from plugins.finance.fraud_cases import config, payments, write_csv

DAY = 86_400
HEAD = ("time", "amount", "fraud", "label_time")


def daily(tmp_path: Path, reported: list[int | None]) -> Path:
    """One transaction a day, by turns genuine and fraud; the label known on the day given."""
    rows = [
        [day * DAY, 1, day % 2, None if known is None else known * DAY] for day, known in enumerate(reported)
    ]
    return write_csv(tmp_path / "daily.csv", rows, HEAD)


def test_training_knows_no_label_that_became_known_later(tmp_path: Path) -> None:
    reported: list[int | None] = [day + 2 for day in range(10)]
    pipeline = Fraud(FraudConfig())
    splits = pipeline.split(pipeline.read(daily(tmp_path, reported)))
    # Validation begins on day 6, test on day 8.
    assert splits.train["place"].tolist() == [0, 1, 2, 3, 4]
    assert splits.val["place"].tolist() == [6]
    assert splits.test["place"].tolist() == [8, 9]
    assert "1 labels of training were not known when validation begins" in splits.how


def test_shares_are_settings_and_those_not_given_stay(tmp_path: Path) -> None:
    settings = FraudConfig.model_validate({"split": {"val": 0.1}})
    pipeline = Fraud(settings)
    assert pipeline.fractions == settings.split.fractions == (0.6, 0.1, 0.3)
    splits = pipeline.split(pipeline.read(daily(tmp_path, [None] * 10)))
    assert [part["place"].tolist() for part in (splits.train, splits.val, splits.test)] == [
        [0, 1, 2, 3, 4, 5],
        [6],
        [7, 8, 9],
    ]
    with pytest.raises(ValueError, match=r"must leave a share for the test, found 0\.6 and 0\.5; lower one"):
        FraudConfig.model_validate({"split": {"val": 0.5}})


def test_labels_without_a_time_are_known_after_the_delay(tmp_path: Path) -> None:
    reported: list[int | None] = [None] * 10
    pipeline = Fraud(FraudConfig(label_delay=2))
    splits = pipeline.split(pipeline.read(daily(tmp_path, reported)))
    assert splits.train["place"].tolist() == [0, 1, 2, 3, 4]
    assert splits.val["place"].tolist() == [6]
    assert splits.test["place"].tolist() == [8, 9]


def test_no_label_known_in_time_is_refused(tmp_path: Path) -> None:
    pipeline = Fraud(FraudConfig(label_delay=30))
    with pytest.raises(DataError, match="expected labels that were known by 1970-01-07"):
        pipeline.split(pipeline.read(daily(tmp_path, [None] * 10)))


def test_training_without_fraud_is_refused(tmp_path: Path) -> None:
    rows = [[day * DAY, 1, int(day >= 7), None] for day in range(10)]
    pipeline = Fraud(FraudConfig())
    with pytest.raises(DataError, match="found no fraud among 6; give more data"):
        pipeline.split(pipeline.read(write_csv(tmp_path / "a.csv", rows, HEAD)))


def test_one_class_is_refused(tmp_path: Path) -> None:
    rows = [[day * DAY, 1, 0, None] for day in range(10)]
    with pytest.raises(
        DataError, match=r"expected labels of both kinds in column 'fraud', .* found only 0 \(genuine\)"
    ):
        Fraud(FraudConfig()).read(write_csv(tmp_path / "a.csv", rows, HEAD))


def test_no_column_of_labels_is_refused_by_networks_that_need_one(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [[0, 1]], ("time", "amount"))
    with pytest.raises(
        DataError, match=r"expected a column of labels, found none; name it by --columns\.label"
    ):
        Fraud(config("mlp")).read(file)


def test_the_test_split_and_training_are_not_resampled(tmp_path: Path) -> None:
    pipeline = Fraud(config(class_weights=True))
    splits = pipeline.split(pipeline.read(write_csv(tmp_path / "a.csv", payments(100))))
    places = np.concatenate([part["place"] for part in (splits.train, splits.val, splits.test)])
    assert places.tolist() == list(range(100))
    assert pipeline.sample_weights(pipeline.samples(splits.train)) is None


def test_random_folds_are_refused(tmp_path: Path) -> None:
    pipeline = Fraud(config())
    with pytest.raises(ConfigError, match="Fraud splits its data in a way of its own"):
        pipeline.fold(pipeline.read(write_csv(tmp_path / "a.csv", payments(50))), 5)


def test_a_gru_needs_accounts(tmp_path: Path) -> None:
    pipeline = Fraud(config("gru"))
    splits = pipeline.split(pipeline.read(daily(tmp_path, [None] * 10)))
    with pytest.raises(DataError, match="expected a column of cards or accounts"):
        pipeline.samples(splits.train)
