"""Thresholds by specificity, and the shares that follow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from fivefold.errors import DataError
from fivefold.evaluation.operating_point import (
    OperatingPoint,
    operating_point,
    operating_values,
    threshold_at_specificity,
)


def scored(count: int, seed: int, kind: type = np.float64):
    generator = np.random.default_rng(seed)
    truth = (generator.random(count) < 0.4).astype(float)
    truth[0] = 0
    scores = np.round(np.clip(generator.normal(0.4 + 0.2 * truth, 0.25), 0, 1), 1).astype(kind)
    truth[generator.random(count) < 0.1] = np.nan
    truth[0] = 0
    return scores, truth


def specificity(scores, truth, threshold):
    return (scores[truth == 0] < threshold).mean()


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(1, 40),
    st.sampled_from([0.0, 0.3, 0.5, 0.57, 0.8, 0.95, 1.0]),
    st.sampled_from([np.float32, np.float64]),
)
def test_the_threshold_is_the_smallest_that_has_the_specificity(seed, count, wanted, kind):
    scores, truth = scored(count, seed, kind)
    threshold = threshold_at_specificity(scores, truth, wanted)
    assert np.isfinite(threshold)
    assert specificity(scores, truth, threshold) >= wanted
    lower = scores[(scores < threshold) & ~np.isnan(truth)]
    assert all(specificity(scores, truth, score) < wanted for score in lower)
    assert operating_point(scores, truth, threshold).specificity >= wanted


@pytest.mark.parametrize(
    ("wanted", "expected"), [(0.0, 0.1), (0.25, 0.2), (0.5, 0.3), (0.75, 0.35), (0.76, 0.9), (1.0, 0.9)]
)
def test_the_threshold_by_hand(wanted, expected):
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.35, 0.9, 0.95])
    truth = np.array([0, 0, 0, 0, 1, 1, np.nan])
    assert threshold_at_specificity(scores, truth, wanted) == expected


@pytest.mark.parametrize("count", [20, 40, 100])
def test_shares_that_are_met_exactly_are_met(count):
    scores = np.arange(count) / count
    for below in range(count):
        assert threshold_at_specificity(scores, np.zeros(count), below / count) == scores[below]
        assert threshold_at_specificity(scores, np.zeros(count), round(below / count, 3)) == scores[below]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_no_with_the_highest_score_needs_a_threshold_above_it(kind):
    scores, truth = np.array([0.5, 1.0, 1.0], dtype=kind), np.array([0.0, 1.0, 0.0])
    threshold = threshold_at_specificity(scores, truth, 1.0)
    assert 1 < threshold < 1 + 1e-6
    # Also for whoever compares in the scores' own precision.
    assert not (scores >= threshold).any()
    assert operating_point(scores, truth, threshold) == OperatingPoint(0, 0, 1, 2)


@pytest.mark.parametrize("truth", [[1.0, 1.0], [1.0, np.nan]])
def test_specificity_needs_a_no(truth):
    with pytest.raises(
        DataError, match=r"threshold of specificity 0\.95: expected samples whose answer is no"
    ):
        threshold_at_specificity(np.array([0.1, 0.2]), np.array(truth), 0.95)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_point_agrees_with_scikit_learn(weighted):
    scores, truth = scored(200, 5)
    known = ~np.isnan(truth)
    weights = np.random.default_rng(0).integers(0, 4, size=200).astype(float) if weighted else None
    part = None if weights is None else weights[known]
    found = operating_point(scores, truth, 0.5, weights)
    said, yes = (scores >= 0.5)[known], truth[known]
    matrix = confusion_matrix(yes, said, sample_weight=part)
    assert [[found.true_negative, found.false_positive], [found.false_negative, found.true_positive]] == (
        matrix.tolist()
    )
    assert found.sensitivity == pytest.approx(recall_score(yes, said, sample_weight=part))
    assert found.specificity == pytest.approx(recall_score(yes, said, pos_label=0, sample_weight=part))
    assert found.ppv == pytest.approx(precision_score(yes, said, sample_weight=part))
    assert found.npv == pytest.approx(precision_score(yes, said, pos_label=0, sample_weight=part))


def test_shares_with_nothing_to_divide_by_are_nan():
    found = operating_point(np.array([0.1, 0.2]), np.array([np.nan, np.nan]), 0.5)
    assert found == OperatingPoint(0, 0, 0, 0)
    assert np.isnan([found.sensitivity, found.specificity, found.ppv, found.npv]).all()
    assert operating_point(np.array([0.1, 0.2]), np.array([1, 0]), 0.5).sensitivity == 0
    assert np.isnan(operating_point(np.array([0.1, 0.2]), np.array([1, 0]), 0.5).ppv)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_many_weightings_equal_one_by_one(seed):
    scores, truth = scored(12, seed)
    weights = np.random.default_rng(seed).integers(0, 2, size=(6, 12)).astype(float)
    values = operating_values(scores, truth, 0.5, weights)
    assert list(values) == ["sensitivity", "specificity", "ppv", "npv"]
    for row, each in enumerate(weights):
        point = operating_point(scores, truth, 0.5, each)
        for name, value in values.items():
            np.testing.assert_equal(value[row], getattr(point, name))


def test_a_threshold_between_two_float32_is_kept():
    scores = np.array([1.0, 1.0], dtype=np.float32)
    assert operating_point(scores, np.array([1, 0]), np.nextafter(1.0, 2.0)).true_negative == 1
