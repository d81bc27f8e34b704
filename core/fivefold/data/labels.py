"""Labels and texts as columns: what every reader does alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array


def texts(values: Sequence[str]) -> Array:
    """Strings as a column, shape ``(N,)``."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def encode_labels(labels: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Codes, shape ``(N,)``, and class names in order: of the alphabet, or of value where all are numbers."""
    names = sorted(set(labels), key=_natural if all(label.isdecimal() for label in labels) else str)
    code = {name: number for number, name in enumerate(names)}
    return np.array([code[label] for label in labels], dtype=np.int64), tuple(names)


def _natural(name: str) -> tuple[int, str]:
    return int(name), name
