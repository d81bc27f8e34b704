"""Training, validation and test rows, decided by the source, by group, by time, or at random."""

from __future__ import annotations

from dataclasses import dataclass

from fivefold.data.table import Table


@dataclass(frozen=True)
class Splits:
    """Three tables and the sentence that says how they came about."""

    train: Table
    val: Table
    test: Table
    how: str
