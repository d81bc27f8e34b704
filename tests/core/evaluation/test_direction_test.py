"""Directions against chance: by hand, on what does not overlap, and how often they err."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fivefold.data.dataset import Facts
from fivefold.evaluation.direction import direction_test
from fivefold.evaluation.forecast_view import Forecasts

from .judged_forecasts import DAY, forecast_of, joined, judge_forecasts, walk_outputs


def view(outputs, series=None, level="levels"):
    evaluation = judge_forecasts(outputs | forecast_of(outputs, 0.5), level=level, series=series)
    return Forecasts.of(evaluation, evaluation.facts, np.ones(outputs["target"].shape[2]))


def test_by_hand():
    """Seven changes, of which one forecast and one outcome are none: 4 of 5 right."""
    found = direction_test(np.array([1, 2, -1, 0, 3, -2, 1.0]), np.array([2, 1, -3, 1, 0, -1, -1.0]))
    assert (found.right, found.trials) == (4, 5)
    assert found.accuracy == 0.8
    # 3 of 5 forecasts and 2 of 5 outcomes are rises.
    assert found.rises == pytest.approx(0.4)
    assert found.chance == pytest.approx(0.6 * 0.4 + 0.4 * 0.6)
    assert found.p_half == pytest.approx((5 + 1) / 32)
    assert found.p_chance == pytest.approx(stats.binom.sf(3, 5, 0.48))


def test_to_foretell_rises_of_a_rising_series_is_no_skill():
    generator = np.random.default_rng(0)
    actual = np.where(generator.random(500) < 0.6, 1.0, -1.0)
    found = direction_test(np.ones(500), actual)
    assert found.p_half < 0.01
    assert found.chance == pytest.approx(found.accuracy)
    assert found.p_chance > 0.4
    assert np.isnan(direction_test(np.ones(9), np.ones(9)).p_chance)


def test_without_a_direction_nothing_is_tested():
    found = direction_test(np.zeros(5), np.ones(5))
    assert found.trials == 0
    assert np.isnan([found.accuracy, found.p_half, found.p_chance]).all()


def test_chance_is_found_to_be_skill_in_five_of_a_hundred_at_most():
    generator = np.random.default_rng(1)
    found = [
        direction_test(generator.normal(0.2, 1, 200), generator.normal(0.2, 1, 200)).p_chance < 0.05
        for _ in range(400)
    ]
    assert np.mean(found) < 0.07


@pytest.mark.parametrize("horizon", [1, 3, 7])
def test_only_horizons_that_do_not_overlap_are_taken(horizon):
    assert view(walk_outputs(50, horizon)).apart().tolist() == list(range(0, 50, horizon))


def test_series_take_turns_and_never_share_a_time():
    parts = [walk_outputs(20, 2, seed=seed) for seed in range(3)]
    apart = view(joined(*parts), np.repeat(["a", "b", "c"], 20)).apart()
    assert apart.tolist() == [0, 22, 44, 6, 28, 50, 12, 34, 56, 18]


def test_order_of_samples_does_not_matter():
    parts = joined(*(walk_outputs(20, 2, seed=seed) for seed in range(3)))
    order = np.random.default_rng(0).permutation(60)
    series = np.repeat(["a", "b", "c"], 20)
    mixed = view({key: of[order] for key, of in parts.items()}, series[order]).apart()
    assert order[mixed].tolist() == view(parts, series).apart().tolist()


def test_series_of_other_hours_do_not_shorten_the_distance():
    """Two series whose times alternate: two steps of either are four times of both."""
    first, second = walk_outputs(20, 2), walk_outputs(20, 2, seed=1)
    second["time"] = second["time"] + DAY // 2
    apart = view(joined(first, second), np.repeat(["a", "b"], 20)).apart()
    times = joined(first, second)["time"][apart]
    assert (np.diff(times) >= 2 * DAY).all()


def test_changes_over_the_whole_horizon():
    levels = walk_outputs(10, 3)
    _, actual = view(levels).moves()
    np.testing.assert_allclose(actual, levels["target"][:, -1] - levels["last"])
    returns = walk_outputs(10, 3, level="returns")
    _, actual = view(returns, level="returns").moves()
    np.testing.assert_allclose(actual, returns["target"].sum(axis=1))


def test_a_series_is_named_by_its_samples_or_by_the_data():
    outputs = walk_outputs(4, 1)
    evaluation = judge_forecasts(
        outputs | forecast_of(outputs, 0.5), series=np.array(["a@b", "c", "a@b", "c"])
    )
    facts = Facts(targets=["x"], level="levels", horizon=1)
    found = Forecasts.of(evaluation, facts, np.ones(1))
    assert {name: places.tolist() for name, places in found.by_series.items()} == {"a@b": [0, 2], "c": [1, 3]}
    evaluation.samples.series_names = np.array(["x", "x", "y", "y"], dtype=object)
    found = Forecasts.of(evaluation, facts, np.ones(1))
    assert {name: places.tolist() for name, places in found.by_series.items()} == {"x": [0, 1], "y": [2, 3]}
