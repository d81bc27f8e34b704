"""Probable label errors by confident learning (Northcutt, Jiang and Chuang 2021).

A sample is suspect when the model, which has not seen it, is at least as sure of another class as it usually
is of that class's own samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fivefold.data.table import Array


@dataclass(frozen=True)
class Suspect:
    """A sample whose label is probably wrong.

    Attributes:
        index: its place among the samples.
        given: code of the label it carries.
        suggested: code of the class it seems to belong to.
        margin: probability of the suggested class minus that of the given one.
    """

    index: int
    given: int
    suggested: int
    margin: float


def suspects(probabilities: Array, target: Array) -> tuple[Suspect, ...]:
    """Samples off the diagonal of the confident joint, the clearest first.

    Args:
        probabilities: held-out class probabilities, shape ``(N, C)``.
        target: given codes, shape ``(N,)``; negative ones (no label) are passed over.
    """
    rows = np.flatnonzero(target >= 0)
    probabilities, given = np.asarray(probabilities, dtype=np.float64)[rows], target[rows]
    classes = probabilities.shape[1]
    counts = np.bincount(given, minlength=classes)
    own = np.take_along_axis(probabilities, given[:, None], axis=1)[:, 0]
    # How sure the model usually is of a class, on samples that carry it; one without any is never suggested.
    usual = np.where(
        counts > 0, np.bincount(given, weights=own, minlength=classes) / np.maximum(counts, 1), np.inf
    )
    confident = np.where(probabilities >= usual, probabilities, -1.0)
    suggested = confident.argmax(axis=1)
    best = confident.max(axis=1)
    off = np.flatnonzero((best >= 0) & (suggested != given) & (best > own))
    off = off[np.argsort(own[off] - best[off], kind="stable")]
    return tuple(
        Suspect(int(rows[place]), int(given[place]), int(suggested[place]), float(best[place] - own[place]))
        for place in off
    )
