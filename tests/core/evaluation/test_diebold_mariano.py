"""Diebold and Mariano's test: by hand, in closed form, and how often it errs where there is nothing to find."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fivefold.evaluation.diebold_mariano import by_time, diebold_mariano, in_words
from fivefold.evaluation.mean_test import long_run_variance, mean_test


def compared(difference, horizon):
    difference = np.asarray(difference, dtype=float)
    return diebold_mariano(difference, np.zeros(len(difference)), np.arange(len(difference)), horizon)


def test_one_step_is_students_t_test():
    """With no lags, the correction turns the variance over n into the one over n - 1: the one-sample t test."""
    difference = np.random.default_rng(0).normal(0.3, 1, size=40)
    expected = stats.ttest_1samp(difference, 0)
    found = compared(difference, 1)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.count, found.lags, found.bartlett) == (40, 0, False)


def test_two_steps_by_hand():
    """d = 1, 2, 4, 5: mean 3, deviations -2 -1 1 2, autocovariances 10/4 and (2 - 1 + 2)/4.

    The variance is 2.5 + 2 * 0.75 = 4, so DM = 3 / sqrt(4 / 4) = 3, and Harvey, Leybourne and Newbold's factor is
    sqrt((4 + 1 - 4 + 2 / 4) / 4) = sqrt(0.375).
    """
    found = compared([1, 2, 4, 5], 2)
    assert found.mean == 3
    assert found.statistic == pytest.approx(3 * np.sqrt(0.375))
    assert found.p_value == pytest.approx(2 * stats.t.sf(3 * np.sqrt(0.375), 3))
    assert found.lags == 1


def test_a_sum_of_autocovariances_below_zero_gets_bartletts_weights():
    """d = 3, -1, 3, -1, ...: autocovariances 4, -4 * 9/10: 4 - 7.2 is negative; with weight 1/2 it is 0.4."""
    difference = [3, -1] * 5
    variance, bartlett = long_run_variance(np.array(difference, dtype=float), 1)
    assert bartlett
    assert variance == pytest.approx(4 - 3.6)
    found = compared(difference, 2)
    assert found.bartlett
    assert found.statistic == pytest.approx(np.sqrt((10 - 2) * (10 - 1)) / 10 * 1 / np.sqrt(0.4 / 10))
    assert "Bartlett's weights" in in_words(found)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 20))
def test_the_variance_is_positive_and_the_formula_of_the_paper(seed, count, horizon):
    difference = np.random.default_rng(seed).normal(size=count)
    found = compared(difference, horizon)
    if count <= horizon:
        assert np.isnan(found.p_value)
        assert "nothing can be concluded" in in_words(found)
        return
    covariance = [
        np.mean((difference - difference.mean())[lag:] * (difference - difference.mean())[: count - lag])
        * (count - lag)
        / count
        for lag in range(horizon)
    ]
    plain = covariance[0] + 2 * sum(covariance[1:])
    assert found.bartlett == (plain <= 0)
    if not found.bartlett:
        factor = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
        assert found.statistic == pytest.approx(
            difference.mean() / np.sqrt(plain / count) * np.sqrt(factor), rel=1e-6
        )
    assert 0 <= found.p_value <= 1
    swapped = diebold_mariano(np.zeros(count), difference, np.arange(count), horizon)
    assert swapped.statistic == pytest.approx(-found.statistic)
    assert swapped.p_value == pytest.approx(found.p_value)


@pytest.mark.parametrize(("horizon", "count"), [(1, 60), (1, 300), (5, 120), (5, 400)])
def test_five_in_a_hundred_find_a_difference_where_there_is_none(horizon, count):
    """Losses of two forecasts with errors that overlap for ``horizon`` steps; two standard errors are 2.2 %."""
    generator = np.random.default_rng(horizon * 1000 + count)
    kernel = np.ones(horizon)
    rejected = 0
    for _ in range(400):
        shocks = generator.normal(size=(2, count + horizon - 1))
        first, second = (np.convolve(row, kernel, mode="valid") ** 2 for row in shocks)
        rejected += diebold_mariano(first, second, np.arange(count), horizon).p_value < 0.05
    assert 0.02 <= rejected / 400 <= 0.09


def test_overlap_that_is_not_allowed_for_finds_too_much():
    """The reason for the lags: at one step the same losses of overlapping forecasts find a difference far too often."""
    generator = np.random.default_rng(1)
    rejected = 0
    for _ in range(200):
        shocks = generator.normal(size=(2, 304))
        first, second = (np.convolve(row, np.ones(5), mode="valid") ** 2 for row in shocks)
        rejected += diebold_mariano(first, second, np.arange(300), 1).p_value < 0.05
    assert rejected / 200 > 0.15


def test_samples_of_one_time_are_one_piece_of_evidence():
    generator = np.random.default_rng(2)
    difference = generator.normal(0.2, 1, size=50)
    alone = compared(difference, 3)
    times = np.repeat(np.arange(50), 20)
    order = generator.permutation(1000)
    many = diebold_mariano(np.repeat(difference, 20)[order], np.zeros(1000), times[order], 3)
    assert many.count == 50
    assert many.p_value == pytest.approx(alone.p_value)
    np.testing.assert_allclose(by_time(np.array([1.0, 5, 3]), np.array([7, 2, 7])), [5, 2])


def test_forecasts_that_are_alike_do_not_differ():
    losses = np.random.default_rng(3).random(30)
    found = diebold_mariano(losses, losses, np.arange(30), 4)
    assert (found.statistic, found.p_value) == (0, 1)


def test_a_difference_without_variance_has_no_p_value():
    found = compared(np.full(30, 0.1) + 0.2, 2)
    assert np.isnan(found.p_value)
    assert found.mean == pytest.approx(0.3)
    assert "the differences do not vary" in in_words(found)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_values_have_no_p_value(count):
    found = mean_test(np.ones(count), 1)
    assert np.isnan(found.p_value)
    assert found.count == count


def test_words_say_how_much_was_tested():
    words = in_words(compared([1, 2, 4, 5], 2))
    assert words == (
        "the mean difference of the losses is +3 over 4 times of forecasts, with a variance from 1 lag; Student t is "
        "+1.84 with 3 degrees of freedom."
    )
