"""Calibration slope, intercept and calibration in the large against scikit-learn and their defining equations."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from fivefold.evaluation.recalibration import recalibration, recalibration_values


def predicted(count: int, seed: int, slope: float = 1.0, intercept: float = 0.0):
    """Probabilities, and answers drawn with ``slope`` and ``intercept`` on their logits."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(-0.5, 1.5, size=count)
    truth = (generator.random(count) < expit(slope * logits + intercept)).astype(float)
    return expit(logits), truth


def reference(probabilities, truth, weights):
    """Scikit-learn's slope and intercept, without penalty."""
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    model.fit(logit(probabilities)[:, None], truth, sample_weight=weights)
    return model.coef_[0, 0], model.intercept_[0]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.4, 1.0), (2.5, -1.0), (-0.7, 0.3)])
def test_slope_and_intercept_are_scikit_learns(slope, intercept, weighted):
    probabilities, truth = predicted(500, 0, slope, intercept)
    weights = np.random.default_rng(0).integers(0, 4, size=500).astype(float) if weighted else None
    found = recalibration(probabilities, truth, weights)
    expected = reference(probabilities, truth, weights)
    assert (found.slope, found.intercept) == pytest.approx(expected, abs=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(-8, 8))
def test_calibration_in_the_large_makes_the_mean_probability_the_share_of_yes(seed, shift):
    probabilities, truth = predicted(60, seed)
    truth[:2] = 0, 1
    weights = np.random.default_rng(seed).integers(0, 3, size=60) + (np.arange(60) < 2).astype(float)
    shifted = expit(logit(probabilities) + shift)
    found = recalibration(shifted, truth, weights)
    again = expit(logit(np.clip(shifted, 1e-7, 1 - 1e-7)) + found.in_the_large)
    assert np.average(again, weights=weights) == pytest.approx(np.average(truth, weights=weights), abs=1e-8)


def test_a_large_sample_gives_back_what_it_was_drawn_with():
    probabilities, truth = predicted(100_000, 1)
    found = recalibration(probabilities, truth)
    assert found.slope == pytest.approx(1, abs=0.03)
    assert (found.intercept, found.in_the_large) == pytest.approx((0, 0), abs=0.03)
    found = recalibration(*predicted(100_000, 1, slope=0.5, intercept=0.4))
    assert (found.slope, found.intercept) == pytest.approx((0.5, 0.4), abs=0.03)
    found = recalibration(*predicted(100_000, 1, intercept=-0.7))
    assert (found.slope, found.intercept, found.in_the_large) == pytest.approx((1, -0.7, -0.7), abs=0.03)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
@example(122)
def test_many_weightings_equal_one_by_one(seed):
    probabilities, truth = predicted(15, seed)
    truth[3] = np.nan
    weights = np.random.default_rng(seed).integers(0, 3, size=(8, 15)).astype(float)
    values = recalibration_values(probabilities, truth, weights)
    for row, each in enumerate(weights):
        found = recalibration(probabilities, truth, each)
        for name, value in values.items():
            np.testing.assert_allclose(value[row], getattr(found, name), rtol=1e-6, atol=1e-6)


def test_unknown_truth_takes_no_part():
    probabilities, truth = predicted(100, 2)
    hidden = np.where(np.arange(100) < 20, np.nan, truth)
    assert recalibration(probabilities, hidden) == recalibration(probabilities[20:], truth[20:])


def test_a_weight_is_a_repetition():
    probabilities, truth = predicted(100, 3)
    counts = np.random.default_rng(0).integers(0, 4, size=100)
    found = recalibration(probabilities, truth, counts.astype(float))
    expected = recalibration(np.repeat(probabilities, counts), np.repeat(truth, counts))
    assert astuple(found) == pytest.approx(astuple(expected))


@pytest.mark.parametrize(
    ("probabilities", "truth"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]),
        ([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 0]),
        ([0.1, 0.5, 0.5, 0.9], [0, 0, 1, 1]),
        ([0.3, 0.3, 0.3, 0.3], [0, 1, 0, 1]),
    ],
    ids=["separated", "the wrong way round", "separated but for a tie", "all alike"],
)
def test_a_slope_without_a_finite_value_is_nan_and_calibration_in_the_large_is_not(probabilities, truth):
    found = recalibration(np.array(probabilities), np.array(truth, dtype=float))
    assert np.isnan([found.slope, found.intercept]).all()
    assert expit(logit(probabilities) + found.in_the_large).mean() == pytest.approx(0.5)


@pytest.mark.parametrize("truth", [[1, 1, np.nan], [0, 0, 0], [np.nan] * 3])
def test_one_answer_alone_has_none_of_them(truth):
    found = recalibration(np.array([0.2, 0.5, 0.7]), np.array(truth, dtype=float))
    assert np.isnan(astuple(found)).all()


def test_certain_probabilities_stay_finite():
    found = recalibration(np.array([0.0, 1.0, 1.0, 0.0, 0.5, 0.4]), np.array([0, 1, 0, 1, 1, 0.0]))
    assert np.isfinite(astuple(found)).all()


@pytest.mark.parametrize("certain", [0.0, 1.0])
@pytest.mark.parametrize("count", [2, 5000])
def test_nearly_all_certain_and_wrong(certain, count):
    # One answer agrees with the probabilities, all others do not.
    truth = np.full(count, 1 - certain)
    truth[0] = certain
    found = recalibration(np.full(count, certain), truth)
    expected = logit(truth.mean()) - logit(np.clip(certain, 1e-7, 1 - 1e-7))
    assert found.in_the_large == pytest.approx(expected, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1e-9, 0.3, 0.5, 0.5 + 1e-9, 1 - 1e-6, 1.0]), st.booleans()),
        max_size=8,
    )
)
def test_extreme_probabilities_give_a_finite_value_or_nan(samples):
    probabilities = np.array([sample[0] for sample in samples])
    truth = np.array([sample[1] for sample in samples], dtype=float)
    found = recalibration(probabilities, truth)
    assert np.isfinite(found.in_the_large) == (len(np.unique(truth)) == 2)
    assert not np.isinf(astuple(found)).any()
    assert np.isnan(found.slope) == np.isnan(found.intercept)


def test_nearly_separated_answers_find_their_steep_slope():
    probabilities = np.append(expit(np.linspace(-3, 3, 2001)), 0.4)
    truth = np.append(np.linspace(-3, 3, 2001) > 0, 1).astype(float)
    found = recalibration(probabilities, truth)
    assert found.slope > 5
    assert (found.slope, found.intercept) == pytest.approx(reference(probabilities, truth, None), rel=1e-4)


def test_many_weightings_of_a_large_sample_equal_one_by_one():
    probabilities, truth = predicted(2_000, 4)
    weights = np.random.default_rng(4).integers(0, 3, size=(5, 2_000)).astype(float)
    values = recalibration_values(probabilities, truth, weights)
    for row, each in enumerate(weights):
        expected = reference(probabilities, truth, each)
        assert (values["slope"][row], values["intercept"][row]) == pytest.approx(expected, abs=1e-5)
