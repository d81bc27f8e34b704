"""Cut rows into parts of given shares: by class, by unit or by time. What `fivefold.data.splits` is made of.

Every function returns one array of row numbers a share, which together hold each row exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array

Rows = NDArray[np.int64]


def stratified_parts(codes: Array, fractions: Sequence[float], generator: np.random.Generator) -> list[Rows]:
    """Random parts with the same mix of classes.

    Each class is cut in the given shares; what rounding leaves over is carried to the next class, so that the
    parts' total sizes are right too. A class with at least one row for each part stands in every part; a
    class with fewer goes to the first part, then the last.

    Args:
        codes: class of each row, shape ``(N,)``; all equal for parts at random.
        fractions: shares of the parts, which sum to 1.
        generator: decides which rows go where.
    """
    shares = np.asarray(fractions, dtype=np.float64)
    parts: list[list[Rows]] = [[] for _ in shares]
    carry = np.zeros(len(shares))
    order = generator.permutation(len(codes))
    _, inverse = np.unique(codes, return_inverse=True)
    by_class = order[np.argsort(inverse[order], kind="stable")]
    for rows in np.split(by_class, np.cumsum(np.bincount(inverse))[:-1]):
        desired = len(rows) * shares + carry
        sizes = _at_least_one(_rounded(desired, len(rows)), shares)
        carry = desired - sizes
        for part, chosen in zip(parts, np.split(rows, np.cumsum(sizes)[:-1]), strict=True):
            part.append(chosen)
    return [np.sort(np.concatenate(part)) for part in parts]


def _rounded(desired: NDArray[np.float64], total: int) -> Rows:
    """Whole numbers that sum to ``total`` and are as near to ``desired`` as can be."""
    sizes = np.maximum(np.floor(desired), 0).astype(np.int64)
    while sizes.sum() < total:
        sizes[np.argmax(desired - sizes)] += 1
    while sizes.sum() > total:
        sizes[np.argmin(np.where(sizes > 0, desired - sizes, np.inf))] -= 1
    return sizes


def _at_least_one(sizes: Rows, shares: NDArray[np.float64]) -> Rows:
    """``sizes`` with one for each part that has a share; the first and the last part come first."""
    last = len(sizes) - 1
    for part in sorted(range(len(sizes)), key=lambda part: (part != 0, part != last)):
        if sizes[part] == 0 and shares[part] > 0 and sizes.max() > 1:
            sizes[np.argmax(sizes)] -= 1
            sizes[part] = 1
    if sizes[0] == 0 and shares[0] > 0:  # a class of one row: training gets it
        sizes[:] = 0
        sizes[0] = 1
    return sizes


def group_parts(
    units: Array, codes: Array | None, fractions: Sequence[float], generator: np.random.Generator
) -> list[Rows]:
    """Parts that share no unit, near the given shares in rows and in every class.

    Units are dealt in random order, each to the part where it brings rows and classes nearest to their
    shares; the best of several deals is taken. Every part gets a unit where there are as many units as parts.

    Args:
        units: independent unit of each row, shape ``(N,)``.
        codes: class of each row, shape ``(N,)``, or None where only sizes count.
        fractions: shares of the parts, which sum to 1.
        generator: decides the order of units.
    """
    names, unit_of = np.unique(units, return_inverse=True)
    _, class_of = (
        np.unique(codes, return_inverse=True) if codes is not None else (None, np.zeros_like(unit_of))
    )
    counts = np.zeros((len(names), int(class_of.max()) + 1))
    np.add.at(counts, (unit_of, class_of), 1)
    trials = max(1, min(16, 20_000 // len(names)))
    deals = [_deal(counts, np.asarray(fractions), generator.permutation(len(names))) for _ in range(trials)]
    _, part_of = min(deals, key=lambda deal: deal[0])
    return [np.flatnonzero(part_of[unit_of] == part) for part in range(len(fractions))]


def _deal(counts: NDArray[np.float64], shares: NDArray[np.float64], order: Rows) -> tuple[float, Rows]:
    """Deal units in ``order``; the distance from the shares (0 is exact) and each unit's part.

    Args:
        counts: rows of each unit in each class, shape ``(units, classes)``.
        shares: share of each part, shape ``(parts,)``.
        order: units in the order of dealing.
    """
    totals = counts.sum(0)
    missing = shares[:, None] * totals
    weights = 1 / (shares[:, None] * totals)
    part_of = np.zeros(len(counts), dtype=np.int64)
    for unit in order:
        # (missing - count)^2 - missing^2, summed over classes: how much nearer each part comes to its share
        gain = (weights * counts[unit] * (2 * missing - counts[unit])).sum(1)
        part_of[unit] = part = int(np.argmax(gain))
        missing[part] -= counts[unit]
    _fill_empty(part_of, counts.sum(1), len(shares))
    reached = np.stack([counts[part_of == part].sum(0) for part in range(len(shares))])
    return float((weights * (reached - shares[:, None] * totals) ** 2).sum()), part_of


def _fill_empty(part_of: Rows, sizes: NDArray[np.float64], parts: int) -> None:
    """Give each part without a unit the smallest unit of the part that has most."""
    for part in range(parts):
        if part in part_of:
            continue
        donor = int(np.argmax(np.bincount(part_of, minlength=parts)))
        candidates = np.flatnonzero(part_of == donor)
        part_of[candidates[np.argmin(sizes[candidates])]] = part


def time_parts(times: Array, fractions: Sequence[float]) -> list[Rows]:
    """Parts one after the other in time; rows of equal time stay together, and each part is in order of time.

    Args:
        times: time of each row, shape ``(N,)``, of a type that sorts, with at least as many values as parts.
        fractions: shares of the parts, which sum to 1.
    """
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])  # rows where a new time begins
    cuts: list[int] = []
    for number, wanted in enumerate(np.cumsum(fractions)[:-1] * len(times), start=1):
        nearest = int(np.argmin(np.abs(starts - wanted)))
        lowest = cuts[-1] + 1 if cuts else 1
        highest = len(starts) - (len(fractions) - number)  # leave a time for every later part
        cuts.append(min(max(nearest, lowest), highest))
    return np.split(order, starts[cuts])
