"""The Fréchet distance of two sets of features, each taken for a Gaussian: FID where the features are a network's.

Heusel et al. 2017, arXiv:1706.08500: ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` with means ``m`` and unbiased
covariances ``C``. The square root's trace is computed in float64 from the eigenvalues of the symmetric ``F' C2 F``,
where ``F F' = C1``; these are the eigenvalues of ``C1 C2``, and no matrix square root, with its complex rounding, is
needed.

The distance of finite samples is biased upwards, by about ``1 / N`` times a constant that differs between generators
(Chong and Forsyth 2020, arXiv:1911.07023): two samples of one distribution are apart, too. Only distances of equally
many samples may be compared. Features should be fewer than samples; otherwise the covariances are singular, which is
well defined and computed as such, and the bias is large.

Shapes: ``N`` samples, ``D`` features, ``R`` rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.linear_bootstrap import Influence
from fivefold.evaluation.metric import Values

LEAST = 2
"""Samples that have a covariance."""
ROUNDING = 1e-12
"""Of a distance, as a share of all variance."""


@dataclass(frozen=True)
class Gaussian:
    """Mean ``(D,)`` and unbiased covariance ``(D, D)``."""

    mean: Values
    covariance: Values


def fitted_gaussian(features: Array, weights: Values | None = None) -> Gaussian:
    """The Gaussian with the mean and covariance of ``features``.

    Args:
        features: ``(N, D)``.
        weights: how often each sample counts, ``(N,)``, two in all or more; None for once each.
    """
    exact = np.asarray(features, dtype=np.float64)
    counts = np.ones(len(exact)) if weights is None else np.asarray(weights, dtype=np.float64)
    mean = counts @ exact / counts.sum()
    # In two steps, as the difference of large second moments and squared means would drown small variances.
    centred = exact - mean
    return Gaussian(mean, (centred * counts[:, None]).T @ centred / (counts.sum() - 1))


def gaussian_distance(first: Gaussian, second: Gaussian) -> float:
    """The squared Fréchet (2-Wasserstein) distance of two Gaussians (Dowson and Landau 1982)."""
    factor = _factor(first.covariance)[0]
    shared = np.linalg.eigvalsh(_symmetric(factor.T @ second.covariance @ factor))
    return _distance(first, second, np.asarray(shared, dtype=np.float64))


def frechet_distance(real: Array, generated: Array, weights: Values | None = None) -> float:
    """FID of features; nan of fewer than two samples.

    Args:
        real: ``(N, D)``.
        generated: ``(M, D)``; with ``weights``, as many as real ones.
        weights: how often each row counts, ``(N,)``; None for once each.
    """
    if min(len(real), len(generated)) < LEAST:
        return nan
    return gaussian_distance(fitted_gaussian(real, weights), fitted_gaussian(generated, weights))


def frechet_influence(real: Array, generated: Array) -> Influence:
    """FID and the influence of each row: a real sample and the generated one beside it, which are weighted together.

    The derivative of the distance by ``C1`` is ``1 - T``, where ``T`` is the linear map that transports the first
    Gaussian to the second; by ``C2`` it is ``1 - T^-1`` (Rippl, Munk and Sturm 2016, arXiv:1507.04090). Directions in
    which a covariance is zero are left out: no resample of the same samples has any variance there.

    Args:
        real: ``(N, D)``, two or more.
        generated: ``(N, D)``.
    """
    first, second = fitted_gaussian(real), fitted_gaussian(generated)
    factor, inverse = _factor(first.covariance)
    shared, directions = np.linalg.eigh(_symmetric(factor.T @ second.covariance @ factor))
    kept = shared > _rounding(shared)
    roots = np.sqrt(shared[kept])
    apart = first.mean - second.mean
    around = np.asarray(real, dtype=np.float64) - first.mean
    moved = np.asarray(generated, dtype=np.float64) - second.mean
    there = (around @ (inverse @ directions[:, kept])) ** 2 @ roots
    back = (moved @ (factor @ directions[:, kept])) ** 2 @ (1 / roots)
    unbiased = len(real) / (len(real) - 1)
    by_real = 2 * around @ apart + unbiased * ((around**2).sum(axis=1) - there)
    by_generated = -2 * moved @ apart + unbiased * ((moved**2).sum(axis=1) - back)
    influence = by_real + by_generated
    return Influence(_distance(first, second, shared), influence - influence.mean())


def _distance(first: Gaussian, second: Gaussian, shared: Values) -> float:
    """From the eigenvalues of ``C1 C2``; a difference that is no more than rounding is zero."""
    apart = first.mean - second.mean
    traces = np.trace(first.covariance) + np.trace(second.covariance)
    roots = np.sqrt(shared[shared > _rounding(shared)]).sum()
    value = float(apart @ apart + traces - 2 * roots)
    return value if value > ROUNDING * traces else 0.0


def _factor(covariance: Values) -> tuple[Values, Values]:
    """``F`` with ``F F'`` the covariance, and ``F'``'s pseudoinverse: ``(D, R)`` each."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > _rounding(values)
    roots = np.sqrt(values[kept])
    return vectors[:, kept] * roots, vectors[:, kept] / roots


def _rounding(values: Values) -> float:
    """What an eigenvalue of zero may come out as, given all of them."""
    return float(len(values) * np.finfo(np.float64).eps * values.max(initial=0.0))


def _symmetric(matrix: Values) -> Values:
    """The matrix, exactly symmetric; rounding may have made it not quite so."""
    return (matrix + matrix.T) / 2
