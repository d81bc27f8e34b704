"""Net benefit by its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.errors import ConfigError
from fivefold.evaluation.decision_curve import decision_curve


def test_by_hand():
    # At 0.2 three are acted on, two of them rightly: 2/4 - 1/4 * 0.2/0.8. At 0.5 one rightly and one not.
    curve = decision_curve(
        np.array([0.9, 0.2, 0.6, 0.1, 0.99]), np.array([1, 1, 0, 0, np.nan]), np.array([0.0, 0.2, 0.5, 0.95])
    )
    np.testing.assert_allclose(curve.model, [0.5, 2 / 4 - 1 / 16, 1 / 4 - 1 / 4, 0])
    np.testing.assert_allclose(curve.treat_all, [0.5, 2 / 4 - 2 / 4 / 4, 0, 0.5 - 0.5 * 19])
    np.testing.assert_allclose(curve.thresholds, [0.0, 0.2, 0.5, 0.95])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_properties(seed):
    generator = np.random.default_rng(seed)
    probabilities = np.round(generator.random(40), 2)
    truth = (generator.random(40) < 0.3).astype(float)
    thresholds = np.array([0.0, 0.1, 0.3, 0.6, 0.9])
    counts = generator.integers(1, 4, size=40)
    curve = decision_curve(probabilities, truth, thresholds, counts.astype(float))
    repeated = decision_curve(np.repeat(probabilities, counts), np.repeat(truth, counts), thresholds)
    np.testing.assert_allclose(curve.model, repeated.model)
    np.testing.assert_allclose(curve.treat_all, repeated.treat_all)
    # Whoever acts at 0 treats all; no model is worth more than the truth.
    assert curve.model[0] == pytest.approx(curve.treat_all[0])
    perfect = decision_curve(truth, truth, thresholds, counts.astype(float)).model
    np.testing.assert_allclose(perfect, np.average(truth, weights=counts))
    assert (curve.model <= perfect + 1e-12).all()


def test_treating_all_is_worth_nothing_at_the_prevalence():
    truth = np.repeat([1.0, 0.0], [3, 7])
    assert decision_curve(truth, truth, np.array([0.3])).treat_all[0] == pytest.approx(0, abs=1e-15)


def test_float32_probabilities_are_compared_as_they_are():
    probabilities = np.array([0.3], dtype=np.float32)
    threshold = float(np.nextafter(np.float64(probabilities[0]), 1))
    assert decision_curve(probabilities, np.array([1.0]), np.array([threshold])).model[0] == 0


def test_nothing_known_is_nan():
    curve = decision_curve(np.array([0.5]), np.array([np.nan]), np.array([0.1, 0.2]))
    assert np.isnan(curve.model).all()
    assert np.isnan(curve.treat_all).all()


@pytest.mark.parametrize("threshold", [-0.1, 1.0, 1.5, np.nan])
def test_thresholds_are_probabilities_below_one(threshold):
    with pytest.raises(ConfigError, match="expected probabilities from 0 to below 1, found"):
        decision_curve(np.array([0.5]), np.array([1.0]), np.array([0.5, threshold]))
