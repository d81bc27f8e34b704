"""What fraud and its review cost, by the user's own figures, and the threshold that costs least.

A transaction is an alert where its score reaches the threshold and it is among the highest scores of its day that
the review budget allows. Every alert costs its review; a fraud that is no alert costs its loss; an alert that is a
fraud costs nothing else (example-dependent costs: Bahnsen et al. 2016). Money is in the data's currency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.evaluation.metric import Values
from fivefold_finance.fraud.config import CostConfig
from fivefold_finance.fraud.judged import Judged, by_day


@dataclass(frozen=True)
class Bill:
    """What a way of raising alerts comes to, of all days together.

    Attributes:
        alerts: that are reviewed.
        caught: frauds among them.
        missed: frauds that are not among them.
        review: what the reviews cost.
        loss: what the missed frauds cost.
        days: that the transactions span with at least one.
    """

    alerts: int
    caught: int
    missed: int
    review: float
    loss: float
    days: int

    @property
    def total(self) -> float:
        """Reviews and losses."""
        return self.review + self.loss

    @property
    def a_day(self) -> float:
        """The total a day."""
        return self.total / self.days


@dataclass(frozen=True)
class CostCurve:
    """Costs as the threshold falls, from no alert to as many as the budget allows.

    Attributes:
        thresholds: descending, shape ``(T,)``; the first, infinity, raises no alert.
        alerts: a day, in the mean, shape ``(T,)``.
        costs: a day, in the mean, shape ``(T,)``.
    """

    thresholds: Values
    alerts: Values
    costs: Values

    @property
    def cheapest(self) -> float:
        """The threshold that costs least; of equal ones, the highest."""
        return float(self.thresholds[np.argmin(self.costs)])


def losses(judged: Judged, config: CostConfig) -> Values:
    """What each transaction costs where it is no alert, shape ``(N,)``: nothing if it is genuine.

    An amount that is missing or negative counts as none.
    """
    amounts = np.maximum(np.nan_to_num(judged.amounts, nan=0.0), 0.0)
    return np.where(judged.fraud == 1, config.share_lost * amounts + config.fixed_loss, 0.0)


def daily_ranks(judged: Judged) -> NDArray[np.int64]:
    """Place of each score within its day, from 1 for the highest, shape ``(N,)``; of equal ones the earlier first."""
    ranks = np.empty(len(judged.scores), dtype=np.int64)
    for rows in by_day(judged.days):
        order = rows[np.lexsort((judged.times[rows], -judged.scores[rows]))]
        ranks[order] = np.arange(1, len(rows) + 1)
    return ranks


def raised(judged: Judged, threshold: float, alerts_a_day: int) -> NDArray[np.bool_]:
    """Which transactions are alerts, shape ``(N,)``."""
    return np.asarray((judged.scores >= threshold) & (daily_ranks(judged) <= alerts_a_day))


def bill(judged: Judged, alerts: NDArray[np.bool_], config: CostConfig) -> Bill:
    """What it comes to if those transactions are reviewed and no others.

    Args:
        judged: transactions whose label is known.
        alerts: which are reviewed, shape ``(N,)``.
        config: the user's costs.
    """
    fraud = judged.fraud == 1
    return Bill(
        alerts=int(alerts.sum()),
        caught=int((fraud & alerts).sum()),
        missed=int((fraud & ~alerts).sum()),
        review=config.review * float(alerts.sum()),
        loss=float(losses(judged, config)[~alerts].sum()),
        days=len(np.unique(judged.days)),
    )


def cost_curve(judged: Judged, config: CostConfig) -> CostCurve:
    """Costs a day at every threshold, within the review budget.

    Args:
        judged: transactions whose label is known.
        config: the user's costs and budget.
    """
    days = len(np.unique(judged.days))
    within = daily_ranks(judged) <= config.alerts_a_day
    saved = losses(judged, config)
    scores = judged.scores[within]
    steps, place = np.unique(-scores, return_inverse=True)
    reviewed = np.cumsum(np.bincount(place, minlength=len(steps)))
    spared = np.cumsum(np.bincount(place, saved[within], minlength=len(steps)))
    costs = saved.sum() + np.concatenate([[0.0], config.review * reviewed - spared])
    return CostCurve(
        thresholds=np.concatenate([[np.inf], -steps]),
        alerts=np.concatenate([[0.0], reviewed / days]),
        costs=costs / days,
    )
