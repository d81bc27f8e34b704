"""What transactions say together: names that differ, rows that repeat."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from fivefold.errors import DataError
from fivefold_finance.transactions.schema import Texts, Transactions


def check(found: Transactions, *, drop_duplicates: bool = False) -> Transactions:
    """The same, with a caution for rows that repeat earlier ones in every column; these are left out on request.

    Raises:
        DataError: two transactions have one id.
    """
    _check_ids(found)
    repeats = repeated(row_keys(found, with_label=True))
    count = int(repeats.sum())
    if not count:
        return found
    first = int(found.rows[int(np.argmax(repeats))])
    many = "row repeats" if count == 1 else "rows repeat"
    told = f"{count:,} {many} an earlier one in every column, the first of them in row {first};"
    if drop_duplicates:
        return found.take(np.flatnonzero(~repeats)).with_cautions([f"{told} they were left out."])
    return found.with_cautions(
        [f"{told} they are kept, as two payments may be alike; --drop-duplicates leaves them out."]
    )


def row_keys(found: Transactions, *, with_label: bool = False) -> Texts:
    """A digest of the content of each transaction, its id aside, ``(N,)``: equal ones are exact duplicates.

    Args:
        found: the transactions.
        with_label: whether rows that differ in their label alone differ.
    """
    numeric: list[NDArray[np.float64]] = [
        found.times.astype(np.int64).view(np.float64),
        found.amounts,
        *found.numbers.values(),
    ]
    if with_label and found.labels is not None:
        numeric.append(found.labels)
    block = np.ascontiguousarray(np.stack(numeric, axis=1)) + 0.0  # -0.0 is 0.0
    block[:, 0] = numeric[0]
    rows = block.view(np.uint8).reshape(len(found), -1)
    texts = [column for column in (found.accounts, *found.categories.values()) if column is not None]
    keys = np.empty(len(found), dtype=object)
    for place in range(len(found)):
        digest = hashlib.blake2b(rows[place].data, digest_size=16)
        for column in texts:
            digest.update(repr(column[place]).encode())
        keys[place] = digest.digest()
    return keys


def repeated(keys: Texts) -> NDArray[np.bool_]:
    """Whether each key stood before, ``(N,)``."""
    seen: set[object] = set()
    again = np.zeros(len(keys), dtype=bool)
    for place, key in enumerate(keys):
        again[place] = key in seen
        seen.add(key)
    return again


def _check_ids(found: Transactions) -> None:
    if found.ids is None:
        return
    again = repeated(found.ids)
    if again.any():
        place = int(np.argmax(again))
        first = int(np.argmax(found.ids == found.ids[place]))
        raise DataError(
            f"{found.where(place)}: expected ids that differ in column '{found.roles.id}', found "
            f"'{found.ids[place]}' for "
            f"the second time, after row {int(found.rows[first])}; mend it, or take another column by --columns.id"
        )
