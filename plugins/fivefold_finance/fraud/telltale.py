"""Columns that alone tell frauds from the rest: often what was written down only after the fraud was known."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fivefold.evaluation.classification_metrics import weighted_auroc
from fivefold_finance.transactions.schema import Texts, Transactions

TELLING = 0.99
"""From this AUROC on, a column alone tells."""

FEWEST = 10
"""Frauds, and genuine transactions, of which an AUROC is taken, at least: fewer are told apart by chance."""

MOST = 50_000
"""Frauds, and genuine transactions, that are looked at, at most, spread evenly in time."""

NAMED = 5
"""Columns that are named, at most."""


class Telltale(NamedTuple):
    """A column, and the AUROC that it alone has."""

    name: str
    area: float


def telltales(train: Transactions) -> list[Telltale]:
    """The columns of the training split that alone have an AUROC of 0.99 or more, the highest first.

    Numbers are scores themselves, whichever way round, and so is whether they are missing. Names are scored by the
    share of frauds that they have in the first half in time, and judged on the second.

    Args:
        train: in order of time; without labels, or with too few, nothing is found.
    """
    if train.labels is None:
        return []
    rows = _spread(train.labels)
    fraud = train.labels[rows] == 1
    found = [
        Telltale(name, _either_way(column[rows], fraud))
        for name, column in {**train.numbers, train.roles.amount: train.amounts}.items()
    ]
    found += [Telltale(name, _of_names(column[rows], fraud)) for name, column in train.categories.items()]
    return sorted((one for one in found if one.area >= TELLING), key=lambda one: -one.area)


def told_telltales(train: Transactions) -> list[str]:
    """A sentence on each of these columns, and what to do about it."""
    found = telltales(train)
    return [*_sentences(found[:NAMED], train.roles.amount), *_others(found[NAMED:])]


def _sentences(found: list[Telltale], amount: str) -> Iterator[str]:
    for name, area in found:
        way = (
            "name another column by --columns.amount"
            if name == amount
            else f"leave it out by --columns.ignore {shlex.quote(name)}"
        )
        yield (
            f"'{name}' alone tells frauds from the rest (AUROC {area:.3f} in training): if it is known only "
            f"afterwards, {way}."
        )


def _others(found: list[Telltale]) -> Iterator[str]:
    if found:
        yield f"So do {len(found)} more columns: {', '.join(repr(name) for name, _ in found)}."


def _spread(labels: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows of known label in order, of each label as many as are looked at."""
    kinds = [np.flatnonzero(labels == kind) for kind in (0, 1)]
    some = [rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST)).astype(np.int64)] for rows in kinds]
    return np.sort(np.concatenate(some))


def _either_way(values: NDArray[np.float64], fraud: NDArray[np.bool_]) -> float:
    """AUROC of numbers, higher or lower ones being suspicious, missing ones more or less than all others."""
    if not _enough(fraud):
        return 0.0
    areas = [_area(np.where(np.isnan(values), end, values), fraud) for end in (-np.inf, np.inf)]
    return max(max(area, 1 - area) for area in areas)


def _of_names(names: Texts, fraud: NDArray[np.bool_]) -> float:
    """AUROC in the second half of the share of frauds that each name has in the first; new names have that of all."""
    half = _middle(fraud)
    if not _enough(fraud[half:]) or not fraud[:half].any() or fraud[:half].all():
        return 0.0
    codes: dict[str | None, int] = {}
    places = np.array([codes.setdefault(name, len(codes)) for name in names.tolist()], dtype=np.int64)
    counts = np.bincount(places[:half], minlength=len(codes))
    frauds = np.bincount(places[:half], fraud[:half], minlength=len(codes))
    scores = (frauds + fraud[:half].mean()) / (counts + 1)
    return _area(scores[places[half:]], fraud[half:])


def _middle(fraud: NDArray[np.bool_]) -> int:
    """Where half of the frauds have been."""
    return int(np.searchsorted(np.cumsum(fraud), (fraud.sum() + 1) // 2)) + 1


def _enough(fraud: NDArray[np.bool_]) -> bool:
    return min(int(fraud.sum()), int((~fraud).sum())) >= FEWEST


def _area(scores: NDArray[np.float64], fraud: NDArray[np.bool_]) -> float:
    return float(weighted_auroc(scores, fraud, np.ones((len(scores), 1)))[0])
