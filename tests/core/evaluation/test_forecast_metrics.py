"""Metrics of forecasts against hand computation, and the test that goes with them."""

from __future__ import annotations

import numpy as np
import pytest

from fivefold.evaluation.bootstrap import computable
from fivefold.evaluation.forecast_metrics import directions, forecast_metrics
from fivefold.evaluation.forecast_tests import forecast_tests

from .judged_forecasts import forecast_of, walk_outputs

SCALE = np.array([2.0, 10.0])


def small():
    """Two samples, two steps, two targets."""
    target = np.array([[[2.0, 10], [4, 20]], [[6, 30], [8, 40]]])
    prediction = target + np.array([[[2.0, 0], [-4, 10]], [[0, 20], [2, 0]]])
    return {
        "target": target,
        "prediction": prediction,
        "last": np.array([[3.0, 10], [7, 35]]),
        "naive_error": np.array([[1.0, 5], [2, 0]]),
        "lower": prediction - 2,
        "upper": prediction + 2,
        "time": np.array([0, 1]),
    }


def values(outputs, level="levels", quantiles=()):
    metrics = forecast_metrics(SCALE, level, quantiles, 0.8)
    return {metric.name: metric.compute(outputs, None) for metric in metrics if computable(metric, outputs)}


def test_values_by_hand():
    found = values(small())
    # Scaled errors: 1, 0, -2, 1 of the first sample, 0, 2, 1, 0 of the second.
    assert found["MSE"] == pytest.approx((6 + 5) / 8)
    assert found["MAE"] == pytest.approx((4 + 3) / 8)
    # Mean errors over steps 3, 5 and 1, 10; the last series never changed in training.
    assert found["MASE"] == pytest.approx((3 / 1 + 5 / 5 + 1 / 2) / 3)
    # Errors of 2, 0, 4, 10, 0, 20, 2, 0 within 2, ends included.
    assert found["coverage of 80 % intervals"] == pytest.approx(5 / 8)
    assert found["interval width"] == pytest.approx((4 / 2 + 4 / 10) / 2)


def test_directions_by_hand():
    # Actual changes -1, 0, 1, 10, -1, -5, 1, 5; forecast ones 1, 0, -3, 20, -1, 15, 3, 5.
    assert values(small())["directional accuracy"] == pytest.approx(4 / 7)
    returns = small()
    returns["target"] = np.array([[[1.0, -1], [0, 2]], [[-3, -4], [5, 1]]])
    returns["prediction"] = np.array([[[2.0, 1], [3, 0]], [[-1, -4], [-5, 1]]])
    # Pairs with a zero on either side are no directions: 2 of 8.
    assert values(returns, "returns")["directional accuracy"] == pytest.approx(4 / 6)


def test_a_forecast_of_no_change_has_no_direction():
    outputs = walk_outputs()
    outputs["prediction"] = np.repeat(outputs["last"][:, None], 3, axis=1)
    metric = forecast_metrics(np.ones(1), "levels", (), 0.8)[-1]
    assert np.isnan(metric.compute(outputs, None))
    forecast, _ = directions(outputs, "levels")
    assert not forecast.any()


def test_pinball_loss_by_hand():
    outputs = small()
    quantiles = (0.1, 0.5)
    outputs["quantiles"] = np.stack([outputs["prediction"] - 1, outputs["prediction"]], axis=-1)
    short = (outputs["target"][..., None] - outputs["quantiles"]) / SCALE[:, None]
    expected = [
        max(share * value, (share - 1) * value)
        for row in short.reshape(-1, 2)
        for share, value in zip(quantiles, row, strict=True)
    ]
    found = values(outputs, quantiles=quantiles)
    assert found["pinball loss"] == pytest.approx(np.mean(expected))
    assert "pinball loss" not in values(outputs)


def test_only_mse_and_mae_are_compared_and_mse_is_first():
    metrics = forecast_metrics(SCALE, "returns", (0.5,), 0.9)
    assert [metric.name for metric in metrics if metric.headline] == ["MSE", "MAE"]
    assert metrics[0].name == "MSE"
    named = {metric.name: metric for metric in metrics}
    assert named["coverage of 90 % intervals"].higher_is_better is None
    assert named["interval width"].higher_is_better is None
    assert named["MASE"].higher_is_better is named["pinball loss"].higher_is_better is False
    assert named["directional accuracy"].format(0.531) == "53.1 %"


def test_one_target_has_an_error_in_its_own_unit():
    outputs = {
        key: array[:, :, :1] if array.ndim > 2 else array[:, :1]
        for key, array in small().items()
        if key != "time"
    }
    scaled, own = (
        next(one for one in forecast_metrics(SCALE[:1], "levels", (), 0.8) if one.name == name)
        for name in ("MAE", "MAE in the target's unit")
    )
    assert own.compute(outputs, None) == pytest.approx(scaled.compute(outputs, None) * SCALE[0])
    assert "MAE in the target's unit" not in {one.name for one in forecast_metrics(SCALE, "levels", (), 0.8)}


def test_points_have_neither_coverage_nor_width():
    outputs = {key: value for key, value in small().items() if key not in ("lower", "upper")}
    assert set(values(outputs)) == {"MSE", "MAE", "MASE", "directional accuracy"}
    unbounded = small() | {"lower": np.full((2, 2, 2), np.nan), "upper": np.full((2, 2, 2), np.nan)}
    assert np.isnan(values(unbounded)["coverage of 80 % intervals"])


def test_a_series_that_never_changes_has_no_mase():
    assert np.isnan(values(small() | {"naive_error": np.zeros((2, 2))})["MASE"])


@pytest.mark.parametrize("quantiles", [(), (0.1, 0.5, 0.9)])
def test_weights_repeat_samples(quantiles):
    outputs = walk_outputs(12, 4, 2)
    outputs |= forecast_of(outputs, 0.3)
    if quantiles:
        outputs["quantiles"] = outputs["prediction"][..., None] + np.array([-1.0, 0, 1])
    weights = np.random.default_rng(0).integers(0, 3, size=(5, 12)).astype(float)
    for metric in forecast_metrics(SCALE, "levels", quantiles, 0.8):
        drawn = metric.resampled(outputs, weights)
        for row, value in zip(weights, drawn, strict=True):
            repeated = {key: np.repeat(of, row.astype(int), axis=0) for key, of in outputs.items()}
            assert metric.compute(repeated, None) == pytest.approx(value), metric.name


class Counted(dict):
    """Outputs that count how often they are read."""

    reads = 0

    def __getitem__(self, key):
        self.reads += 1
        return super().__getitem__(key)


@pytest.mark.parametrize(
    "metric", forecast_metrics(np.ones(2), "levels", (), 0.8), ids=lambda metric: metric.name
)
def test_all_resamples_cost_one_pass_over_the_outputs(metric):
    outputs = walk_outputs(50, 4, 2)
    outputs = Counted(outputs | forecast_of(outputs, 0.3))
    assert len(metric.resampled(outputs, np.ones((200, 50)))) == 200
    assert outputs.reads <= 3


def test_the_test_that_goes_with_each_metric():
    outputs = walk_outputs(horizon=2)
    rival = outputs | forecast_of(outputs, 0.0)
    outputs = outputs | forecast_of(outputs, 0.5)
    tests = {
        metric.name: forecast_tests(metric, outputs, rival, 2, np.ones(1))
        for metric in forecast_metrics(np.ones(1), "levels", (), 0.8)
    }
    assert {name for name, found in tests.items() if found} == {"MSE", "MAE"}
    (squared,), (absolute,) = tests["MSE"], tests["MAE"]
    assert squared.name == absolute.name == "Diebold-Mariano"
    assert squared.statistic < 0
    assert squared.p_value < 0.001
    assert squared.statistic != absolute.statistic
    assert squared.sentence.startswith("the mean difference of the losses is -")
    assert "over 200 times of forecasts, with a variance from 1 lag;" in squared.sentence
    assert squared.sentence.endswith("(p below 0.0001).")
