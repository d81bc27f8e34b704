"""Transactions as numbers: what networks and baselines read. Only the facts of the training split decide how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.dataset import Facts
from fivefold_finance.transactions.build import Expected
from fivefold_finance.transactions.options import ColumnsConfig
from fivefold_finance.transactions.schema import Texts, Times, Transactions

UNSEEN = 0
"""Code of a name that training did not hold, or too rarely."""

MISSING = ""
"""In place of a name that is missing, which is a name like others."""

_NANOSECONDS_A_DAY = 86_400_000_000_000
_MOST_NAMES = 20_000
_TOLD = 5  # columns of rare names, at most
_NEARLY_ALL = 0.95  # share of rows whose names are learned, from which on nothing is told


@dataclass(frozen=True)
class Encoded:
    """``N`` transactions.

    Attributes:
        input: float32 ``(N, F)``, nan where missing, in the order of the fact ``columns`` (the age of a history's
            steps aside, which depends on whose history it is).
        codes: int64 ``(N, S)``, in the order of the fact ``categories``.
        moments: nanoseconds since 1970, int64 ``(N,)``.
        unseen: cells whose name training did not hold, of the columns of which it holds names.
    """

    input: NDArray[np.float32]
    codes: NDArray[np.int64]
    moments: NDArray[np.int64]
    unseen: int


def vocabulary(train: Transactions, rare: int) -> dict[str, list[str]]:
    """The names of each category that occur at least ``rare`` times, the most frequent first; code 1 is the first."""
    found = {}
    for name, column in train.categories.items():
        counts = Counter(MISSING if cell is None else cell for cell in column)
        often = [(text, count) for text, count in counts.items() if count >= rare]
        often.sort(key=lambda pair: (-pair[1], pair[0]))
        found[name] = [text for text, _ in often[:_MOST_NAMES]]
    return found


def rare_names(train: Transactions, facts: Facts, rare: int) -> list[str]:
    """Sentences on names that occur in training, and less than ``rare`` times; none where nearly all rows have others.

    Args:
        train: the training split.
        facts: what was learned of it, the names among it.
        rare: how often is enough.
    """
    mute = [name for name, known in facts.categories.items() if not known]
    found = []
    if mute:
        columns = ", ".join(f"'{name}'" for name in mute)
        told = f"No name in {columns} occurs {rare:,} times in training, so that nothing is learned there"
        found.append(f"{told}; --rare says how often is enough.")
    partly = []
    for name, known in facts.categories.items():
        counts = Counter(MISSING if cell is None else cell for cell in train.categories[name])
        share = sum(counts[text] for text in known) / max(1, len(train))
        if known and share < _NEARLY_ALL:
            partly.append((share, name, len(counts), len(known)))
    if partly:
        listed = "; ".join(
            f"of {names:,} names in '{name}' {known:,} {'is' if known == 1 else 'are'} learned, which "
            f"{100 * share:.0f} % of the rows have"
            for share, name, names, known in sorted(partly)[:_TOLD]
        )
        more = f"; so it is of {len(partly) - _TOLD} columns more" if len(partly) > _TOLD else ""
        found.append(
            f"{listed[0].upper()}{listed[1:]}{more}: names that occur less than {rare:,} times in training count as "
            "unseen; --rare says how often is enough."
        )
    return found


def expected_of(facts: Facts) -> Expected:
    """The columns that a model with these facts reads."""
    return Expected(tuple(facts.numbers), tuple(facts.categories))


def trained_roles(facts: Facts, columns: ColumnsConfig) -> list[str]:
    """Roles whose columns are called as in training."""
    return [role for role, name in facts.roles.items() if getattr(columns, role) == name]


def column_names(train: Transactions, *, time_of_day: bool, aged: bool) -> list[str]:
    """The user's column that each feature is made of, ``F`` names."""
    names = [*train.numbers, train.roles.amount]
    return [*names, *[train.roles.time] * (2 * time_of_day + aged)]


def encode(found: Transactions, facts: Facts) -> Encoded:
    """Features and codes of transactions."""
    parts = [*(found.numbers[name] for name in facts.numbers), found.amounts]
    moments = found.times.astype("datetime64[ns]").astype(np.int64)
    if facts.time_of_day:
        parts += time_of_day(found.times)
    codes, unseen = _codes(found.categories, facts.categories, len(found))
    return Encoded(np.stack(parts, axis=1).astype(np.float32), codes, moments, unseen)


def time_of_day(times: Times) -> list[NDArray[np.float64]]:
    """Sine and cosine of the hour's place on the clock (UTC), ``(N,)`` each."""
    moments = times.astype("datetime64[ns]").astype(np.int64)
    angle = 2 * np.pi * (moments % _NANOSECONDS_A_DAY) / _NANOSECONDS_A_DAY
    return [np.sin(angle), np.cos(angle)]


def age(moments: NDArray[np.int64], now: NDArray[np.int64]) -> NDArray[np.float32]:
    """How long ago earlier transactions were, as the logarithm of 1 plus the seconds."""
    return np.log1p((now - moments) / 1e9).astype(np.float32)


def _codes(
    columns: Mapping[str, Texts], names: Mapping[str, Sequence[str]], count: int
) -> tuple[NDArray[np.int64], int]:
    codes = np.zeros((count, len(names)), dtype=np.int64)
    taught = np.array([bool(known) for known in names.values()], dtype=bool)
    for place, (name, known) in enumerate(names.items()):
        code: dict[Any, int] = {text: number for number, text in enumerate(known, start=1)}
        code[None] = code.get(MISSING, UNSEEN)
        codes[:, place] = [code.get(cell, UNSEEN) for cell in columns[name]]
    return codes, int((codes[:, taught] == UNSEEN).sum())
