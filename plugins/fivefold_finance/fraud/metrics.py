"""Metrics of fraud detection: average precision first, then what a desk that reviews k alerts a day would catch.

Outputs read: ``probabilities`` and ``target``, each ``(N, 1)``, as `fivefold.evaluation.question_metrics` has them;
``day``, int64 ``(N,)``; and ``account``, int64 ``(N,)``. Transactions whose label is not known take no part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.metric import Metric, Values, sample_count
from fivefold.evaluation.question_metrics import answers, question_metrics, question_support
from fivefold_finance.fraud.config import ALERTS_A_DAY
from fivefold_finance.fraud.judged import by_day

Outputs = Mapping[str, Array]

QUESTION = "fraud"


def fraud_metrics(*, alerts: int = ALERTS_A_DAY, accounts: bool = False) -> tuple[Metric, ...]:
    """AUPRC, AUROC, precision at ``alerts`` a day, card precision at as many, Brier score and log loss.

    Args:
        alerts: how many are reviewed each day.
        accounts: whether the data name accounts; card precision is left out where they do not.
    """
    asked = {metric.name: metric for metric in question_metrics((QUESTION,))}
    daily = [_alert_metric(f"precision at {alerts} alerts a day", alert_shares, alerts)]
    if accounts:
        daily.append(_alert_metric(f"card precision at {alerts} alerts a day", card_shares, alerts))
    return (asked.pop("AUPRC"), asked.pop("AUROC"), *daily, *asked.values())


def _alert_metric(name: str, shares: Callable[[Outputs, int], Values], alerts: int) -> Metric:
    """The mean over days of the share of frauds among a day's alerts, as a ratio of sums over transactions.

    A day has weight 1 in all, spread over its alerts. Of days drawn whole this is the mean over the days drawn.
    Where hours or accounts are drawn, alerts are drawn with them, out of those raised on the split as it is, as
    a threshold would be held.
    """

    def statistics(outputs: Outputs) -> Values:
        share = shares(outputs, alerts)
        return np.stack([share * (answers(outputs)[:, 0] == 1), share], axis=1)

    return Metric.from_sums(
        name,
        statistics,
        lambda sums, _totals: sums[:, 0] / sums[:, 1],
        style="percent",
        headline=True,
        support=lambda outputs, units: question_support(outputs, units, (QUESTION,)),
    )


def alert_shares(outputs: Outputs, alerts: int) -> Values:
    """What each transaction counts in the precision at k alerts a day, shape ``(N,)``: a day's sum is 1.

    Args:
        outputs: as above; ``account`` is not read.
        alerts: k.
    """
    chances = alert_chances(outputs, alerts)
    _, place = np.unique(outputs["day"], return_inverse=True)
    return chances / np.maximum(np.bincount(place, chances)[place], 1.0)


def alert_chances(outputs: Outputs, alerts: int) -> Values:
    """The chance of each transaction to be an alert, shape ``(N,)``: 1 or 0, except among equal scores at the edge.

    The k highest scores of a day are its alerts, after Le Borgne et al. 2022 (Reproducible machine learning for
    credit card fraud detection, chapter 4); of a day with fewer transactions, all of them. Of equal scores at the
    edge, each is an alert with the same chance, so that the order of rows tells nothing.

    Args:
        outputs: as above; ``account`` is not read.
        alerts: k.
    """
    known, scores = _known(outputs)
    chances = np.zeros(sample_count(outputs))
    for rows in by_day(np.asarray(outputs["day"])[known]):
        chances[known[rows]] = top_chances(scores[rows], alerts)
    return chances


def card_shares(outputs: Outputs, alerts: int) -> Values:
    """What each transaction counts in the card precision at k alerts a day, shape ``(N,)``: a day's sum is 1.

    As in Le Borgne et al. 2022: an account has the highest score of its transactions of the day, and is fraudulent
    if one of these is; the k accounts of the highest scores are the day's alerts; an account caught in a fraud is
    blocked, and on later days no alert. What an alert counts stands at a transaction of its account, a fraud where
    it is fraudulent. Of equal scores, the order is fixed and knows nothing of labels. A day on which all accounts
    are blocked already takes no part.

    Args:
        outputs: as above.
        alerts: k.
    """
    known, scores = _known(outputs)
    accounts = _own_accounts(np.asarray(outputs["account"])[known])
    fraud = answers(outputs)[known, 0] == 1
    tie = _shuffled(int(accounts.max(initial=-1)) + 1)
    blocked = np.zeros(len(tie), dtype=bool)
    shares = np.zeros(sample_count(outputs))
    for day in by_day(np.asarray(outputs["day"])[known]):
        rows = day[~blocked[accounts[day]]]
        if not len(rows):
            continue
        stands_for = _one_row_an_account(accounts[rows], scores[rows], fraud[rows])
        best = _highest(accounts[rows], scores[rows])
        order = np.lexsort((tie[accounts[rows[stands_for]]], -best))[:alerts]
        chosen = rows[stands_for[order]]
        shares[known[chosen]] = 1 / len(chosen)
        blocked[accounts[chosen[fraud[chosen]]]] = True
    return shares


def top_chances(scores: Values, alerts: int) -> Values:
    """The chance of each score ``(N,)`` to be among the ``alerts`` highest, equal ones alike; shape ``(N,)``."""
    if len(scores) <= alerts:
        return np.ones(len(scores))
    edge = np.partition(scores, len(scores) - alerts)[len(scores) - alerts]
    above, equal = scores > edge, scores == edge
    return np.where(above, 1.0, np.where(equal, (alerts - above.sum()) / equal.sum(), 0.0))


def _known(outputs: Outputs) -> tuple[NDArray[np.int64], Values]:
    """Rows whose label is known, and their scores."""
    known = np.flatnonzero(~np.isnan(answers(outputs)[:, 0]))
    return known, np.asarray(outputs["probabilities"], dtype=np.float64)[known, 0]


def _own_accounts(accounts: Array) -> NDArray[np.int64]:
    """Codes from 0; a transaction without an account (below 0) is given one of its own."""
    alone = accounts.max(initial=-1) + 1 + np.arange(len(accounts))
    return np.unique(np.where(accounts < 0, alone, accounts), return_inverse=True)[1].reshape(-1)


def _one_row_an_account(accounts: Array, scores: Values, fraud: Array) -> NDArray[np.int64]:
    """Of each account, in ascending order, its row of the highest score, out of its frauds where it has any."""
    order = np.lexsort((-scores, ~fraud, accounts))
    return order[np.unique(accounts[order], return_index=True)[1]]


def _highest(accounts: Array, scores: Values) -> Values:
    """The highest score of each account, accounts ascending."""
    order = np.lexsort((-scores, accounts))
    return np.asarray(scores[order[np.unique(accounts[order], return_index=True)[1]]])


def _shuffled(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).permutation(count)
