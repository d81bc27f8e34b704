"""Metrics against scikit-learn, with and without weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from fivefold.errors import DataError
from fivefold.evaluation.classification_metrics import classification_metrics, confusion_matrix, per_class
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.regression_metrics import regression_metrics

from .judged import class_outputs


def named(name: str, classes: int) -> Metric:
    return next(metric for metric in classification_metrics(classes) if metric.name == name)


WEIGHTS = [None, np.random.default_rng(3).integers(0, 4, size=300).astype(float)]


@pytest.mark.parametrize("weights", WEIGHTS, ids=["plain", "weighted"])
@pytest.mark.parametrize("classes", [2, 3, 8])
def test_classification_metrics_agree_with_scikit_learn(classes, weights):
    outputs = class_outputs(classes=classes, skill=1.0)
    target, probabilities = outputs["target"], outputs["probabilities"]
    guess = probabilities.argmax(axis=1)
    expected = {
        "accuracy": reference.accuracy_score(target, guess, sample_weight=weights),
        "macro F1": reference.f1_score(target, guess, average="macro", sample_weight=weights),
        "balanced accuracy": reference.balanced_accuracy_score(target, guess, sample_weight=weights),
        "log loss": reference.log_loss(target, probabilities, sample_weight=weights),
        "Brier score": reference.brier_score_loss(
            target, probabilities[:, 1] if classes == 2 else probabilities, sample_weight=weights
        ),
    }
    if classes == 2:
        expected["AUROC"] = reference.roc_auc_score(target, probabilities[:, 1], sample_weight=weights)
    elif weights is None:
        expected["AUROC"] = reference.roc_auc_score(target, probabilities, multi_class="ovr")
    if classes > 5:
        expected["top-5 accuracy"] = reference.top_k_accuracy_score(
            target, probabilities, k=5, sample_weight=weights
        )
    for name, value in expected.items():
        assert named(name, classes).compute(outputs, weights) == pytest.approx(value, abs=1e-12), name


def test_top_five_is_absent_where_it_says_nothing():
    assert "top-5 accuracy" not in {metric.name for metric in classification_metrics(5)}
    assert "top-5 accuracy" in {metric.name for metric in classification_metrics(6)}


def test_the_weighted_area_under_the_curve_counts_ties_half():
    scores = np.array([0.1, 0.4, 0.4, 0.4, 0.8, 0.9])
    target = np.array([0, 1, 0, 0, 0, 1])
    weights = np.array([1.0, 2.0, 3.0, 0.0, 1.0, 2.0])
    outputs = {"probabilities": np.stack([1 - scores, scores], axis=1), "target": target}
    expected = reference.roc_auc_score(target, scores, sample_weight=weights)
    assert named("AUROC", 2).compute(outputs, weights) == pytest.approx(expected)


def test_calibration_error_by_hand():
    # Two samples in the bin around 0.9 (one right), two around 0.6 (both right).
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    outputs = {"probabilities": probabilities, "target": np.array([0, 1, 0, 1])}
    assert named("calibration error", 2).compute(outputs, None) == pytest.approx((2 * 0.4 + 2 * 0.4) / 4)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_many_resamples_at_once_equal_one_by_one(seed):
    outputs = class_outputs(count=40, classes=3, skill=0.5, seed=seed)
    weights = np.random.default_rng(seed).integers(0, 3, size=(4, 40)).astype(float) + (np.arange(40) < 3)
    for metric in classification_metrics(3):
        one_by_one = [metric.compute(outputs, row) for row in weights]
        np.testing.assert_allclose(metric.resampled(outputs, weights), one_by_one, rtol=1e-9)


def test_weights_mean_repetition():
    outputs = class_outputs(count=50, classes=6)
    counts = np.random.default_rng(1).integers(0, 3, size=50)
    repeated = {name: np.repeat(array, counts, axis=0) for name, array in outputs.items()}
    for metric in classification_metrics(6):
        assert metric.compute(outputs, counts.astype(float)) == pytest.approx(metric.compute(repeated, None))


def test_a_class_that_no_resample_holds_takes_no_part():
    outputs = class_outputs(count=60, classes=3, skill=5.0)
    weights = (outputs["target"] != 2).astype(float)
    kept = outputs["target"] != 2
    guess = outputs["probabilities"].argmax(axis=1)
    expected = reference.f1_score(outputs["target"][kept], guess[kept], average="macro")
    assert named("macro F1", 3).compute(outputs, weights) == pytest.approx(expected)


def test_one_class_alone_has_no_area_under_the_curve():
    outputs = {"probabilities": np.array([[0.2, 0.8], [0.4, 0.6]]), "target": np.array([1, 1])}
    assert np.isnan(named("AUROC", 2).compute(outputs, None))


@pytest.mark.parametrize("code", [-1, 3])
def test_a_sample_without_a_label_is_not_judged(code):
    outputs = class_outputs(classes=3)
    outputs["target"][7] = code
    with pytest.raises(DataError, match=rf"1 of 300 samples to judge carry no label .*code {code}"):
        named("accuracy", 3).compute(outputs, None)


def test_the_table_of_classes_agrees_with_scikit_learn():
    outputs = class_outputs(classes=3, skill=1.0)
    guess = outputs["probabilities"].argmax(axis=1)
    expected = reference.precision_recall_fscore_support(outputs["target"], guess)
    for code, row in enumerate(per_class(outputs, ("a", "b", "c"))):
        assert (row.precision, row.recall, row.f1, row.support) == pytest.approx(
            [column[code] for column in expected]
        )
    np.testing.assert_array_equal(
        confusion_matrix(outputs), reference.confusion_matrix(outputs["target"], guess)
    )


@pytest.mark.parametrize("weights", WEIGHTS, ids=["plain", "weighted"])
@pytest.mark.parametrize("shape", [(300,), (300, 1), (300, 4)])
def test_regression_metrics_agree_with_scikit_learn(shape, weights):
    generator = np.random.default_rng(0)
    # A large offset: squares of the raw values would lose the variance to rounding.
    target = 1e5 + generator.normal(size=shape)
    outputs = {"target": target, "prediction": target + 0.3 * generator.normal(size=shape)}
    pair = {"y_true": target, "y_pred": outputs["prediction"], "sample_weight": weights}
    squared = reference.mean_squared_error(**pair)
    expected = [reference.mean_absolute_error(**pair), squared**0.5, reference.r2_score(**pair)]
    found = [metric.compute(outputs, weights) for metric in regression_metrics()]
    assert found == pytest.approx(expected, rel=1e-6)


def test_constant_targets_have_no_r_squared():
    outputs = {"target": np.full(9, 1e6 + 0.1), "prediction": np.arange(9.0)}
    assert np.isnan(regression_metrics()[2].compute(outputs, None))


@pytest.mark.parametrize(
    ("style", "value", "printed", "difference"),
    [
        ("percent", 0.9312, "93.1 %", "+93.1 points"),
        ("number", 0.0, "0", "+0"),
        ("number", 0.93149, "0.931", "+0.931"),
        ("number", -0.00012345, "-0.000123", "-0.000123"),
        ("number", 123.456, "123.5", "+123.5"),
        ("number", 12345.6, "12346", "+12346"),
        ("number", 1.5e9, "1.5e+09", "+1.5e+09"),
        ("number", float("nan"), "not defined", "not defined"),
    ],
)
def test_numbers_as_people_read_them(style, value, printed, difference):
    metric = Metric("m", lambda *_: 0.0, style=style)
    assert metric.format(value) == printed
    assert metric.format_difference(value) == difference
