from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.config import PipelineConfig, resolve
from fivefold.data.folds import cross_validation_split
from fivefold.data.table import Table
from fivefold.errors import ConfigError, DataError


def table(count: int, *, group: bool = False, time: bool = False) -> Table:
    columns = {"value": np.arange(count), "label": np.arange(count) % 2}
    if group:
        columns["patient"] = np.array([f"p{number // 3}" for number in range(count)], dtype=object)
    if time:
        columns["day"] = np.arange(count)
    return Table(
        columns, source="here", label="label", classes=("a", "b"),
        group="patient" if group else None, time="day" if time else None,
    )  # fmt: skip


@given(count=st.integers(20, 200), folds=st.integers(3, 10), seed=st.integers(0, 1000), group=st.booleans())
def test_every_row_is_tested_once_and_no_group_crosses(
    count: int, folds: int, seed: int, *, group: bool
) -> None:
    rows = table(count, group=group)
    if group and len(set(rows["patient"])) < folds:
        return
    tested: list[int] = []
    for fold in range(folds):
        splits = cross_validation_split(rows, folds, fold, seed=seed)
        parts = [set(part["value"].tolist()) for part in (splits.train, splits.val, splits.test)]
        assert sum(map(len, parts)) == count == len(set.union(*parts))
        tested += splits.test["value"].tolist()
        if group:
            units = [set(part["patient"]) for part in (splits.train, splits.val, splits.test)]
            assert sum(map(len, units)) == len(set.union(*units))
    assert sorted(tested) == list(range(count))


def test_parts_have_the_same_mix_of_classes() -> None:
    for fold in range(10):
        test = cross_validation_split(table(1000), 10, fold, seed=0).test
        assert np.bincount(test["label"]).tolist() == [50, 50]


def test_the_sentence_says_which_fold() -> None:
    assert cross_validation_split(table(100), 5, 2, seed=1).how.startswith(
        "Fold 2 of 5, cut at random (seed 1)"
    )


@pytest.mark.parametrize(
    ("rows", "folds", "message"),
    [
        (table(4), 5, "4 rows are too few for 5 folds"),
        (table(9, group=True), 4, "3 groups are too few for 4 folds"),
        (table(30, time=True), 3, "training would then see the future"),
    ],
)
def test_rows_that_cannot_be_cut(rows: Table, folds: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        cross_validation_split(rows, folds, 0, seed=0)


def test_a_fold_beyond_the_folds_is_refused() -> None:
    with pytest.raises(ConfigError, match="'fold' must be below 'folds'"):
        resolve(PipelineConfig, options={"folds": 5, "fold": 5})
