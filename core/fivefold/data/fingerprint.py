"""Keys by which equal and nearly equal samples are found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array, Table


@dataclass(frozen=True)
class Fingerprints:
    """Keys of ``N`` samples.

    Attributes:
        exact: object or bytes array, shape ``(N,)``: equal keys mean equal samples.
        near: uint8 array, shape ``(N, bytes)``: a small Hamming distance means nearly equal samples; or None.
        near_distance: the largest number of differing bits that counts as nearly equal.
    """

    exact: Array
    near: NDArray[np.uint8] | None = None
    near_distance: int = 0


def row_fingerprints(table: Table) -> Fingerprints:
    """Exact keys from the bytes of every column that is an input (not id, label, group, time or split)."""
    roles = {"id", table.label, table.group, table.time, table.split}
    inputs = [column for name, column in sorted(table.columns.items()) if name not in roles]
    keys = np.empty(len(table), dtype=object)
    for row in range(len(table)):
        digest = hashlib.blake2b(digest_size=16)
        for column in inputs:
            value = column[row]
            encoded = value.tobytes() if isinstance(value, (np.ndarray, np.generic)) else repr(value).encode()
            digest.update(encoded)
            digest.update(b"\x1f")
        keys[row] = digest.digest()
    return Fingerprints(exact=keys)
