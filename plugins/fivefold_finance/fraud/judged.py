"""Scored transactions as the fraud report judges them, and the independent unit of their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array

Times = NDArray[np.datetime64]


FEWEST_UNITS = 10
"""With fewer days than this in a split, hours are drawn instead of days."""


@dataclass(frozen=True)
class Judged:
    """The transactions of one split with their scores, in the order of the split's samples.

    Attributes:
        scores: higher is more suspicious, shape ``(N,)``.
        fraud: 1 is fraud, 0 is genuine, nan is not known, shape ``(N,)``.
        times: of the transactions, datetime64, shape ``(N,)``.
        accounts: card or account of each, shape ``(N,)``; None where the data name none.
        amounts: in the data's currency, nan where it is missing, shape ``(N,)``.
        threshold: the score from which on a transaction is an alert.
    """

    scores: NDArray[np.float64]
    fraud: NDArray[np.float64]
    times: Times
    accounts: Array | None
    amounts: NDArray[np.float64]
    threshold: float

    @property
    def days(self) -> NDArray[np.int64]:
        """Calendar day (UTC) of each transaction, in days since 1970, shape ``(N,)``."""
        return day_numbers(self.times)

    def with_scores(self, scores: Array) -> Judged:
        """The same transactions as another predictor scores them; the threshold is not that predictor's."""
        scores = np.asarray(scores, dtype=np.float64)
        return Judged(scores, self.fraud, self.times, self.accounts, self.amounts, self.threshold)

    def labelled(self) -> Judged:
        """Only the transactions of which it is known whether they are fraud."""
        known = ~np.isnan(self.fraud)
        return Judged(
            np.asarray(self.scores, dtype=np.float64)[known],
            self.fraud[known],
            self.times[known],
            None if self.accounts is None else self.accounts[known],
            self.amounts[known],
            self.threshold,
        )


def day_numbers(times: Times) -> NDArray[np.int64]:
    """Calendar days (UTC) of instants, in days since 1970, shape ``(N,)``: the output ``day`` of the metrics."""
    return times.astype("datetime64[D]").astype(np.int64)


def by_day(days: Array) -> list[NDArray[np.int64]]:
    """Rows of each day that occurs in ``days``, shape ``(N,)``, the earliest day first."""
    if not len(days):
        return []
    order = np.argsort(days, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(days[order])) + 1)


def account_codes(accounts: Array | None, count: int) -> NDArray[np.int64]:
    """Accounts as numbers from 0, shape ``(N,)``, -1 where there are none: the output ``account`` of the metrics.

    Args:
        accounts: names, shape ``(N,)``; None where the data name none.
        count: number of transactions, ``N``.
    """
    if accounts is None:
        return np.full(count, -1, dtype=np.int64)
    names = np.asarray(accounts).astype(str)
    return np.asarray(np.unique(names, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def independent_units(times: Times, accounts: Array | None) -> tuple[NDArray[np.object_], str]:
    """The unit that is drawn when intervals are made, of each transaction, and what it is called.

    Frauds come in bursts, and a day is judged as one list of alerts, so days are drawn; of a split with too few
    days, hours; of one with too few of these as well, accounts where the data name them.

    Args:
        times: of the transactions, shape ``(N,)``.
        accounts: of the transactions, shape ``(N,)``, or None.

    Returns:
        Units, shape ``(N,)``, and ``day``, ``hour`` or ``account``.
    """
    choices: list[tuple[NDArray[Any], str]] = [
        (np.datetime_as_string(times.astype("datetime64[D]")), "day"),
        (np.datetime_as_string(times.astype("datetime64[h]")), "hour"),
    ]
    if accounts is not None:
        choices.append((np.asarray(accounts).astype(str), "account"))
    enough = (choice for choice in choices if len(np.unique(choice[0])) >= FEWEST_UNITS)
    units, name = next(enough, choices[1])
    return units.astype(object), name
