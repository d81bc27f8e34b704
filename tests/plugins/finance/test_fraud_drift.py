"""Stability index and distance against hand computations and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from fivefold_finance.fraud.drift import (
    Bins,
    Columns,
    Names,
    drift_sentence,
    drifts,
    kolmogorov_smirnov,
    over_time,
    periods,
)
from plugins.finance.fraud_judged_cases import START, times_of


def test_index_by_hand():
    reference = np.array([0.0] * 50 + [1.0] * 50)
    values = np.array([0.0] * 80 + [1.0] * 20)
    expected = (0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5)
    assert Bins.of(reference).stability(values) == pytest.approx(expected)


def test_ten_bins_of_a_continuous_reference_hold_a_tenth_each():
    bins = Bins.of(np.random.default_rng(0).normal(size=1000))
    assert len(bins.edges) == 9
    np.testing.assert_allclose(bins.shares[:-1], 0.1)
    assert bins.shares[-1] == 0


def test_missing_values_are_a_bin():
    reference = np.array([1.0, 2.0, 3.0, np.nan])
    values = np.array([1.0, 2.0, 3.0, 3.0])
    assert Bins.of(reference).stability(reference) == 0
    assert Bins.of(reference).stability(values) > 0.25
    assert Bins.of(np.full(5, np.nan)).stability(np.full(3, np.nan)) == 0


def test_a_constant_that_changes_is_seen():
    assert Bins.of(np.zeros(10)).stability(np.zeros(4)) == 0
    assert Bins.of(np.zeros(10)).stability(np.ones(4)) > 1


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.lists(st.floats(-5, 5), min_size=1, max_size=60)
)
def test_index_and_distance_are_bounded_and_nothing_for_the_same(first, second):
    first, second = np.array(first), np.array(second)
    assert Bins.of(first).stability(second) >= 0
    assert Bins.of(first).stability(first) == pytest.approx(0)
    gaps = [abs((first <= at).mean() - (second <= at).mean()) for at in (*first, *second)]
    assert kolmogorov_smirnov(first, second) == pytest.approx(max(gaps))


def test_distance_is_scipys():
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=300), generator.normal(0.5, 2, size=200)
    assert kolmogorov_smirnov(first, second) == pytest.approx(ks_2samp(first, second).statistic)


def test_distance_leaves_missing_values_out():
    assert kolmogorov_smirnov(np.array([1.0, np.nan]), np.array([1.0])) == 0
    assert np.isnan(kolmogorov_smirnov(np.array([np.nan]), np.array([1.0])))


def test_the_strongest_comes_first_and_is_named():
    generator = np.random.default_rng(0)
    reference = generator.normal(size=(4000, 3))
    judged = generator.normal(size=(3000, 3)) + np.array([0, 1.5, 0.4])
    found = drifts(Columns(("hour", "amount", "V1"), reference, judged))
    assert [one.name for one in found] == ["amount", "V1", "hour"]
    assert [one.word for one in found] == ["strong", "moderate", "little"]
    assert drift_sentence(found).startswith("amount has moved most: population stability index ")
    assert "2 of 3 features reach 0.1 (moderate), of which 1 reach 0.25 (strong)." in drift_sentence(found)
    assert drift_sentence(found[2:]).endswith(
        "No feature's index reaches 0.1, from which on a drift is called moderate."
    )


def test_short_times_are_told_by_day_and_thin_days_left_out():
    hours = np.concatenate([np.linspace(0, 23, 150), np.linspace(24, 47, 20), np.linspace(48, 71, 150)])
    when = periods(times_of(hours))
    assert when.name == "day"
    assert (when.starts - START.astype("datetime64[D]")).astype(int).tolist() == [0, 2]
    assert [len(rows) for rows in when.rows] == [150, 150]
    assert len(periods(times_of(hours), fewest=1).rows) == 3


def test_long_times_are_told_by_weeks_from_monday():
    when = periods(times_of(np.arange(0, 24 * 100, 1)), fewest=1)
    assert when.name == "week"
    assert {start.item().weekday() for start in when.starts} == {0}
    assert sum(len(rows) for rows in when.rows) == 2400
    assert np.unique(np.diff(when.starts).astype(int)).tolist() == [7]


def test_course_shows_when_it_moved():
    generator = np.random.default_rng(1)
    hours = np.sort(generator.random(4000) * 24 * 10)
    values = generator.normal(size=4000) + (hours > 120)
    course = over_time(generator.normal(size=5000), values, periods(times_of(hours)))
    assert course[:5].max() < 0.1
    assert course[5:].min() > 0.5


def test_names_are_bins_and_rare_ones_count_as_one() -> None:
    reference = np.array(["a"] * 500 + ["b"] * 300 + [None] * 190 + [f"rare {n}" for n in range(10)], object)
    values = np.array(["a"] * 200 + ["b"] * 500 + [None] * 100 + ["new"] * 200, object)
    was, now = np.array([0.5, 0.3, 0.19, 0.01]), np.array([0.2, 0.5, 0.1, 0.2])
    expected = ((now - was) * np.log(now / was)).sum()
    assert Names.of(reference).stability(values) == pytest.approx(expected)
    assert Names.of(reference).stability(reference) == 0


def test_a_name_that_is_gone_counts_as_the_smallest_share() -> None:
    reference, values = np.array(["a", "b"] * 50, object), np.array(["a"] * 10, object)
    expected = (1 - 0.5) * np.log(1 / 0.5) + (1e-4 - 0.5) * np.log(1e-4 / 0.5)
    assert Names.of(reference).stability(values) == pytest.approx(expected)


def test_many_names_of_the_same_frequencies_have_little_drift() -> None:
    generator = np.random.default_rng(0)
    names = np.array([f"name {n}" for n in range(3000)], object)
    shares = 1 / np.arange(1, 3001)
    first, second = (generator.choice(names, count, p=shares / shares.sum()) for count in (6000, 2000))
    assert Names.of(first).stability(second) < 0.1


def test_categories_stand_beside_numbers_and_have_no_distance() -> None:
    columns = Columns(
        ("amount",),
        np.arange(200.0)[:, None],
        np.arange(200.0)[:, None],
        {"shop": (np.array(["a", "b"] * 100, object), np.array(["a", "a", "a", "b"] * 50, object))},
    )
    shop, amount = drifts(columns)
    expected = 0.25 * np.log(0.75 / 0.5) - 0.25 * np.log(0.25 / 0.5)
    assert (shop.name, amount.name, amount.distance) == ("shop", "amount", 0)
    assert shop.stability == pytest.approx(expected)
    assert np.isnan(shop.distance)
    assert drift_sentence([shop, amount]).startswith("shop has moved most")
    hours = times_of(np.repeat([0, 24], 100))
    course = over_time(*columns.pairs["shop"], periods(hours))
    np.testing.assert_allclose(course, expected)
