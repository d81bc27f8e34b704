"""Which rows of one set of vectors lie near a row of another, exactly, without comparing each with each.

A rotation onto the principal axes puts most of the distance into a few coordinates. A distance in those few
is never larger than the whole, so a tree over them finds every candidate, and the whole vectors decide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_AXES = 10  # trees lose their use in more dimensions
_SAMPLE = 2048  # vectors that the axes are computed from
_BLOCK = 256  # queries at a time, so that memory is bounded where everything is near everything
_PAIRS = 1 << 16  # candidates compared at a time
_TELLING = 0.5  # share of the variance from which a tree over the leading directions leaves few candidates

Vectors = NDArray[np.float32]


def near_rows(queries: Vectors, vectors: Vectors, distance: float) -> NDArray[np.int64]:
    """For each query the row of its nearest vector, if that lies within ``distance``.

    Args:
        queries: shape ``(Q, D)``; rows with NaN are near nothing.
        vectors: shape ``(N, D)``; rows with NaN are near nothing.
        distance: Euclidean.

    Returns:
        Rows of ``vectors``, shape ``(Q,)``; -1 where none is near.
    """
    found = np.full(len(queries), -1, dtype=np.int64)
    asked = np.flatnonzero(np.isfinite(queries).all(1))
    known = np.flatnonzero(np.isfinite(vectors).all(1))
    if not len(asked) or not len(known):
        return found
    axes, share = _principal_axes(queries[asked], vectors[known])
    if share < _TELLING:
        return _by_products(queries, vectors, asked, known, distance, found)
    from sklearn.neighbors import KDTree  # noqa: PLC0415 - slow, and not always needed

    tree = KDTree(vectors[known] @ axes)
    reach = distance + 1e-5  # float32 rounding must lose nobody
    for start in range(0, len(asked), _BLOCK):
        rows = asked[start : start + _BLOCK]
        candidates = tree.query_radius(queries[rows] @ axes, reach)
        for row, near in zip(rows, candidates, strict=True):
            found[row] = _nearest(queries[row], vectors, known[near], distance)
    return found


def _by_products(
    queries: Vectors,
    vectors: Vectors,
    asked: NDArray[np.int64],
    known: NDArray[np.int64],
    distance: float,
    found: NDArray[np.int64],
) -> NDArray[np.int64]:
    """`near_rows` for vectors that no few directions tell apart (bits of hashes): all pairs, by matrix products."""
    there = vectors[known]
    lengths = (there**2).sum(1)
    for start in range(0, len(asked), _BLOCK):
        rows = asked[start : start + _BLOCK]
        here = queries[rows]
        squared = (here**2).sum(1)[:, None] + lengths - 2 * here @ there.T
        nearest = squared.argmin(1)
        apart = np.linalg.norm(here - there[nearest], axis=1)  # products round more
        found[rows] = np.where(apart <= distance, known[nearest], -1)
    return found


def _nearest(query: Vectors, vectors: Vectors, candidates: NDArray[np.int64], distance: float) -> int:
    """The candidate nearest to ``query``, or -1 where none is within ``distance``."""
    best, least = -1, distance
    for start in range(0, len(candidates), _PAIRS):
        rows = candidates[start : start + _PAIRS]
        apart = np.linalg.norm(vectors[rows] - query, axis=1)
        nearest = int(np.argmin(apart))
        if apart[nearest] <= least:
            best, least = int(rows[nearest]), float(apart[nearest])
    return best


def _principal_axes(queries: Vectors, vectors: Vectors) -> tuple[Vectors, float]:
    """The directions in which the vectors differ most, ``(D, axes)``, orthonormal; and their share of all variance."""
    both = [values[:: max(1, len(values) // _SAMPLE)] for values in (queries, vectors)]
    sample = np.concatenate(both).astype(np.float64)
    sample -= sample.mean(0)
    variances, directions = np.linalg.eigh(sample.T @ sample)  # in order of growing variance
    axes: Vectors = directions[:, -_AXES:].astype(np.float32)
    total = float(variances.sum())
    return axes, float(variances[-_AXES:].sum()) / total if total > 0 else 1.0
