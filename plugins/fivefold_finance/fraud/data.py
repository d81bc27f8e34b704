"""Transactions of one split as tensors, each with its account's history where the network reads one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Batch, Facts, TableDataset
from fivefold.data.table import Array, Table
from fivefold_finance.fraud.encoding import UNSEEN, Encoded, age
from fivefold_finance.fraud.history import Histories
from fivefold_finance.fraud.judged import account_codes
from fivefold_finance.transactions.schema import Texts, Times, Transactions

CLASSES = ("genuine", "fraud")
UNKNOWN = -1
"""In place of the code of a label that is not known."""


@dataclass(frozen=True)
class TransactionTable(Table):
    """Rows of a split, and the transactions that they and their histories are taken from.

    Attributes:
        whole: all transactions that were read, in order of time; the column ``place`` says which of them a row is.
    """

    whole: Transactions | None = None


class TransactionSamples(TableDataset):
    """``input`` float32 ``(B, F)``, ``categories`` int64 ``(B, S)``, ``target`` float32 ``(B, 1)``.

    With histories they are ``(B, T, F)`` and ``(B, T, S)``, the oldest transaction first and padded with zeros after
    the current one, and ``lengths`` ``(B,)`` says how many there are; the last feature is then the age of each. Also
    ``day`` and ``account``, int64 ``(B,)``, as the metrics read them. Missing numbers and labels are nan.

    Args:
        table: rows of `TransactionTable`.
        whole: all transactions, in order of time.
        encoded: these.
        histories: of these; None where the network sees a transaction alone.
        facts: of the training split.
    """

    def __init__(
        self, table: Table, whole: Transactions, encoded: Encoded, histories: Histories | None, facts: Facts
    ) -> None:
        super().__init__(table, facts)
        self._places = np.asarray(table["place"], dtype=np.int64)
        self._whole = whole
        self._encoded = encoded
        self._histories = histories
        codes = np.asarray(table["label"], dtype=np.float32)
        self._labels = torch.from_numpy(np.where(codes == UNKNOWN, np.nan, codes).astype(np.float32)[:, None])
        self._target = self._labels  # what `targets` gives
        self._day = torch.from_numpy(self.times.astype("datetime64[D]").astype(np.int64))
        self._account = torch.from_numpy(account_codes(self.accounts, len(table)))

    @property
    def units(self) -> Array:
        """The day, hour or account of each, as the fact ``unit`` says, ``(N,)``."""
        return units_of(self.times, self.accounts, str(self._facts.unit))

    @property
    def times(self) -> Times:
        """Instants, datetime64[ns] ``(N,)``."""
        return self._whole.times[self._places]

    @property
    def accounts(self) -> Array | None:
        """Names of the accounts, ``(N,)``, where the source has them."""
        return None if self._whole.accounts is None else self._whole.accounts[self._places]

    @property
    def amounts(self) -> NDArray[np.float64]:
        """Amounts, ``(N,)``."""
        return self._whole.amounts[self._places]

    @property
    def features(self) -> list[str]:
        """The user's column that each feature is made of, ``F`` names."""
        return list(self._facts.columns)

    @property
    def fraud(self) -> NDArray[np.float64]:
        """1 fraud, 0 genuine, nan not known, ``(N,)``."""
        return self._labels[:, 0].double().numpy()

    @property
    def unseen(self) -> int:
        """Cells whose name training did not hold, of all transactions read with these."""
        return self._encoded.unseen

    @property
    def shown(self) -> dict[str, Array]:
        """The user's own values: column to ``(N,)``; names that training did not hold, or too rarely, say so."""
        whole, roles = self._whole, self._whole.roles
        columns = {**whole.numbers, roles.amount: whole.amounts, roles.time: whole.times}
        found = {name: column[self._places] for name, column in columns.items()}
        codes = self._encoded.codes[self._places]
        return found | {
            name: _with_rare_ones(self.category(name), codes[:, place])
            for place, name in enumerate(self._facts.categories)
        }

    def category(self, name: str) -> Texts:
        """The names in one of the columns of categories, ``(N,)``, None where missing."""
        return self._whole.categories[name][self._places]

    def current(self) -> NDArray[np.float32]:
        """Features of the transactions themselves, ``(N, F)`` without ages."""
        return self._encoded.input[self._places]

    def lengths(self) -> Tensor | None:
        """Transactions of each history, ``(N,)``, where there are histories."""
        return None if self._histories is None else torch.from_numpy(self._histories.lengths[self._places])

    def batch(self, indices: Tensor) -> Batch:
        """The transactions at ``indices``."""
        places = self._places[indices.numpy()]
        if self._histories is None:
            found = {"input": torch.from_numpy(self._encoded.input[places])}
            if self._facts.categories:
                found["categories"] = torch.from_numpy(self._encoded.codes[places])
        else:
            steps = self._histories.of_rows(places)
            found = history_batch(self._encoded, steps, self._encoded.moments[places], self._facts)
        return found | {
            "target": self._labels[indices],
            "day": self._day[indices],
            "account": self._account[indices],
        }

    def tensors(self) -> Batch | None:
        """All at once, where there are no histories."""
        return self.batch(torch.arange(len(self))) if self._histories is None else None


def _with_rare_ones(names: Texts, codes: NDArray[np.int64]) -> Texts:
    """``a rare name (s7)`` in place of the names that the network does not tell apart, ``(N,)``."""
    found = names.copy()
    for place in np.flatnonzero(codes == UNSEEN).tolist():
        found[place] = f"a rare name ({'missing' if names[place] is None else names[place]})"
    return found


def history_batch(encoded: Encoded, steps: NDArray[np.int64], now: NDArray[np.int64], facts: Facts) -> Batch:
    """``input`` ``(B, T, F)``, ``categories`` ``(B, T, S)`` and ``lengths`` ``(B,)`` of histories.

    Args:
        encoded: transactions, among them all of the histories.
        steps: their places, ``(B, T)``, -1 where there is none.
        now: when each current transaction was, ns, ``(B,)``.
        facts: of the training split.
    """
    there = steps >= 0
    then = np.where(there, encoded.moments[steps], now[:, None])
    ages = age(then, now[:, None])
    values = np.concatenate([encoded.input[steps], ages[..., None]], axis=2)
    values[~there] = 0
    found = {
        "input": torch.from_numpy(values),
        "lengths": torch.from_numpy(there.sum(axis=1)),
    }
    if facts.categories:
        found["categories"] = torch.from_numpy(encoded.codes[steps] * there[..., None])
    return found


def units_of(times: Times, accounts: Array | None, unit: str) -> Array:
    """The day, hour or account of each transaction, ``(N,)``."""
    if unit == "account" and accounts is not None:
        return np.asarray(accounts).astype(str).astype(object)
    return np.datetime_as_string(times.astype(f"datetime64[{'D' if unit == 'day' else 'h'}]")).astype(object)
