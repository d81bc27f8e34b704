"""Bootstrap intervals of several values at once, and how reports on yes/no questions print them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isnan

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.bootstrap import Resampled, resample_weights
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import decimals_for, number, number_range

Compute = Callable[[Values], Mapping[str, Values]]

DASH = "\N{EN DASH}"
"""Printed where there is no number."""


def resampled(evaluation: Evaluation, compute: Compute) -> dict[str, list[Resampled]]:
    """Values on the split as it is and on the same resamples of its units.

    Args:
        evaluation: says how many resamples, of which units, and by which seed: those that its own intervals rest on.
        compute: weights of shape ``(R, N)`` to named values of shape ``(R, K)``.

    Returns:
        Name to one entry for each of the ``K`` columns.
    """
    count = len(evaluation.ids)
    once = compute(np.ones((1, count)))
    drawn = resample_weights(count, evaluation.units, resamples=evaluation.resamples, seed=evaluation.seed)
    chunks = [compute(weights) for weights in drawn]
    return {
        name: [
            Resampled(float(value), np.concatenate([chunk[name][:, column] for chunk in chunks]))
            for column, value in enumerate(values[0])
        ]
        for name, values in once.items()
    }


def unit_count(evaluation: Evaluation, among: Array) -> int:
    """Independent units of the samples that the mask ``among``, shape ``(N,)``, picks."""
    return int(among.sum()) if evaluation.units is None else len(np.unique(evaluation.units[among]))


def both_ways(truth: Array) -> Array:
    """Which questions have a yes and a no among the known answers ``(N, Q)``; shape ``(Q,)``."""
    return np.asarray((truth == 1).any(axis=0) & (truth == 0).any(axis=0))


def one_sided(names: Sequence[str], truth: Array) -> list[str]:
    """A sentence on the questions that cannot be judged; none where all can."""
    left = [name for name, judged in zip(names, both_ways(truth), strict=True) if not judged]
    if not left:
        return []
    return [f"Not judged, as there is not both a yes and a no among the known answers: {', '.join(left)}."]


def percent(share: float) -> str:
    """``0.912`` as ``91.2 %``."""
    return DASH if isnan(share) else f"{100 * share:.1f} %"


def plain_number(value: float) -> str:
    """``0.9123`` as ``0.912``."""
    return DASH if isnan(value) else number(value)


def number_span(estimate: Estimate) -> str:
    """Ends of the interval as ``0.893 to 0.931``."""
    return DASH if isnan(estimate.low) else number_range(estimate.low, estimate.high, estimate.value)


def number_cells(estimate: Estimate) -> tuple[str, str]:
    """The value and its interval, as two cells that have the same decimals."""
    if isnan(estimate.value):
        return DASH, DASH
    decimals = decimals_for(estimate.low, estimate.high, estimate.value)
    return number(estimate.value, decimals=decimals), number_span(estimate)


def percent_span(estimate: Estimate) -> str:
    """Ends of the interval as ``89.3 to 93.1 %``."""
    return DASH if isnan(estimate.low) else f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f} %"


def interval_head(evaluation: Evaluation) -> str:
    """Head of a column of intervals: ``95 % interval``."""
    return f"{100 * evaluation.level:g} % interval"
