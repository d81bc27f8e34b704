"""How far probabilities of yes are from calibrated: Cox's slope and intercept, and calibration in the large.

Slope and intercept are those of a logistic regression of the truth on the logits of the probabilities (Cox 1958). A
slope below 1 says that probabilities are too extreme, above 1 that they are too moderate. The intercept with the
slope held at 1, calibration in the large, says whether they are too low (above 0) or too high (below 0) on the whole
(Steyerberg 2019, chapter 15).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fivefold.data.table import Array
from fivefold.evaluation.metric import Values

CLIP = 1e-7
"""Probabilities closer to 0 or 1 count as this close: nearer to 1, float32 cannot tell them apart."""

STEPS = 100
"""Newton steps at most; a handful is usual."""

TOLERANCE = 1e-9
"""A step this small ends the search."""

MANY = 1_000
"""Answers from which on the search begins near the solution. With few, which a threshold nearly parts, the likelihood
is so flat that where a search ends depends on where it begins."""

BLOCK = 100_000
"""Weights worked on at once, few enough for the processor's cache."""

LONGEST = 5.0
"""A coefficient moves by this at most in a step: Newton's method leaps far where probabilities are nearly certain."""

ROUNDING = 1e-12
"""A likelihood lower by this share is no lower."""


@dataclass(frozen=True)
class Recalibration:
    """Calibration of the probabilities of one question; perfect is a slope of 1, and 0 for the others.

    ``expit(slope * logit(p) + intercept)`` recalibrates a probability ``p``, and ``expit(logit(p) + in_the_large)``
    does where its slope shall stay.

    Attributes:
        slope: of the truth on the logits; nan where it has no finite value: one answer is missing, all
            probabilities are alike, or a threshold separates yes from no.
        intercept: that goes with this slope; nan where the slope is.
        in_the_large: the intercept that goes with a slope of 1; nan where one answer is missing.
    """

    slope: float
    intercept: float
    in_the_large: float


def recalibration(probabilities: Array, truth: Array, weights: Values | None = None) -> Recalibration:
    """The calibration of ``probabilities``, by maximum likelihood.

    Args:
        probabilities: of yes, shape ``(N,)``.
        truth: 1 is yes, 0 is no, nan is not known and takes no part, shape ``(N,)``.
        weights: shape ``(N,)``; None for one each.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    values = recalibration_values(probabilities, truth, np.asarray(weights, dtype=np.float64)[None])
    return Recalibration(**{name: float(value[0]) for name, value in values.items()})


def recalibration_values(probabilities: Array, truth: Array, weights: Values) -> dict[str, Values]:
    """The calibration of ``probabilities`` for many weightings.

    Args:
        probabilities: of yes, shape ``(N,)``.
        truth: as in `recalibration`, shape ``(N,)``.
        weights: shape ``(R, N)``.

    Returns:
        ``slope``, ``intercept`` and ``in_the_large``, each of shape ``(R,)``; nan as in `Recalibration`.
    """
    known = ~np.isnan(truth)
    clipped = np.clip(np.asarray(probabilities, dtype=np.float64)[known], CLIP, 1 - CLIP)
    logits, yes = special.logit(clipped), truth[known] == 1
    rows = max(1, BLOCK // max(len(logits), 1))
    starts = range(0, len(weights), rows)
    nearby = np.zeros(3)
    if len(logits) >= MANY:
        # From the solution for all weightings together, each one's is a few steps away.
        nearby = _cox(logits, yes, weights[:, known].mean(axis=0, keepdims=True), nearby)[:, 0]
    blocks = [_cox(logits, yes, weights[start : start + rows, known], nearby) for start in starts]
    return dict(zip(("slope", "intercept", "in_the_large"), np.concatenate(blocks, axis=1), strict=True))


def _cox(logits: Values, yes: NDArray[np.bool_], weights: Values, nearby: Values) -> Values:
    """Slope, intercept and calibration in the large, shape ``(3, R)``, for weights of shape ``(R, N)``.

    ``nearby``, shape ``(3,)``, is where the search for them begins; nan counts as 0.
    """
    values = np.full((3, len(weights)), np.nan)
    slope, intercept, in_the_large = values
    both = (weights[:, yes] > 0).any(axis=1) & (weights[:, ~yes] > 0).any(axis=1)
    ones = np.ones((1, len(logits)))
    near_slope, near_intercept, near_in_the_large = np.nan_to_num(nearby)
    in_the_large[both] = _fit(ones, logits, yes, weights[both], np.array([near_in_the_large]))[:, 0]
    overlap = both & _overlap(logits, yes, weights)
    if overlap.any():
        # Around their mean and in units of their spread, intercept and slope are of like size and little correlated.
        mean, spread = logits.mean(), logits.std()
        design = np.concatenate([ones, (logits - mean)[None] / spread])
        start = np.array([near_intercept + near_slope * mean, near_slope * spread])
        level, rise = _fit(design, np.zeros_like(logits), yes, weights[overlap], start).T
        slope[overlap] = rise / spread
        intercept[overlap] = level - rise * mean / spread
    return values


def _overlap(logits: Values, yes: NDArray[np.bool_], weights: Values) -> NDArray[np.bool_]:
    """Whether no threshold parts yes from no, in either direction, shape ``(R,)`` (Albert and Anderson 1984)."""
    there = weights > 0

    def ends(answer: NDArray[np.bool_]) -> tuple[Values, Values]:
        values, here = logits[answer], there[:, answer]
        least = np.where(here, values, np.inf).min(axis=1, initial=np.inf)
        return least, np.where(here, values, -np.inf).max(axis=1, initial=-np.inf)

    (least_yes, most_yes), (least_no, most_no) = ends(yes), ends(~yes)
    return np.asarray((most_no > least_yes) & (most_yes > least_no))


def _fit(design: Values, offset: Values, yes: NDArray[np.bool_], weights: Values, start: Values) -> Values:
    """Logistic regressions by Newton's method, each step halved until the likelihood does not fall.

    Args:
        design: shape ``(K, N)``.
        offset: added to the linear predictor, shape ``(N,)``.
        yes: the truth, shape ``(N,)``.
        weights: of ``R`` regressions, shape ``(R, N)``, each with a finite solution.
        start: where the search begins, shape ``(K,)``.

    Returns:
        Coefficients, shape ``(R, K)``; nan where `STEPS` do not reach the solution.
    """
    coefficients = np.tile(start, (len(weights), 1))
    step = np.zeros_like(coefficients)
    likelihood = np.full(len(weights), -np.inf)
    searching = np.arange(len(weights))
    for _ in range(STEPS):
        if not len(searching):
            return coefficients
        here = weights[searching]
        tried = coefficients[searching] + step[searching]
        found, newton = _evaluate(tried, design, offset, yes, here)
        better = found >= likelihood[searching] - ROUNDING * np.abs(likelihood[searching])
        rows = searching[better]
        coefficients[rows], likelihood[rows], step[rows] = tried[better], found[better], newton[better]
        step[searching[~better]] /= 2
        searching = searching[np.abs(step[searching]).max(axis=1) > TOLERANCE]
    coefficients[searching] = np.nan
    return coefficients


def _evaluate(
    coefficients: Values, design: Values, offset: Values, yes: NDArray[np.bool_], weights: Values
) -> tuple[Values, Values]:
    """Log likelihoods at ``coefficients``, ``(R, K)``, of shape ``(R,)``, and Newton's steps from there, ``(R, K)``."""
    linear = coefficients @ design + offset
    small = np.exp(-np.abs(linear))
    probability = np.where(linear >= 0, 1.0, small) / (1 + small)
    likelihood = np.einsum(
        "rn,rn->r", weights, np.where(yes, linear, 0.0) - np.maximum(linear, 0) - np.log1p(small)
    )
    gradient = (weights * (yes - probability)) @ design.T
    products = (design[:, None] * design[None]).reshape(-1, len(offset))
    curvature = (weights * (small / (1 + small) ** 2)) @ products.T
    size = len(design)
    # Far from the solution all curvature may round to none, which an inverse would not bear.
    inverse = np.linalg.pinv(curvature.reshape(-1, size, size), hermitian=True)
    return likelihood, np.clip((inverse @ gradient[..., None])[..., 0], -LONGEST, LONGEST)
