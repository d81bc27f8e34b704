from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.splits import Splits, as_given, by_group, by_time, given_tables, random_split, split_table
from fivefold.data.table import Table
from fivefold.errors import DataError

quickly = settings(max_examples=50, deadline=None)


def table_of(**columns: object) -> Table:
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    roles = {role: role for role in ("label", "group", "time", "split") if role in arrays}
    classes = tuple(f"class {code}" for code in range(10)) if "label" in arrays else ()
    rows = len(next(iter(arrays.values())))
    return Table({"row": np.arange(rows), **arrays}, source="data.csv", classes=classes, **roles)


def parts(splits: Splits) -> list[Table]:
    return [splits.train, splits.val, splits.test]


def assert_complete(splits: Splits, table: Table) -> None:
    rows = np.concatenate([part["row"] for part in parts(splits)])
    assert sorted(rows) == list(range(len(table)))  # each row once: disjoint and complete


@quickly
@given(st.lists(st.integers(0, 4), min_size=3, max_size=200), st.integers(0, 2**32))
def test_random_split_holds_each_row_once_and_every_class_that_can_be(labels: list[int], seed: int) -> None:
    labels += [code for code in set(labels) if labels.count(code) == 1]
    table = table_of(label=labels)
    splits = random_split(table, seed=seed)
    assert_complete(splits, table)
    for code in set(labels):
        count = labels.count(code)
        assert (splits.train["label"] == code).any()
        assert count < 3 or all((part["label"] == code).any() for part in parts(splits))
        if count >= 30:
            assert abs((splits.train["label"] == code).mean() * len(splits.train) / count - 0.8) < 0.1


def test_random_split_reaches_its_fractions_exactly_and_keeps_the_mix() -> None:
    labels = np.random.default_rng(0).choice(10, size=1000, p=np.arange(1, 11) / 55)
    splits = random_split(table_of(label=labels), seed=1)
    assert [len(part) for part in parts(splits)] == [800, 100, 100]
    for part in parts(splits):
        whole, here = (
            np.bincount(labels, minlength=10) / 1000,
            np.bincount(part["label"], minlength=10) / len(part),
        )
        assert np.abs(whole - here).max() < 0.015
    assert splits.how == (
        "Rows were split at random (seed 1), with the same mix of classes in each: "
        "800 training, 100 validation, 100 test."
    )


def test_random_split_depends_on_the_seed_alone() -> None:
    table = table_of(label=np.arange(100) % 3)
    first, again, other = (random_split(table, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.test["row"], again.test["row"])
    assert set(first.test["row"]) != set(other.test["row"])


def test_random_split_without_classes_and_with_other_fractions() -> None:
    splits = random_split(table_of(value=np.zeros(10)), seed=0, fractions=(6, 2, 2))
    assert [len(part) for part in parts(splits)] == [6, 2, 2]
    assert "mix" not in splits.how


@quickly
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=3, max_size=150), st.integers(0, 99)
)
def test_groups_never_cross_a_border(rows: list[tuple[int, int]], seed: int) -> None:
    rows += [(20 + number, 0) for number in range(3)]
    table = table_of(group=[unit for unit, _ in rows], label=[code for _, code in rows])
    splits = by_group(table, seed=seed)
    assert_complete(splits, table)
    train, val, test = (set(part["group"]) for part in parts(splits))
    assert train
    assert val
    assert test
    assert not train & val
    assert not train & test
    assert not val & test


def test_groups_approximate_fractions_and_classes() -> None:
    generator = np.random.default_rng(0)
    group = generator.integers(0, 200, 5000)
    label = (group % 4 == 0).astype(int)  # the group decides the class
    table = table_of(group=group, label=label)
    splits = by_group(table, seed=0)
    for part, share in zip(parts(splits), (0.8, 0.1, 0.1), strict=True):
        assert abs(len(part) / 5000 - share) < 0.01
        assert abs(part["label"].mean() - label.mean()) < 0.05
    assert "by 'group' (seed 0), which no two splits share" in splits.how


def test_groups_may_have_names_of_any_kind() -> None:
    table = table_of(group=np.array(["a", "b", 3, None, "b"], dtype=object))
    assert_complete(by_group(table, seed=0), table)


def test_times_of_which_only_some_have_a_zone_are_refused() -> None:
    table = table_of(time=["2024-05-01T10:00+02:00", "2024-05-01T11:00", "2024-05-02"])
    with pytest.raises(
        DataError, match=r"row 1, column 'time': expected times that all .*found none in '2024-05-01T11"
    ):
        by_time(table)
    table = table_of(time=[datetime(2024, 5, 1), datetime(2024, 5, 2), datetime(2024, 5, 3, tzinfo=UTC)])
    with pytest.raises(
        DataError, match=r"row 2, column 'time': .*found one in '2024-05-03 .* have no time zone"
    ):
        by_time(table)


@quickly
@given(st.lists(st.integers(-5, 30), min_size=3, max_size=100))
def test_time_runs_forward_and_equal_times_stay_together(times: list[int]) -> None:
    times += [40, 41, 42]
    table = table_of(time=times)
    splits = by_time(table)
    assert_complete(splits, table)
    train, val, test = parts(splits)
    assert train["time"].max() < val["time"].min()
    assert val["time"].max() < test["time"].min()
    assert (np.diff(train["time"]) >= 0).all()


@pytest.mark.parametrize(
    "times",
    [
        [f"2024-05-{day:02}" for day in range(1, 31)],
        [f"2024-05-01T{hour:02}:30:00+02:00" for hour in range(24)],
        np.array([date(2024, 5, day) for day in range(1, 31)], dtype=object),
        np.array([datetime(2024, 5, day, tzinfo=UTC) for day in range(1, 31)], dtype=object),
        np.arange("2024-05-01", "2024-05-31", dtype="datetime64[D]"),
        np.array([1, 2.5, 3, 4, 5], dtype=object),
    ],
    ids=["dates", "moments", "date objects", "datetime objects", "datetime64", "number objects"],
)
def test_times_are_read_from_text_objects_and_numbers(times: object) -> None:
    table = table_of(time=np.asarray(times)[::-1])
    splits = by_time(table)
    assert splits.test["row"][-1] == 0  # the latest stands first in the table
    assert splits.train["row"][0] == len(table) - 1


def test_given_splits_are_kept() -> None:
    table = table_of(split=["train", "Valid", "test", "training", "dev", " testing "])
    splits = as_given(table, seed=0)
    assert [list(part["row"]) for part in parts(splits)] == [[0, 3], [1, 4], [2, 5]]
    assert splits.how == "The source's own splits were used: 2 training, 2 validation, 2 test."


def test_a_missing_validation_split_is_carved_from_training() -> None:
    table = table_of(split=["train"] * 100 + ["test"] * 20, label=np.arange(120) % 2)
    splits = as_given(table, seed=0)
    assert [len(part) for part in parts(splits)] == [90, 10, 20]
    assert splits.val["label"].mean() == 0.5
    assert "lacks validation rows, which are taken from training at random (seed 0)" in splits.how
    assert set(given_tables(table)) == {"train", "test"}


def test_missing_splits_are_carved_by_group_or_time() -> None:
    by_unit = as_given(table_of(split=["train"] * 40, group=np.arange(40) // 4), seed=0)
    assert not set(by_unit.train["group"]) & set(by_unit.test["group"])
    assert "lacks validation or test rows, which are taken from training by 'group'" in by_unit.how
    in_time = as_given(table_of(split=["train"] * 40 + ["val"] * 5, time=np.arange(45)), seed=0)
    assert in_time.test["time"].min() > in_time.train["time"].max()
    assert "by 'time', the latest rows" in in_time.how


def test_the_table_says_how_it_is_split() -> None:
    columns = {"split": ["train", "val", "test"] * 4, "group": np.arange(12), "time": np.arange(12)}
    assert "own splits" in split_table(table_of(**columns), seed=0).how
    del columns["split"]
    assert "by 'group'" in split_table(table_of(**columns), seed=0).how
    del columns["group"]
    assert "by 'time'" in split_table(table_of(**columns), seed=0).how
    assert "at random" in split_table(table_of(value=np.arange(12)), seed=0).how


def test_what_is_said_of_classes_and_times_is_so() -> None:
    assert (
        "with the same mix of classes in each:" in random_split(table_of(label=np.arange(60) % 3), seed=0).how
    )
    few = random_split(table_of(label=[0] * 60 + [1] * 2), seed=0)
    assert not (few.val["label"] == 1).any()
    assert "the same mix of classes in each but for 'class 1', of which there are too few:" in few.how
    grouped = by_group(table_of(group=np.arange(60) // 3, time=np.arange(60)), seed=0)
    assert "which no two splits share; the time in 'time' did not decide:" in grouped.how


@pytest.mark.parametrize(
    ("columns", "sizes"),
    [
        ({"label": np.arange(200) % 2}, [100, 40, 60]),
        ({"group": np.arange(200)}, [100, 40, 60]),
        ({"time": np.arange(200)}, [100, 40, 60]),
        ({"split": ["train"] * 200}, [100, 40, 60]),
        ({"split": ["train"] * 100 + ["test"] * 20}, [80, 20, 20]),
        ({"split": ["train"] * 100 + ["val"] * 20}, [70, 20, 30]),
        ({"split": ["train"] * 10 + ["val"] * 20 + ["test"] * 5}, [10, 20, 5]),
    ],
    ids=["at random", "by group", "by time", "all carved", "validation carved", "test carved", "as given"],
)
def test_shares_are_those_asked_for_where_the_table_does_not_decide(
    columns: dict[str, object], sizes: list[int]
) -> None:
    splits = split_table(table_of(**columns), seed=0, fractions=(0.5, 0.2, 0.3))
    assert [len(part) for part in parts(splits)] == sizes


@pytest.mark.parametrize(
    ("columns", "split", "message"),
    [
        ({"x": [1, 2]}, random_split, "data.csv: 2 samples are too few for training, validation and test"),
        (
            {"label": [0, 0, 1, 0, 0]},
            random_split,
            "data.csv, row 2: class 'class 1' has this single sample, which cannot both teach and test; add",
        ),
        ({"x": [1, 2, 3]}, by_group, "no group column to split by; name one of row, x"),
        ({"group": [1, 1, 2]}, by_group, "2 groups are too few to split by group; 3 are needed"),
        ({"x": [1, 2, 3]}, as_given, "no column says which split a row belongs to"),
        (
            {"split": ["train", "holdout", "test"]},
            as_given,
            "data.csv, row 1, column 'split': unknown split 'holdout'; expected train, val or test",
        ),
        ({"split": ["val", "test"]}, as_given, "column 'split': no row is marked 'train'"),
        (
            {"split": ["train", "train"]},
            as_given,
            "2 training rows are too few to take validation or test rows",
        ),
    ],
)
def test_what_cannot_be_split_is_said(columns: dict[str, object], split: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        split(table_of(**columns), seed=0)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1, 1, 2, 2], "column 'time': 2 distinct times are too few to split by time; 3 are needed"),
        ([1.0, np.nan, 2.0], "row 1, column 'time': the time is missing; every row needs one"),
        (["2024-01-01", "yesterday", "2024-01-03"], "row 1, column 'time': 'yesterday' is no time; expected"),
    ],
)
def test_what_cannot_be_split_by_time_is_said(times: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        by_time(table_of(time=times))


def test_other_mistakes_are_said() -> None:
    with pytest.raises(DataError, match="no time column to split by; name one of row, x"):
        by_time(table_of(x=[1, 2, 3]))
    with pytest.raises(DataError, match="expected three positive numbers"):
        random_split(table_of(x=[1, 2, 3]), seed=0, fractions=(0.8, 0.2))
    with pytest.raises(DataError, match="no label column to stratify by"):
        random_split(table_of(x=[1, 2, 3]), seed=0, stratify=True)
