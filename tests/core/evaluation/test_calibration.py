"""Temperature scaling and reliability bins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fivefold.evaluation.calibration import LIMIT, at_bound, fit_temperature, reliability, softmax
from fivefold.evaluation.classification_metrics import classification_metrics

from .judged import class_outputs


def drawn(temperature, count=20_000):
    """Logits whose labels are drawn at the given temperature."""
    generator = np.random.default_rng(0)
    logits = 3 * generator.normal(size=(count, 4))
    shares = softmax(logits, temperature).cumsum(axis=1)
    return logits, (shares < generator.random((count, 1))).sum(axis=1).clip(max=3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_found(temperature):
    assert fit_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.05)


def test_the_order_of_classes_stays():
    logits, _ = drawn(1.0, 50)
    np.testing.assert_array_equal(softmax(logits, 3.7).argmax(axis=1), logits.argmax(axis=1))


def test_the_temperature_is_the_most_probable_one_under_its_prior():
    """Against another search of the posterior, written out: a normal prior of log T around 0 with spread log 1.5."""
    logits, target = drawn(2.5, 60)

    def posterior(temperature):
        shares = softmax(logits, temperature)[np.arange(60), target]
        return np.log(shares).sum() + stats.norm.logpdf(np.log(temperature), 0, np.log(1.5))

    grid = np.geomspace(0.5, 5, 5_001)
    best = grid[np.argmax([posterior(one) for one in grid])]
    assert fit_temperature(logits, target) == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize("margin", [2.0, 5.0, 9.0])
@pytest.mark.parametrize("count", [2, 20, 115])
def test_a_perfect_validation_split_does_not_make_one_sure_of_everything(margin, count):
    target = np.arange(count) % 3
    logits = margin * np.eye(3)[target] + 0.3 * np.random.default_rng(0).normal(size=(count, 3))
    temperature = fit_temperature(logits, target)
    assert 0.2 < temperature < 1
    assert not at_bound(temperature)
    # What the prior lets pass is no more than the samples bear out: not surer than one mistake in ten times as many.
    assert 1 - softmax(logits, temperature).max(axis=1).mean() > 0.1 * min(
        1 / count, 1 - softmax(logits).max(axis=1).mean()
    )


def test_one_mistake_after_a_perfect_validation_split_costs_little():
    logits = np.array([[5.0, 0.0], [0.0, 5.0]] * 50)
    temperature = fit_temperature(logits, np.arange(100) % 2)
    mistaken = -np.log(softmax(np.array([[5.0, 0.0]]), temperature)[0, 1])
    assert mistaken < 10  # 100 at the bound of the search


def test_a_temperature_at_its_bound_is_known():
    logits, target = drawn(1.0, 2000)
    assert at_bound(fit_temperature(logits / 1000, target))
    assert at_bound(1 / LIMIT)
    assert not at_bound(2.0)


@pytest.mark.parametrize("count", [0, 3])
def test_without_labels_the_temperature_stays_one(count):
    assert fit_temperature(np.ones((count, 2)), np.full(count, -1)) == 1.0


def test_logits_that_say_nothing_keep_their_temperature():
    assert fit_temperature(np.zeros((10, 2)), np.arange(10) % 2) == 1.0


def test_the_bins_give_the_calibration_error():
    outputs = class_outputs(classes=6, skill=1.5)
    metric = next(one for one in classification_metrics(6) if one.name == "calibration error")
    found = reliability(outputs)
    assert found.error == pytest.approx(metric.compute(outputs, None))
    assert found.count.sum() == 300
    assert np.isnan(found.accuracy[found.count == 0]).all()
