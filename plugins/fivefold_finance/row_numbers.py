"""Columns that only number the rows, as R and pandas write them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NAMES = {"", "index", "rownames", "unnamed: 0", "__index_level_0__"}


def may_number_rows(name: str) -> bool:
    """Whether the name of a column is a usual one of an index, or none."""
    return name.lower() in _NAMES


def are_row_numbers(numbers: NDArray[np.float64]) -> bool:
    """Whether they are consecutive whole numbers, at least one, shape ``(T,)``."""
    return bool(len(numbers) and numbers[0] % 1 == 0 and (np.diff(numbers) == 1).all())


def called(name: str, place: int) -> str:
    """What a note calls the column at ``place``, from 0."""
    return f"the column '{name}'" if name else f"column {place + 1}, which has no name,"
