"""Cross-validation: each sample stands in the test split of exactly one of several trainings."""

from __future__ import annotations

from typing import Literal

import numpy as np

from fivefold.data.partition import group_parts, stratified_parts
from fivefold.data.splits import Splits
from fivefold.data.table import Table
from fivefold.errors import DataError

_STREAM = 0xF01D  # beside the seed's other uses


def cross_validation_split(table: Table, folds: int, fold: int, *, seed: int) -> Splits:
    """The splits in which part ``fold`` is the test split, the next one validation, and the rest training.

    Parts are equal in size and mix of classes; samples of one group (patient, author) stay in one part.
    Validation is taken from the others, so that nothing is chosen by the test split (Kohavi 1995).

    Args:
        table: the rows; a split that the source gives is passed over.
        folds: parts, three or more.
        fold: which one is tested, from 0.
        seed: of the random choice; the parts of all folds follow from it.

    Raises:
        DataError: rows in order of time, or fewer rows or groups than parts.
    """
    if table.time is not None:
        raise DataError(
            f"{table.source}: rows with a time ('{table.time}') cannot be cut into folds at random, because "
            "training would then see the future; leave --folds away"
        )
    kind: Literal["groups", "rows"] = "rows" if table.units is None else "groups"
    count = len(table) if table.units is None else len(np.unique([str(unit) for unit in table.units]))
    if count < folds:
        raise DataError(
            f"{table.source}: {count} {kind} are too few for {folds} folds; expected at least one in each, "
            "lower --folds"
        )
    generator = np.random.default_rng([seed, _STREAM])
    shares = [1 / folds] * folds
    codes = np.asarray(table[table.label]) if table.classes and table.label is not None else None
    if table.units is None:
        parts = stratified_parts(np.zeros(len(table)) if codes is None else codes, shares, generator)
    else:
        units = np.array([str(unit) for unit in table.units])
        parts = group_parts(units, codes, shares, generator)
    tested, validated = fold, (fold + 1) % folds
    train = np.sort(
        np.concatenate([part for number, part in enumerate(parts) if number not in {tested, validated}])
    )
    names = f"{len(train):,} training, {len(parts[validated]):,} validation, {len(parts[tested]):,} test"
    by = f" by '{table.group}'" if table.group is not None else ""
    how = f"Fold {fold} of {folds}, cut{by} at random (seed {seed}): {names}."
    return Splits(table.take(train), table.take(parts[validated]), table.take(parts[tested]), how)
