"""Transactions in memory: the one schema that every reader fills and everything else reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.labels import texts

Texts = NDArray[np.object_]
Times = NDArray[np.datetime64]


@dataclass(frozen=True)
class Roles:
    """Which columns of the source hold what; None where there is no such column.

    Attributes:
        time, amount: as named in the source.
        account, label, label_time, id: likewise, if any.
        found: roles that were taken by a usual name and not by the user's word.
    """

    time: str
    amount: str
    account: str | None = None
    label: str | None = None
    label_time: str | None = None
    id: str | None = None
    found: tuple[str, ...] = ()

    @property
    def taken(self) -> frozenset[str]:
        """The columns that have a role."""
        named = (self.time, self.amount, self.account, self.label, self.label_time, self.id)
        return frozenset(name for name in named if name is not None)


@dataclass(frozen=True)
class Transactions:
    """``N`` transactions in order of time; those of equal time stand as in the source.

    Attributes:
        source: what was read.
        roles: the columns they come from.
        times: instants in UTC, datetime64[ns], ``(N,)``; counted from 1970 where the source counts seconds.
        amounts: float64 ``(N,)``, finite.
        accounts: names, ``(N,)``; None where the source has none.
        numbers: column to float64 ``(N,)``, nan where missing; without the amount.
        categories: column to texts ``(N,)``, None where missing.
        labels: 1 fraud, 0 genuine, nan not known, float64 ``(N,)``; None without such a column.
        label_times: when each label became known, datetime64[ns] ``(N,)``, NaT where that is not known.
        ids: names of the transactions, ``(N,)``, or None.
        rows: number of each in the source, int64 ``(N,)``: the line of a CSV file, the row of a Parquet file.
        cautions: what a reader of the report must know.
    """

    source: str
    roles: Roles
    times: Times
    amounts: NDArray[np.float64]
    accounts: Texts | None
    numbers: Mapping[str, NDArray[np.float64]]
    categories: Mapping[str, Texts]
    labels: NDArray[np.float64] | None
    label_times: Times | None
    ids: Texts | None
    rows: NDArray[np.int64]
    cautions: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.times)

    def take(self, rows: NDArray[Any]) -> Transactions:
        """Those at the given places, in that order."""
        changed: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                changed[field.name] = value[rows]
            elif isinstance(value, Mapping):
                changed[field.name] = {name: column[rows] for name, column in value.items()}
        return replace(self, **changed)

    def with_cautions(self, cautions: Sequence[str]) -> Transactions:
        """The same with more cautions."""
        return replace(self, cautions=(*self.cautions, *cautions))

    def where(self, place: int) -> str:
        """File and row of the transaction at ``place``, as messages begin."""
        return f"{self.source}, row {int(self.rows[place])}"

    @property
    def names(self) -> Texts:
        """Names of the transactions, ``(N,)``: their ids, else their rows."""
        if self.ids is not None:
            return self.ids
        return texts([f"row {row}" for row in self.rows.tolist()])
