"""Intervals: coverage on known distributions, clusters, pairing, and cases with nothing to resample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from fivefold.errors import DataError
from fivefold.evaluation.bootstrap import (
    Resampled,
    alike,
    computable,
    difference,
    few_units,
    fewest_units,
    interval,
    metric_interval,
    resample,
    resample_weights,
    undefined,
)
from fivefold.evaluation.metric import Metric

from .judged import class_outputs

MEAN = Metric.from_mean("mean", lambda outputs: outputs["value"])


def estimate(values, units=None, *, metric=MEAN, resamples=300, seed=0):
    found = resample([metric], {"m": {"value": values}}, units, resamples=resamples, seed=seed)
    return interval(found["m", metric.name], 0.95)


def all_weights(count, units=None, *, resamples=200, seed=0):
    return np.concatenate(list(resample_weights(count, units, resamples=resamples, seed=seed)))


def test_intervals_of_a_mean_cover_it_as_often_as_they_say():
    generator = np.random.default_rng(0)
    runs = [estimate(generator.normal(5.0, 2.0, size=100), seed=run) for run in range(300)]
    covered = np.mean([one.low <= 5.0 <= one.high for one in runs])
    # 300 trials of 95 % have a standard deviation of 1.3 points.
    assert 0.90 <= covered <= 0.985


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation():
    values = np.random.default_rng(1).normal(size=2000)
    found = estimate(values, resamples=2000)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.1 * half
    )


def test_clusters_widen_the_interval_when_their_samples_are_alike():
    generator = np.random.default_rng(2)
    units = np.repeat(np.arange(40), 25)
    values = generator.normal(size=40)[units] + 0.1 * generator.normal(size=1000)
    naive, clustered = estimate(values), estimate(values, units)
    # Samples of a unit are nearly copies: the width is that of 40 values, not of 1000, five times as much.
    ratio = (clustered.high - clustered.low) / (naive.high - naive.low)
    assert 3.5 < ratio < 6.5


def test_a_resample_draws_as_many_units_as_there_are():
    weights = all_weights(30)
    assert weights.shape == (200, 30)
    np.testing.assert_array_equal(weights.sum(axis=1), 30)
    units = np.array(["b", "a", "b", "c"])
    clustered = all_weights(4, units)
    np.testing.assert_array_equal(clustered[:, 0], clustered[:, 2])
    np.testing.assert_array_equal(clustered[:, [0, 1, 3]].sum(axis=1), 3)


def test_the_seed_alone_decides_and_chunks_do_not_matter(monkeypatch):
    first = all_weights(50, seed=4)
    np.testing.assert_array_equal(first, all_weights(50, seed=4))
    assert not np.array_equal(first, all_weights(50, seed=5))
    monkeypatch.setattr("fivefold.evaluation.bootstrap.CHUNK", 50 * 7)
    np.testing.assert_array_equal(first, all_weights(50, seed=4))


def test_differences_are_paired():
    generator = np.random.default_rng(3)
    base = generator.normal(0, 10, size=500)
    better = base + 0.5 + 0.1 * generator.normal(size=500)
    found = resample([MEAN], {"a": {"value": better}, "b": {"value": base}}, None, resamples=300, seed=0)
    apart = difference(found["a", "mean"], found["b", "mean"], 0.95)
    assert apart.value == pytest.approx(0.5, abs=0.02)
    # Unpaired, the interval would be some 2.5 wide.
    assert apart.high - apart.low < 0.05
    assert apart.low > 0


def test_equal_predictors_differ_by_nothing():
    found = resample([MEAN], {n: {"value": np.arange(9.0)} for n in "ab"}, None, resamples=100, seed=0)
    apart = difference(found["a", "mean"], found["b", "mean"], 0.95)
    assert apart.value == 0.0
    assert np.isnan([apart.low, apart.high]).all()


def test_a_metric_without_a_fast_way_is_computed_one_by_one():
    median = Metric(
        "median",
        lambda o, w: float(np.median(o["value"] if w is None else np.repeat(o["value"], w.astype(int)))),
    )
    found = estimate(np.arange(101.0), metric=median)
    assert found.value == 50
    assert 30 < found.low < 50 < found.high < 70


def test_resamples_without_a_value_are_left_out_and_said():
    holes = Metric("holes", lambda _, w: 1.0 if w is None or w[0] else float("nan"))
    found = resample([holes], {"m": {"value": np.zeros(40)}}, None, resamples=200, seed=0)
    count = int(np.isnan(found["m", "holes"].draws).sum())
    assert count > 0
    (told,) = undefined(found)
    assert told.endswith(
        f": on {count} of 200 resamples holes of m. The intervals rest on the other resamples."
    )


def test_metrics_that_are_undefined_are_named_in_one_line():
    draws = {18: np.r_[np.full(18, np.nan), np.arange(82.0)], 3: np.r_[np.full(3, np.nan), np.arange(97.0)]}
    found = {
        (name, metric): Resampled(0.5, draws[18 if metric != "recall" else 3])
        for name in ("the model", "prevalence")
        for metric in ("AUROC", "AUPRC", "recall")
    }
    (told,) = undefined(found)
    assert told == (
        "Not defined, as a class or all variation is missing: on 18 of 100 resamples AUROC, AUPRC of the model, "
        "prevalence; on 3 of 100 resamples recall of the model, prevalence. The intervals rest on the other resamples."
    )


def test_no_defined_resample_leaves_no_interval():
    one = interval(Resampled(0.5, np.full(10, np.nan)), 0.95)
    assert one.value == 0.5
    assert np.isnan([one.low, one.high]).all()


def test_one_unit_has_no_interval_and_a_caution():
    units = np.zeros(20)
    found = resample([MEAN], {"m": {"value": np.arange(20.0)}}, units, resamples=100, seed=0)
    one = interval(found["m", "mean"], 0.95)
    assert one.value == pytest.approx(9.5)
    assert np.isnan([one.low, one.high]).all()
    (caution,) = few_units(20, units)
    assert caution.startswith("There is only one independent unit, too few to tell anything from: below 6 ")


@pytest.mark.parametrize(("level", "least"), [(0.5, 3), (0.9, 5), (0.95, 6), (0.99, 8), (0.999, 11)])
def test_the_fewest_units_are_those_with_which_a_sign_test_can_find_anything(level, least):
    assert fewest_units(level) == least
    favourable = binomtest(least, least).pvalue
    assert favourable <= 1 - level < binomtest(least - 1, least - 1).pvalue + 1e-9


def test_too_few_units_are_told_so():
    assert "are only 5 independent units, too few to tell" in few_units(20, np.arange(20) // 4)[0]
    assert "below 6 neither 'beats' nor 'loses to' is said" in few_units(20, np.arange(20) // 4)[0]


RIGHT = Metric.from_mean("right", lambda outputs: outputs["value"], style="percent", share=True)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_share_of_none_or_all_gets_the_exact_interval_over_units(value):
    units = np.repeat(np.arange(29), 4)
    found = resample([RIGHT], {"m": {"value": np.full(116, value)}}, units, resamples=100, seed=0)
    one = metric_interval(RIGHT, found["m", "right"], 0.95)
    exact = binomtest(29 * int(value), 29).proportion_ci(0.95, method="exact")
    assert (one.value, one.low, one.high) == pytest.approx((value, exact.low, exact.high))
    # Of a mean that is not a share, as a loss of zero, nothing is known.
    loss = metric_interval(MEAN, found["m", "right"], 0.95)
    assert np.isnan([loss.low, loss.high]).all()


def test_a_share_with_mistakes_is_resampled():
    found = resample([RIGHT], {"m": {"value": np.arange(50) > 2}}, None, resamples=200, seed=0)["m", "right"]
    assert metric_interval(RIGHT, found, 0.95) == interval(found, 0.95)


def test_resamples_that_differ_by_rounding_are_alike():
    assert alike(Resampled(0.3, 0.3 + 1e-17 * np.arange(50)))
    assert alike(Resampled(1e-40, 1e-40 * np.arange(50)))
    assert not alike(Resampled(0.3, 0.3 + 1e-9 * np.arange(50)))
    assert not alike(Resampled(3e-9, 1e-9 * np.arange(50)))


def test_few_units_are_cautioned():
    assert "only 12 independent units" in few_units(60, np.arange(60) // 5)[0]
    assert few_units(60, None) == ()


def test_the_interval_of_a_calibration_error_is_not_lifted_by_resampling():
    from fivefold.evaluation.classification_metrics import classification_metrics

    metric = next(one for one in classification_metrics(3) if one.inflates)
    generator = np.random.default_rng(5)
    low, high, plain_low = [], [], []
    for run in range(40):
        # Perfectly calibrated: labels are drawn from the probabilities, so the true error is zero.
        logits = 2 * generator.normal(size=(400, 3))
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        target = (probabilities.cumsum(axis=1) < generator.random((400, 1))).sum(axis=1)
        outputs = {"probabilities": probabilities, "target": target}
        found = resample([metric], {"m": outputs}, None, resamples=100, seed=run)["m", metric.name]
        basic, percentile = interval(found, 0.95, inflates=True), interval(found, 0.95)
        assert basic.low <= basic.value <= basic.high
        low.append(basic.low)
        high.append(basic.high)
        plain_low.append(percentile.low)
    assert np.mean(low) < np.mean(plain_low) / 1.5
    assert min(low) >= 0


@pytest.mark.parametrize(
    "outputs", [{}, {"m": {"value": np.empty(0)}}, {"a": {"value": np.ones(3)}, "b": {"value": np.ones(4)}}]
)
def test_nothing_to_judge(outputs):
    with pytest.raises(DataError, match="nothing to judge: expected the same number of samples"):
        resample([MEAN], outputs, None, resamples=100, seed=0)


def test_a_predictor_without_the_keys_is_left_out():
    assert computable(MEAN, {"value": np.ones(3)})
    assert not computable(MEAN, {"other": np.ones(3)})
    found = resample(
        [MEAN], {"a": {"value": np.ones(3)}, "b": {"other": np.ones(3)}}, None, resamples=100, seed=0
    )
    assert list(found) == [("a", "mean")]


def test_ten_thousand_samples_take_one_pass_a_chunk():
    # The weights of all resamples never stand in memory together.
    chunks = list(resample_weights(100_000, None, resamples=100, seed=0))
    assert max(chunk.size for chunk in chunks) <= 4_000_000
    assert sum(len(chunk) for chunk in chunks) == 100
    assert class_outputs(5)["probabilities"].shape == (5, 3)
