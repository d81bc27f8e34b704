"""The nearest of many references to each of many queries, in bounded memory.

Shapes: ``N`` queries, ``M`` references, ``D`` numbers a sample, ``K`` neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.distances import NUMBERS, distance_blocks
from fivefold.evaluation.metric import Values


@dataclass(frozen=True)
class Nearest:
    """References by their distance from each query, the nearest first.

    Attributes:
        distances: Euclidean, float64 ``(N, K)``.
        indices: which references, int64 ``(N, K)``.
    """

    distances: Values
    indices: NDArray[np.int64]


def nearest(queries: Array, references: Array, *, count: int = 1) -> Nearest:
    """Brute force in float32, then the distances of those found in float64, so that of an equal one it is zero.

    Args:
        queries: ``(N, D)``, of any type of number.
        references: ``(M, D)``, at least ``count``.
        count: neighbours, ``K``.
    """
    best = np.full((len(queries), count), np.inf, dtype=np.float32)
    indices = np.zeros((len(queries), count), dtype=np.int64)
    size = max(1, NUMBERS // max(1, references.shape[1]))
    for start in range(0, len(references), size):
        part = references[start : start + size]
        taken = min(count, len(part))
        for rows, distances in distance_blocks(queries, part):
            places = np.argpartition(distances, taken - 1, axis=1)[:, :taken]
            found = np.concatenate([best[rows], np.take_along_axis(distances, places, axis=1)], axis=1)
            known = np.concatenate([indices[rows], start + places], axis=1)
            order = np.argsort(found, axis=1, kind="stable")[:, :count]
            best[rows] = np.take_along_axis(found, order, axis=1)
            indices[rows] = np.take_along_axis(known, order, axis=1)
    return _exact(queries, references, indices)


def _exact(queries: Array, references: Array, indices: NDArray[np.int64]) -> Nearest:
    exact = np.empty(indices.shape)
    size = max(1, NUMBERS // (8 * max(1, indices.shape[1] * references.shape[1])))
    for start in range(0, len(queries), size):
        rows = slice(start, start + size)
        apart = references[indices[rows]].astype(np.float64) - queries[rows, None].astype(np.float64)
        exact[rows] = np.sqrt((apart**2).sum(axis=2))
    order = np.argsort(exact, axis=1, kind="stable")
    return Nearest(np.take_along_axis(exact, order, axis=1), np.take_along_axis(indices, order, axis=1))
