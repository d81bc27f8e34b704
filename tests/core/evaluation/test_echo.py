"""Echoes of the last value: found where there are any, and not where there is skill."""

from __future__ import annotations

import numpy as np
import pytest

from fivefold.evaluation.echo import REPEATS, correlation, echoes
from fivefold.evaluation.forecast_view import Forecasts

from .judged_forecasts import forecast_of, joined, judge_forecasts, walk_outputs


def echo_of(outputs, level="levels", series=None):
    evaluation = judge_forecasts(outputs, level=level, series=series)
    return echoes(Forecasts.of(evaluation, evaluation.facts, np.ones(outputs["target"].shape[2])))


def with_prediction(given, prediction):
    return given | {"prediction": prediction, "lower": prediction - 1, "upper": prediction + 1}


@pytest.mark.parametrize("seed", range(6))
def test_the_last_value_put_off_by_a_step_is_an_echo(seed):
    given = walk_outputs(400, 2, seed=seed)
    noise = 0.05 * np.random.default_rng(50 + seed).normal(size=given["target"].shape)
    (found,) = echo_of(with_prediction(given, given["last"][:, None] + noise))
    assert found.repeats == "yes"
    assert found.correlations[1] > found.correlations[0]
    assert found.sentence.startswith(f"target 0: {REPEATS}: its correlation is ")


def test_the_last_value_itself_is_an_echo_whose_changes_never_vary():
    given = walk_outputs(100, 1)
    (found,) = echo_of(with_prediction(given, given["last"][:, None].copy()))
    assert found.repeats == "yes"
    assert np.isnan(found.change)
    assert found.correlations[1] == pytest.approx(1)
    assert "the changes it foretells never vary" in found.sentence


@pytest.mark.parametrize("skill", [0.2, 0.5, 0.9])
def test_a_forecast_whose_changes_come_is_no_echo_though_it_stays_near_the_last_value(skill):
    given = walk_outputs(400, 1)
    generator = np.random.default_rng(8)
    prediction = given["last"][:, None] + skill * (given["target"] - given["last"][:, None])
    prediction = prediction + 0.3 * generator.normal(size=prediction.shape)
    (found,) = echo_of(with_prediction(given, prediction))
    assert found.repeats == "no"
    assert found.change > 0.3
    assert "no sign that the forecast merely repeats" in found.sentence


def test_lags_are_the_values_before():
    """The forecast is the value three steps before the one to foretell: lag 3."""
    given = walk_outputs(300, 2, level="returns")
    past = np.concatenate([[[0.0], [0.0]], given["last"]])[:300]
    (found,) = echo_of(with_prediction(given, np.repeat(past[:, None], 2, axis=1)), level="returns")
    assert len(found.correlations) == 2 + 4
    assert found.correlations[3] == pytest.approx(1, abs=0.01)
    assert np.abs(np.delete(found.correlations, 3)).max() < 0.25
    assert found.repeats == "no"


def test_lags_against_numpy():
    given = walk_outputs(80, 1, level="returns")
    forecast = np.random.default_rng(3).normal(size=(80, 1, 1))
    (found,) = echo_of(with_prediction(given, forecast), level="returns")
    last = given["last"][:, 0]
    expected = [
        np.corrcoef(forecast[:, 0, 0], given["target"][:, 0, 0])[0, 1],
        np.corrcoef(forecast[:, 0, 0], last)[0, 1],
        np.corrcoef(forecast[1:, 0, 0], last[:-1])[0, 1],
        np.corrcoef(forecast[2:, 0, 0], last[:-2])[0, 1],
        np.corrcoef(forecast[3:, 0, 0], last[:-3])[0, 1],
    ]
    np.testing.assert_allclose(found.correlations, expected)
    assert found.change == found.correlations[0]


def test_returns_that_repeat_the_last_return():
    given = walk_outputs(300, 1, level="returns")
    (found,) = echo_of(with_prediction(given, 0.1 * given["last"][:, None]), level="returns")
    assert found.repeats == "yes"


def test_returns_that_do_depend_on_the_last_one():
    """An autoregression that is right is a multiple of the last value, too, but foretells what comes."""
    generator = np.random.default_rng(4)
    series = [0.0]
    for shock in generator.normal(size=401):
        series.append(0.6 * series[-1] + shock)
    series = np.array(series)[:, None]
    given = walk_outputs(400, 1, level="returns") | {"last": series[:400], "target": series[1:401, None]}
    (found,) = echo_of(with_prediction(given, 0.6 * given["last"][:, None]), level="returns")
    assert found.repeats == "no"


def test_gaps_break_the_chain_of_earlier_values():
    """Every third origin only: the value before the last is not known, and no wrong one is taken."""
    given = {key: of[::3] for key, of in walk_outputs(90, 1).items()}
    (found,) = echo_of(given | forecast_of(given, 0.5))
    assert np.isnan(found.correlations[2:]).all()
    assert np.isfinite(found.correlations[:2]).all()


def test_series_of_different_size_feign_no_likeness():
    parts = [walk_outputs(60, 1, seed=seed) for seed in range(4)]
    outputs = joined(*parts)
    outputs = with_prediction(outputs, np.random.default_rng(0).normal(size=(240, 1, 1)))
    offset = np.repeat([0, 1000, 5000, -3000.0], 60)
    for key in ("prediction", "target"):
        outputs[key] = outputs[key] + offset[:, None, None]
    outputs["last"] = outputs["last"] + offset[:, None]
    series = np.repeat(list("abcd"), 60)
    (found,) = echo_of(outputs, series=series)
    assert np.abs(found.correlations[:2]).max() < 0.4
    assert found.repeats == "no"


@pytest.mark.parametrize("count", [1, 5, 30])
def test_what_never_varies_or_is_too_short_is_not_told(count):
    given = walk_outputs(count, 1)
    if count == 30:
        given["last"], given["target"] = np.full((30, 1), 0.1), np.full((30, 1, 1), 0.1)
    (found,) = echo_of(with_prediction(given, given["target"] + 0.1))
    assert found.repeats == "not told"
    assert "is not told" in found.sentence


def test_correlation_within_groups():
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(2, 40))
    groups = np.arange(40) % 2
    centred = [
        np.concatenate([of[groups == one] - of[groups == one].mean() for one in (0, 1)])
        for of in (first, second)
    ]
    assert correlation(first, second, groups) == pytest.approx(np.corrcoef(*centred)[0, 1])
    assert np.isnan(correlation(np.full(40, 0.1), second, groups))
