"""Baselines of forecasts: against numpy, scikit-learn, and series whose future is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from fivefold.data.dataset import Facts, TensorDataset
from fivefold.errors import ConfigError
from fivefold.evaluation.baselines import forecast_linear
from fivefold.evaluation.baselines.forecast import Drift, RepeatLast, SeasonalRepeat
from fivefold.evaluation.baselines.forecast_autoregression import Autoregression
from fivefold.evaluation.baselines.forecast_linear import ClosedFormLinear

LOOKBACK, HORIZON = 8, 3


def windows(series, level="levels", targets=2, **more):
    """Every window of ``series`` (T, F)."""
    values = torch.tensor(np.asarray(series), dtype=torch.float32)
    places = torch.arange(len(values) - LOOKBACK - HORIZON + 1)[:, None]
    batch = {
        "input": values[places + torch.arange(LOOKBACK)],
        "target": values[places + torch.arange(LOOKBACK, LOOKBACK + HORIZON)][..., :targets],
        "time": places[:, 0],
    }
    facts = Facts(
        features=values.shape[1],
        targets=[f"target {number}" for number in range(targets)],
        horizon=HORIZON,
        lookback=LOOKBACK,
        level=level,
    )
    return TensorDataset(batch | more, facts=facts, ids=np.arange(len(places)))


def walks(count=400, columns=3, seed=0):
    return np.random.default_rng(seed).normal(size=(count, columns)).cumsum(axis=0) + 50


def fitted(baseline, data):
    baseline.fit(data)
    return baseline.predict(data)["prediction"]


# Repetition


def test_levels_stay_where_they_were_and_returns_are_zero():
    data = windows(walks())
    expected = data.tensors()["input"][:, -1:, :2].expand(-1, HORIZON, -1).numpy()
    np.testing.assert_array_equal(fitted(RepeatLast(), data), expected)
    assert not fitted(RepeatLast(), windows(walks(), "returns")).any()


def test_a_straight_line_drifts_on():
    line = np.arange(60.0)[:, None] * np.array([2.0, -0.5, 1.0])
    data = windows(line)
    np.testing.assert_allclose(fitted(Drift(), data), data.tensors()["target"], atol=1e-4)


def test_the_drift_is_the_mean_change_of_a_step():
    data = windows(walks())
    batch = data.tensors()
    last = batch["input"][:, -1, :2].double().numpy()
    slope = (batch["target"][:, -1].numpy() - last).mean(axis=0) / HORIZON
    expected = last[:, None] + slope * np.arange(1, HORIZON + 1)[None, :, None]
    np.testing.assert_allclose(fitted(Drift(), data), expected, rtol=1e-5)


def test_the_drift_of_returns_is_their_mean():
    data = windows(walks(), "returns")
    expected = data.tensors()["target"].double().mean(dim=(0, 1)).numpy()
    np.testing.assert_allclose(fitted(Drift(), data), np.broadcast_to(expected, (390, HORIZON, 2)), rtol=1e-5)


def test_series_of_unlike_scale_share_a_drift_in_their_own_units():
    line = np.arange(60.0)[:, None] * np.ones((1, 2))
    small, large = windows(line).tensors(), windows(1000 * line).tensors()
    batch = {name: torch.cat([small[name], large[name]]) for name in small}
    unit = torch.cat([torch.ones(50, 2), torch.full((50, 2), 1000.0)])
    data = TensorDataset(batch | {"naive_error": unit}, facts=windows(line).facts, ids=np.arange(100))
    np.testing.assert_allclose(fitted(Drift(), data), batch["target"], rtol=1e-5)


def test_a_constant_series_has_no_drift():
    data = windows(np.full((40, 2), 5.0), naive_error=torch.zeros(30, 2))
    assert (fitted(Drift(), data) == 5).all()


@pytest.mark.parametrize("period", [1, 2, 5, 8])
def test_a_season_comes_again(period):
    wave = np.arange(60)[:, None] % period * np.array([1.0, 3.0])
    data = windows(wave)
    np.testing.assert_array_equal(fitted(SeasonalRepeat(period), data), data.tensors()["target"])


def test_a_season_longer_than_the_lookback_is_refused():
    with pytest.raises(ConfigError, match="expected windows that look back at least 9 steps, found 8"):
        fitted(SeasonalRepeat(9), windows(walks()))
    with pytest.raises(ConfigError, match="a season has at least one step, found a period of 0"):
        SeasonalRepeat(0)


# The closed-form linear map


@pytest.mark.parametrize("level", ["levels", "returns"])
@pytest.mark.parametrize("share", [1e-4, 0.1, 3.0])
def test_the_map_is_that_of_ridge_regression(level, share, monkeypatch):
    monkeypatch.setattr(forecast_linear, "PENALTIES", np.array([share]))
    data = windows(walks(), level)
    found = fitted(ClosedFormLinear(), data)
    batch = data.tensors()
    target = batch["target"].double().numpy()
    mean, scale = target.mean(axis=(0, 1)), target.std(axis=(0, 1))
    past = (batch["input"][..., :2].double().numpy() - mean) / scale
    anchor = past[:, -1:] if level == "levels" else np.zeros_like(past[:, -1:])
    x = (past - anchor).transpose(0, 2, 1).reshape(-1, LOOKBACK)
    y = ((target - mean) / scale - anchor).transpose(0, 2, 1).reshape(-1, HORIZON)
    alpha = share * len(x) * x.var(axis=0).mean()
    steps = Ridge(alpha=alpha, solver="svd").fit(x, y).predict(x).reshape(-1, 2, HORIZON).transpose(0, 2, 1)
    np.testing.assert_allclose(found, (steps + anchor) * scale + mean, rtol=2e-5, atol=1e-4)


def test_the_penalty_is_least_wrong_on_what_was_held_back(monkeypatch):
    noise = np.random.default_rng(2).normal(size=(90, 2))
    data = windows(noise, "returns")
    errors = []
    batch = data.tensors()
    count, border = len(data), int(0.8 * len(data))
    parts = [torch.arange(border - HORIZON), torch.arange(border, count)]
    head, tail = (TensorDataset(data.batch(part), facts=data.facts, ids=part.numpy()) for part in parts)
    chosen = ClosedFormLinear()
    chosen.fit(data)
    penalties = forecast_linear.PENALTIES
    scale = batch["target"].double().std(dim=(0, 1), correction=0).numpy()
    for penalty in penalties:
        monkeypatch.setattr(forecast_linear, "PENALTIES", np.array([penalty]))
        one = ClosedFormLinear()
        one.fit(head)
        error = one.predict(tail)["prediction"] - tail.tensors()["target"].numpy()
        errors.append(float(((error / scale) ** 2).mean()))
    # Standardised by the head instead of the whole, penalties mean nearly the same.
    assert abs(int(np.argmin(errors)) - list(penalties).index(chosen.penalty)) <= 1
    assert chosen.penalty > penalties[0]


def test_a_linear_series_is_forecast_exactly():
    time = np.arange(200.0)[:, None]
    wave = np.sin(time / 5 + np.array([0.0, 1.0])) * np.array([1.0, 40.0]) + 7
    data = windows(wave)
    np.testing.assert_allclose(
        fitted(ClosedFormLinear(), data), data.tensors()["target"], rtol=2e-3, atol=2e-3
    )


def test_samples_in_any_order_give_the_same_map():
    data = windows(walks())
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
    mixed = TensorDataset(data.batch(order), facts=data.facts, ids=order.numpy())
    one, other = ClosedFormLinear(), ClosedFormLinear()
    one.fit(data)
    other.fit(mixed)
    assert one.penalty == other.penalty
    np.testing.assert_allclose(one.predict(data)["prediction"], other.predict(data)["prediction"], rtol=1e-6)


@pytest.mark.parametrize("rows", [LOOKBACK + HORIZON, LOOKBACK + HORIZON + 2])
def test_few_or_constant_samples_give_finite_forecasts(rows):
    for data in (windows(walks(rows)), windows(np.full((40, 2), 3.0))):
        for baseline in (ClosedFormLinear(), Autoregression()):
            assert np.isfinite(fitted(baseline, data)).all()
    np.testing.assert_allclose(fitted(ClosedFormLinear(), windows(np.full((40, 2), 3.0))), 3)


# Autoregression


def simulated(coefficients, count=6000, constant=0.5, seed=1):
    generator = np.random.default_rng(seed)
    values = list(np.zeros(len(coefficients)))
    for noise in generator.normal(size=count):
        lags = values[: -len(coefficients) - 1 : -1]
        values.append(constant + float(np.dot(coefficients, lags)) + noise)
    return np.array(values)[:, None]


def test_order_and_coefficients_are_those_of_least_squares():
    series = simulated([0.5, -0.3])
    data = windows(series, targets=1)
    baseline = Autoregression()
    found = fitted(baseline, data)
    (order,) = baseline.orders
    past = data.tensors()["input"][..., 0].double().numpy()
    following = data.tensors()["target"][:, 0, 0].double().numpy()
    criteria, weights = [], []
    for size in range(LOOKBACK + 1):
        rows = np.concatenate([np.ones((len(past), 1)), past[:, ::-1][:, :size]], axis=1)
        weight, *_ = np.linalg.lstsq(rows, following)
        left = ((following - rows @ weight) ** 2).mean()
        criteria.append(len(rows) * np.log(left) + 2 * (size + 1))
        weights.append(weight)
    assert order == int(np.argmin(criteria)) >= 2
    np.testing.assert_allclose(weights[order][1:3], [0.5, -0.3], atol=0.05)
    history = past.copy()
    for step in range(HORIZON):
        value = weights[order][0] + history[:, ::-1][:, :order] @ weights[order][1:]
        np.testing.assert_allclose(found[:, step, 0], value, atol=1e-4)
        history = np.concatenate([history, value[:, None]], axis=1)


def test_noise_is_forecast_by_its_mean():
    data = windows(np.random.default_rng(5).normal(10, 1, size=(300, 1)), targets=1)
    baseline = Autoregression(longest=1)
    found = fitted(baseline, data)
    assert baseline.orders == (0,)
    np.testing.assert_allclose(found, data.tensors()["target"][:, 0].mean(), rtol=1e-5)


def test_each_target_has_its_own_order():
    series = np.concatenate([simulated([0.9])[:, [0]], simulated([0.2, 0.6])[1:]], axis=1)
    baseline = Autoregression(longest=3)
    baseline.fit(windows(series))
    assert baseline.orders[0] < baseline.orders[1] or baseline.orders[1] == 2
