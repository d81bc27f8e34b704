"""The account's last transactions, of each transaction: nothing in them is later than itself.

Of equal times, the rows that stand earlier in the source come first. `Histories` finds them in data that are there as
a whole, `Accounts` remembers them of a stream; both hold the same transactions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold_finance.transactions.schema import Texts, Times

Places = NDArray[np.int64]

_NANOSECONDS_A_DAY = 86_400_000_000_000


def nanoseconds(days: float) -> int:
    """Days as whole nanoseconds."""
    return round(days * _NANOSECONDS_A_DAY)


@dataclass(frozen=True)
class Histories:
    """The histories of ``N`` transactions, which are in order of time.

    Attributes:
        order: places of the transactions, those of an account together, in order of time.
        ends: where in ``order`` each transaction stands, ``(N,)``.
        lengths: transactions of each history, itself among them, ``(N,)``.
    """

    order: Places
    ends: Places
    lengths: Places

    @classmethod
    def of(cls, accounts: Texts, times: Times, most: int, days: float) -> Histories:
        """The last ``most`` transactions of each account that are no older than ``days``."""
        _, codes = np.unique(accounts.astype(str), return_inverse=True)
        order = np.argsort(codes, kind="stable")
        ends = np.empty(len(order), dtype=np.int64)
        ends[order] = np.arange(len(order))
        sorted_codes, moments = codes[order], times.astype("datetime64[ns]").astype(np.int64)[order]
        window = nanoseconds(days)
        lengths = np.ones(len(order), dtype=np.int64)
        for back in range(1, min(most, len(order))):
            same = sorted_codes[back:] == sorted_codes[:-back]
            lengths[back:] += same & (moments[back:] - moments[:-back] <= window)
        return cls(order, ends, lengths[ends])

    def of_rows(self, rows: Places) -> Places:
        """Places of the transactions of each history, ``(B, T)``, the oldest first; -1 where there is none."""
        lengths = self.lengths[rows]
        steps = np.arange(int(lengths.max(initial=1)))
        within = self.ends[rows][:, None] - lengths[:, None] + 1 + steps
        return np.where(steps < lengths[:, None], self.order[np.minimum(within, len(self.order) - 1)], -1)


@dataclass
class Accounts:
    """What is remembered of each account while transactions come in: at most ``most``, none older than ``days``.

    Accounts without a transaction in the last ``days`` are forgotten, so that memory is bounded by the accounts that
    were active in that time.

    Attributes:
        most: transactions of an account.
        days: after which they are forgotten.
    """

    most: int
    days: float
    _held: OrderedDict[str, list[tuple[int, Any]]] = field(default_factory=OrderedDict)
    _now: int = -(2**63)

    def __len__(self) -> int:
        return len(self._held)

    def add(self, account: str, moment: int, value: Any) -> list[tuple[int, Any]]:
        """The history of a transaction that came in now, itself last, as pairs of time (ns) and value.

        One that comes in late, after a later one of its account, is given only what is no later than itself, and is
        remembered at its place in time.
        """
        window = nanoseconds(self.days)
        held = self._held.setdefault(account, [])
        place = bisect_right(held, moment, key=_moment)
        history = [one for one in held[max(0, place - self.most + 1) : place] if moment - one[0] <= window]
        held.insert(place, (moment, value))
        del held[: -self.most]
        self._now = max(moment, self._now)
        self._held.move_to_end(account)
        self._forget(window)
        return [*history, (moment, value)]

    def _forget(self, window: int) -> None:
        """Drop the accounts that have been idle longest, as long as their last transaction is too old."""
        while self._held:
            account, held = next(iter(self._held.items()))
            if self._now - held[-1][0] <= window:
                return
            del self._held[account]


def _moment(one: tuple[int, Any]) -> int:
    return one[0]
