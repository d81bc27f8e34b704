"""Squared Euclidean distances of many samples to many others, a block of rows at a time.

Products are in float32, around the mean of the second set; what is left of a distance below their rounding is zero.
Shapes: ``N`` rows, ``M`` columns, ``D`` numbers a sample.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fivefold.data.table import Array

CELLS = 2**22
"""Distances of a block: 16 MB."""
NUMBERS = 2**25
"""Numbers of the samples that a block looks at, on either side: 128 MB."""

_ROUNDING = 8 * float(np.finfo(np.float32).eps)
"""Of a squared distance, as a share of the squared lengths of both samples."""


def distance_blocks(first: Array, second: Array) -> Iterator[tuple[slice, Array]]:
    """Rows of ``first``, and their squared distances to all of ``second``: float32, (rows, ``M``).

    Args:
        first: ``(N, D)``.
        second: ``(M, D)``.
    """
    centre = np.asarray(second.mean(axis=0, dtype=np.float64), dtype=np.float32)
    columns = second.astype(np.float32) - centre
    lengths = (columns**2).sum(axis=1)
    size = max(1, min(CELLS // max(1, len(second)), NUMBERS // max(1, first.shape[1])))
    for start in range(0, len(first), size):
        rows = slice(start, start + size)
        part = first[rows].astype(np.float32) - centre
        both = (part**2).sum(axis=1)[:, None] + lengths
        distances = both - 2 * (part @ columns.T)
        distances[distances <= _ROUNDING * both] = 0
        yield rows, distances
