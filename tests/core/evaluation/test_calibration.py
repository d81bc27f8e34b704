"""Temperature scaling and reliability bins."""

from __future__ import annotations

import numpy as np
import pytest

from fivefold.evaluation.calibration import LIMIT, fit_temperature, reliability, softmax
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


def test_perfect_separation_stays_within_bounds():
    logits = np.array([[5.0, 0.0], [0.0, 5.0]])
    assert 1 / LIMIT <= fit_temperature(logits, np.array([0, 1])) < 1


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
