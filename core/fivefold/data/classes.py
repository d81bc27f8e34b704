"""Whether classes can be learned from a table at all."""

from __future__ import annotations

import numpy as np

from fivefold.data.table import Table
from fivefold.errors import DataError

_FEWEST = 2


def require_two_classes(table: Table, what: str) -> None:
    """Refuse labelled samples that teach nothing.

    Args:
        table: the samples, with a column of class codes.
        what: they are, in the plural.

    Raises:
        DataError: there is no sample, or all are of one class.
    """
    codes = np.unique(table[str(table.label)])
    if len(codes) >= _FEWEST:
        return
    found = f"only '{table.classes[int(codes[0])]}'; add another class" if len(codes) else "none"
    raise DataError(f"{table.source}: expected {what} of two classes or more, found {found}")
