"""Past, then, latest: splits in order of time, in which training knows no label that was not known yet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fivefold.data.splits import Splits, by_time
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold_finance.fraud.data import UNKNOWN
from fivefold_finance.fraud.history import nanoseconds
from fivefold_finance.transactions.schema import Transactions


def split_by_time(
    table: Table, whole: Transactions, fractions: Sequence[float], delay: float, *, labelled: bool
) -> Splits:
    """Training, validation and test in order of time.

    A label of training is used only where it was known when validation begins, one of validation where it was known
    when test begins: by its own time where the source gives one, else ``delay`` days after its transaction.

    Args:
        table: the rows of ``whole``.
        whole: the transactions.
        fractions: shares of the three.
        delay: days.
        labelled: whether labels are learned from; then rows of training and validation without a known one are
            left out. Otherwise all rows are kept.

    Raises:
        DataError: the rows cannot be split so, or training is left without fraud or without genuine transactions.
    """
    cut = by_time(table, "time", fractions=fractions)
    if not labelled:
        return cut
    val_begins, test_begins = (part["time"].min() for part in (cut.val, cut.test))
    known = known_at(whole, delay)
    train, late = _usable(cut.train, known, val_begins)
    val, later = _usable(cut.val, known, test_begins)
    _check_classes(train, whole)
    told = [
        f"{count:,} labels of {name} were not known when {after} begins and are not used"
        for count, name, after in ((late, "training", "validation"), (later, "validation", "test"))
        if count
    ]
    how = f"{cut.how[:-1]}; {'; '.join(told)}." if told else cut.how
    return Splits(train, val, cut.test, how)


def known_at(whole: Transactions, delay: float) -> NDArray[np.datetime64]:
    """When the label of each transaction became known, datetime64[ns] ``(N,)``."""
    later = whole.times + np.timedelta64(nanoseconds(delay), "ns")
    if whole.label_times is None:
        return later
    return np.where(np.isnat(whole.label_times), later, whole.label_times)


def _usable(table: Table, known: NDArray[np.datetime64], begins: np.datetime64) -> tuple[Table, int]:
    """Rows whose label was known when the next split begins, and how many labels were not."""
    has_label = table["label"] != UNKNOWN
    in_time = known[table["place"]] <= begins
    rows = np.flatnonzero(has_label & in_time)
    if not len(rows):
        raise DataError(
            f"{table.source}: expected labels that were known by {begins}, when the next split begins, found none; "
            "give more data, other --split.train and --split.val, or a smaller --label-delay"
        )
    usable = table.take(rows)
    return usable, int((has_label & ~in_time).sum())


def _check_classes(train: Table, whole: Transactions) -> None:
    counts = np.bincount(train["label"], minlength=2)
    if counts.min() == 0:
        lacking = "fraud" if counts[1] == 0 else "genuine transactions"
        raise DataError(
            f"{train.source}: expected both fraud (1) and genuine transactions (0) in column '{whole.roles.label}' "
            f"of the training rows, found no {lacking} among {len(train):,}; give more data, or learn without "
            "labels by --model.kind autoencoder"
        )
