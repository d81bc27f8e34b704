"""Decision curves: what a prediction is worth to someone who acts on it (Vickers and Elkin 2006).

Whoever acts from a probability ``t`` on holds one missed yes for as bad as ``(1 - t) / t`` needless actions. The net
benefit is the share of true positives, less that of false positives at this rate: ``TP / N - FP / N * t / (1 - t)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fivefold.data.table import Array
from fivefold.errors import ConfigError
from fivefold.evaluation.metric import Values


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit by threshold; that of treating nobody is zero at all of them.

    Attributes:
        thresholds: probabilities from which one acts, shape ``(T,)``.
        model: net benefit of acting where the model's probability reaches the threshold, shape ``(T,)``.
        treat_all: net benefit of acting on every sample, shape ``(T,)``.
    """

    thresholds: Values
    model: Values
    treat_all: Values


def decision_curve(
    probabilities: Array, truth: Array, thresholds: Array, weights: Values | None = None
) -> DecisionCurve:
    """The net benefit at each threshold, among the samples whose truth is known; nan where there are none.

    Args:
        probabilities: of yes, shape ``(N,)``.
        truth: 1 is yes, 0 is no, nan is not known and takes no part, shape ``(N,)``.
        thresholds: from 0 to below 1, shape ``(T,)``.
        weights: shape ``(N,)``; None for one each.

    Raises:
        ConfigError: a threshold is not a probability below 1.
    """
    thresholds = np.asarray(thresholds, dtype=np.float64)
    outside = ~((thresholds >= 0) & (thresholds < 1))
    if outside.any():
        raise ConfigError(
            f"thresholds of a decision curve: expected probabilities from 0 to below 1, found "
            f"{thresholds[outside][0]:g}; at 1 no false positive is bearable, so leave it out"
        )
    weights = np.ones(len(truth)) if weights is None else weights
    yes, no = weights * (truth == 1), weights * (truth == 0)
    acted = np.asarray(probabilities, dtype=np.float64)[None] >= thresholds[:, None]
    rate = thresholds / (1 - thresholds)
    with np.errstate(invalid="ignore"):
        total = yes.sum() + no.sum()
        model = (acted @ yes - rate * (acted @ no)) / total
        treat_all = (yes.sum() - rate * no.sum()) / total
    return DecisionCurve(thresholds, model, treat_all)
