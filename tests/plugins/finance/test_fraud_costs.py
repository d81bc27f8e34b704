"""Costs by hand and against every threshold tried one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fivefold_finance.fraud.config import CostConfig
from fivefold_finance.fraud.costs import bill, cost_curve, daily_ranks, losses, raised
from plugins.finance.fraud_judged_cases import judged_of, simulated


def two_days():
    return judged_of(
        scores=[0.9, 0.8, 0.2, 0.7, 0.6],
        fraud=[1, 0, 1, 0, 1],
        hours=[1, 2, 3, 25, 26],
        amounts=[100, 20, 30, 40, 50],
    )


def test_losses_by_hand():
    judged = judged_of([0] * 4, [1, 0, 1, 1], amounts=[100, 100, np.nan, -5])
    config = CostConfig(share_lost=0.5, fixed_loss=7)
    assert losses(judged, config).tolist() == [57, 0, 7, 7]


def test_bill_by_hand():
    judged = two_days()
    config = CostConfig(review=3, share_lost=0.5, fixed_loss=1)
    found = bill(judged, raised(judged, 0.65, 100), config)
    assert (found.alerts, found.caught, found.missed, found.days) == (3, 1, 2, 2)
    assert (found.review, found.loss) == (9, 0.5 * 80 + 2)
    assert found.total == 51
    assert found.a_day == 25.5


def test_the_budget_bounds_each_day_for_itself():
    judged = two_days()
    assert daily_ranks(judged).tolist() == [1, 2, 3, 1, 2]
    assert raised(judged, 0.0, 1).tolist() == [True, False, False, True, False]
    assert raised(judged, 0.75, 1).tolist() == [True, False, False, False, False]


def test_of_equal_scores_the_earlier_is_reviewed():
    judged = judged_of([0.5, 0.5, 0.5], [0, 1, 0], hours=[3, 1, 2])
    assert daily_ranks(judged).tolist() == [3, 1, 2]


def test_curve_by_hand():
    judged = two_days()
    curve = cost_curve(judged, CostConfig(review=10, alerts_a_day=2))
    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.6]
    assert curve.alerts.tolist() == [0, 0.5, 1, 1.5, 2]
    assert (2 * curve.costs).tolist() == [180, 90, 100, 110, 70]
    assert curve.cheapest == 0.6
    assert cost_curve(judged, CostConfig(review=1000)).cheapest == np.inf


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(0, 30))
def test_the_curve_is_the_bill_of_every_threshold(seed, budget, review):
    judged = simulated(200, days=4, frauds=0.2, skill=1, seed=seed)
    judged = judged.with_scores(np.round(judged.scores, 2))
    config = CostConfig(review=review, alerts_a_day=budget, fixed_loss=2)
    curve = cost_curve(judged, config)
    bills = [bill(judged, raised(judged, threshold, budget), config) for threshold in curve.thresholds]
    np.testing.assert_allclose(curve.costs, [one.a_day for one in bills])
    np.testing.assert_allclose(curve.alerts, [one.alerts / one.days for one in bills])
    everywhere = [
        bill(judged, raised(judged, threshold, budget), config).a_day for threshold in np.linspace(0, 1, 41)
    ]
    assert curve.costs.min() <= min(everywhere) + 1e-9
    assert curve.alerts.max() <= budget


def test_free_reviews_are_all_made_and_costly_ones_are_not():
    judged = simulated(300, days=3, frauds=0.1)
    assert cost_curve(judged, CostConfig(review=0, alerts_a_day=1000)).costs[-1] == pytest.approx(0, abs=1e-9)
    assert cost_curve(judged, CostConfig(review=1e9)).cheapest == np.inf


@pytest.mark.parametrize("wrong", [{"review": -1}, {"share_lost": 1.5}, {"alerts_a_day": 0}, {"reviews": 3}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        CostConfig(**wrong)
