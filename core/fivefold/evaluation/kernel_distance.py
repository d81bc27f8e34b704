"""The kernel distance of two sets of features: KID where the features are a network's.

Bińkowski et al. 2018, arXiv:1801.01401: the squared maximum mean discrepancy with the kernel
``k(x, y) = (x y / D + 1)^3``, estimated without bias. The paper averages the estimates of 100 random subsets of 1,000
samples; here every pair of samples is taken once, which has the same expectation, whatever the number of samples, less
variance, and no random draw. The estimate of two samples of one distribution is zero on average, so it may be negative.

Shapes: ``N`` samples, ``D`` features.
"""

from __future__ import annotations

from math import nan

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.linear_bootstrap import Influence
from fivefold.evaluation.metric import Values

DEGREE = 3
ROWS = 512
"""Rows of a kernel matrix held at once."""
LEAST = 2
"""Samples that have a pair."""


def kernel_distance(real: Array, generated: Array, weights: Values | None = None) -> float:
    """KID of features; nan of fewer than two samples.

    Args:
        real: ``(N, D)``.
        generated: ``(M, D)``; with ``weights``, as many as real ones.
        weights: how often each row counts, ``(N,)``, two in all or more; None for once each.
    """
    if min(len(real), len(generated)) < LEAST:
        return nan
    real_counts = np.ones(len(real)) if weights is None else np.asarray(weights, dtype=np.float64)
    generated_counts = np.ones(len(generated)) if weights is None else real_counts
    within = [
        counts @ (_sums(of, of, counts) - _own(of)) / (counts.sum() * (counts.sum() - 1))
        for of, counts in ((real, real_counts), (generated, generated_counts))
    ]
    across = real_counts @ _sums(real, generated, generated_counts)
    return float(sum(within) - 2 * across / (real_counts.sum() * generated_counts.sum()))


def kernel_influence(real: Array, generated: Array) -> Influence:
    """KID and the influence of each row: a real sample and the generated one beside it, which are weighted together.

    The influence is Hájek's projection: what the sample's mean kernels add to those of all (Serfling 1980, chapter 5).

    Args:
        real: ``(N, D)``, two or more.
        generated: ``(N, D)``.
    """
    count = len(real)
    ones = np.ones(count)
    of_real = (_sums(real, real, ones) - _own(real)) / (count - 1)
    of_generated = (_sums(generated, generated, ones) - _own(generated)) / (count - 1)
    to_generated, to_real = _sums(real, generated, ones) / count, _sums(generated, real, ones) / count
    rows = of_real + of_generated - to_generated - to_real
    return Influence(float(rows.mean()), 2 * (rows - rows.mean()))


def _sums(first: Array, second: Array, counts: Values) -> Values:
    """Of each of ``first`` the sum of its kernels with ``second``, each as often as it counts: ``(N,)``."""
    # Products are in float32, of which the mean of many is exact enough; their sums are not.
    columns = np.ascontiguousarray(second.T, dtype=np.float32)
    found = np.empty(len(first))
    for start in range(0, len(first), ROWS):
        rows = np.asarray(first[start : start + ROWS], dtype=np.float32)
        kernel = _kernel(rows @ columns, rows.shape[1])
        found[start : start + ROWS] = kernel.astype(np.float64) @ counts
    return found


def _own(features: Array) -> Values:
    """The kernel of each sample with itself, ``(N,)``."""
    exact = np.asarray(features, dtype=np.float64)
    own: Values = _kernel((exact**2).sum(axis=1), exact.shape[1])
    return own


def _kernel(products: Array, width: int) -> Array:
    raised: Array = (products / width + 1) ** DEGREE
    return raised
