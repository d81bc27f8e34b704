"""Samples that could not be read: how many are too many."""

from __future__ import annotations

from fivefold.data.table import Table
from fivefold.errors import DataError


def refuse_problems(table: Table, share: float) -> None:
    """Raise where more than ``share`` of the samples could not be read.

    Raises:
        DataError: with the first of them and how many there are.
    """
    bad, total = len(table.problems), len(table.problems) + len(table)
    if bad <= share * total:
        return
    more = f" ({bad - 1:,} more of {total:,} cannot be read either)" if bad > 1 else ""
    raise DataError(
        f"{table.problems[0].reason}{more}; --max-bad-share allows a share of such samples to be left out of a training"
    )


def refuse_any_problem(table: Table) -> None:
    """Refuse inputs of which one could not be read: nobody would miss its prediction.

    Raises:
        DataError: there is one; the message is the first one's.
    """
    if table.problems:
        more = f" (the first of {len(table.problems):,} such inputs)" if len(table.problems) > 1 else ""
        raise DataError(f"{table.problems[0].reason}{more}")
