"""Platt's scale and shift: the maximum of the posterior, and what it does where the likelihood has none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special, stats

from fivefold.evaluation.platt import fit_platt
from fivefold.evaluation.recalibration import recalibration


def drawn(count, scale, shift, seed=0):
    """Logits, and answers drawn at ``scale`` and ``shift`` of them."""
    generator = np.random.default_rng(seed)
    logits = 2 * generator.normal(size=count) - 1
    return logits, (generator.random(count) < special.expit(scale * logits + shift)).astype(float)


@pytest.mark.parametrize(("scale", "shift"), [(0.4, 0.7), (1.0, 0.0), (2.5, -2.0)])
def test_it_is_the_most_probable_scale_and_shift(scale, shift):
    logits, truth = drawn(80, scale, shift)

    def surprise(parameters):
        linear = np.exp(parameters[0]) * logits + parameters[1]
        likelihood = np.where(truth == 1, special.log_expit(linear), special.log_expit(-linear)).sum()
        return -likelihood - stats.norm.logpdf(parameters[0], 0, np.log(1.5))

    found = optimize.minimize(
        surprise, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
    )
    assert fit_platt(logits, truth) == pytest.approx((np.exp(found.x[0]), found.x[1]), rel=1e-4, abs=1e-4)


def test_with_many_answers_the_prior_says_nothing():
    logits, truth = drawn(20_000, 0.5, 0.7)
    likeliest = recalibration(special.expit(logits), truth)
    assert fit_platt(logits, truth) == pytest.approx((likeliest.slope, likeliest.intercept), rel=0.01)


def test_answers_that_a_threshold_parts_or_nearly_parts_are_treated_alike():
    logits = np.linspace(-3, 3, 41)
    parted = (logits > 0.1).astype(float)
    nearly = parted.copy()
    nearly[20] = 1.0
    scales = [fit_platt(logits, truth)[0] for truth in (parted, nearly)]
    assert scales == pytest.approx([scales[0]] * 2, rel=0.3)
    assert max(scales) < 6
    assert np.isnan(recalibration(special.expit(logits), parted).slope)


@pytest.mark.parametrize(
    ("logits", "truth"),
    [
        ([1.0, 2.0], [1, 1]),
        ([1.0, 2.0], [0, 0]),
        ([1.0, 2.0], [np.nan, 1]),
        ([1.0, 2.0, 3.0], [1, 0, 0]),
        ([2.0, 2.0, 2.0], [1, 0, 1]),
    ],
    ids=["yes only", "no only", "one known", "wrong way", "all alike"],
)
def test_what_cannot_be_fitted_stays(logits, truth):
    assert fit_platt(np.array(logits), np.array(truth, float)) == (1.0, 0.0)


def test_unknown_answers_take_no_part():
    logits, truth = drawn(60, 0.6, 0.2)
    more = np.append(logits, [99.0, -99.0]), np.append(truth, [np.nan, np.nan])
    assert fit_platt(*more) == fit_platt(logits, truth)
