"""The information coefficient: Spearman's correlation at each time, and the test of its mean."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.information_coefficient import information_coefficients, rank_correlation
from fivefold.evaluation.mean_test import mean_test

from .judged_forecasts import forecast_of, joined, judge_forecasts, walk_outputs


def cross_section(series=6, count=30, horizon=2, targets=1, skill=0.5, level="levels", **changed):
    parts = [walk_outputs(count, horizon, targets, seed=seed, level=level) for seed in range(series)]
    outputs = joined(*parts)
    outputs = outputs | forecast_of(outputs, skill) | changed
    names = np.repeat([f"s{place}" for place in range(series)], count)
    evaluation = judge_forecasts(outputs, level=level, series=names)
    return outputs, Forecasts.of(evaluation, evaluation.facts, np.ones(targets))


def test_each_time_is_ranked_as_scipy_does():
    outputs, forecasts = cross_section(skill=0.1)
    (found,) = information_coefficients(forecasts)
    assert len(found.values) == 30
    np.testing.assert_array_equal(found.times, outputs["time"][:30])
    for place, value in enumerate(found.values):
        of = slice(place, None, 30)
        forecast = outputs["prediction"][of, -1, 0] / outputs["last"][of, 0] - 1
        actual = outputs["target"][of, -1, 0] / outputs["last"][of, 0] - 1
        assert value == pytest.approx(stats.spearmanr(forecast, actual).statistic)
    assert found.test == mean_test(found.values, 2)
    assert found.test.lags == 1


def test_returns_are_summed_over_the_horizon():
    outputs, forecasts = cross_section(level="returns", skill=0.3)
    (found,) = information_coefficients(forecasts)
    of = slice(4, None, 30)
    forecast, actual = (outputs[name][of, :, 0].sum(axis=1) for name in ("prediction", "target"))
    assert found.values[4] == pytest.approx(stats.spearmanr(forecast, actual).statistic)


def test_one_for_each_target():
    _, forecasts = cross_section(targets=3)
    assert len(information_coefficients(forecasts)) == 3


def test_a_true_forecast_ranks_perfectly_and_noise_does_not():
    _, forecasts = cross_section(skill=1.0, horizon=1)
    assert information_coefficients(forecasts)[0].test.mean > 0.95
    _, forecasts = cross_section(skill=0.0, horizon=1, count=100)
    assert information_coefficients(forecasts)[0].test.p_value > 0.05


def test_too_few_series_are_not_ranked():
    _, forecasts = cross_section(series=4)
    assert information_coefficients(forecasts) == []


def test_times_without_any_order_are_left_out_and_counted():
    parts = joined(*(walk_outputs(30, 2, seed=seed) for seed in range(6)))
    same = np.repeat(parts["last"][:, None], 2, axis=1)
    _, forecasts = cross_section(prediction=same)
    (found,) = information_coefficients(forecasts)
    assert (len(found.values), found.left_out) == (0, 30)
    assert np.isnan(found.test.p_value)


def test_a_last_value_of_zero_has_no_relative_change():
    outputs = joined(*(walk_outputs(30, 2, seed=seed) for seed in range(6)))
    outputs["last"][3] = 0
    outputs["last"][[7, 37]] = 0
    _, forecasts = cross_section(last=outputs["last"])
    (found,) = information_coefficients(forecasts)
    # Five of six series are enough at time 3, four are too few at time 7.
    assert (len(found.values), found.left_out) == (29, 1)


def test_ties_take_mean_ranks():
    first, second = np.array([1, 1, 2, 3, 3.0]), np.array([2, 1, 2, 5, 4.0])
    assert rank_correlation(first, second) == pytest.approx(stats.spearmanr(first, second).statistic)
    assert np.isnan(rank_correlation(first, np.ones(5)))
