from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fivefold.data.fingerprint import Fingerprints, image_fingerprints, row_fingerprints
from fivefold.data.leakage import Finding, search, search_tables
from fivefold.data.splits import Splits, by_group, by_time, random_split
from fivefold.data.table import Table


def images_of(table: Table) -> Fingerprints:
    return image_fingerprints(table["image"])


def numbers(values: list[float], **columns: object) -> Table:
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    roles = {role: role for role in ("label", "group", "time") if role in arrays}
    return Table({"value": np.array(values), **arrays}, source="table", **roles)


def only(findings: tuple[Finding, ...], kind: str) -> list[Finding]:
    return [finding for finding in findings if finding.kind == kind]


def test_pneumonia_mnist_has_eight_images_on_both_sides(shared: Path) -> None:
    with np.load(shared / "pneumoniamnist" / "pneumoniamnist_trainval.npz", allow_pickle=False) as arrays:
        tables = {
            split: Table(
                {"image": arrays[f"{split}_images"], "label": arrays[f"{split}_labels"][:, 0]},
                source="pneumoniamnist",
                label="label",
                classes=("normal", "pneumonia"),
            )
            for split in ("train", "val")
        }
    across, within = search_tables(tables, images_of)
    assert (across.kind, across.splits, across.count, across.severe) == (
        "exact duplicate",
        ("train", "val"),
        8,
        True,
    )
    assert across.text == (
        "8 samples stand in both the training and the validation split (10 of 4,708 training rows, 8 of 524 "
        "validation rows)."
    )
    assert len(across.examples) == 8
    assert (within.splits, within.count, within.severe) == (("train", "train"), 18, False)


def test_copies_across_splits_are_found_exactly_and_nearly() -> None:
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (60, 16, 16), dtype=np.uint8)
    train, val, test = image[:40].copy(), image[40:50].copy(), image[50:].copy()
    test[0] = train[7]  # the same
    test[1] = (train[8] * 0.8).astype(np.uint8)  # darker
    val[3] = train[9][::-1]  # another image
    splits = Splits(*(Table({"image": part}, source="made") for part in (train, val, test)), how="")
    exact, near = search(splits, images_of)
    assert (exact.kind, exact.splits, exact.count) == ("exact duplicate", ("train", "test"), 1)
    assert exact.examples == (("row 7", "row 0"),)
    assert (near.kind, near.splits, near.count, near.examples) == (
        "near duplicate",
        ("train", "test"),
        1,
        (("row 8", "row 1"),),
    )
    assert near.severe
    assert near.text == "1 sample of the test split nearly equals one of the training split."


def test_clean_splits_give_no_findings() -> None:
    table = numbers(list(range(50)), label=np.arange(50) % 2)
    assert search(random_split(table, seed=0), row_fingerprints) == ()
    grouped = numbers(list(range(50)), group=np.arange(50) // 5)
    assert search(by_group(grouped, seed=0), row_fingerprints) == ()
    timed = numbers(list(range(50)), time=np.arange(50) // 2)
    assert search(by_time(timed), row_fingerprints) == ()


def test_near_duplicates_by_bits() -> None:
    def bits(table: Table) -> Fingerprints:
        return Fingerprints(table["value"], near=table["bits"], near_distance=2)

    def side(values: list[float], rows: list[list[int]]) -> Table:
        return numbers(values, bits=np.array(rows, dtype=np.uint8))

    train = side([1, 2], [[0b11110000, 0], [0b00001111, 255]])
    test = side([3, 4, 5], [[0b11110011, 0], [0b11110111, 0], [0b00001110, 254]])
    (near,) = search_tables({"train": train, "test": test}, bits)
    assert near.examples == (("row 0", "row 0"), ("row 1", "row 2"))  # 2 and 2 bits differ; 3 are too many


def test_near_duplicates_with_another_label_are_told_first() -> None:
    def bits(table: Table) -> Fingerprints:
        return Fingerprints(table["value"], near=table["bits"], near_distance=1)

    def near_of(here: list[float], there: list[float]) -> Finding:
        train = numbers([1, 2], bits=np.array([[0], [255]], dtype=np.uint8), label=here)
        test = numbers([3, 4], bits=np.array([[1], [254]], dtype=np.uint8), label=there)
        (near,) = only(search_tables({"train": train, "test": test}, bits), "near duplicate")
        return near

    classes = near_of([0, 1], [0, 0])
    assert classes.text == (
        "2 samples of the test split nearly equal one of the training split, 1 with another label."
    )
    assert classes.examples == (("row 1", "row 1"), ("row 0", "row 0"))
    assert "label" not in near_of([0.5, 1.5], [0.5, 2.5]).text  # a rating, and no class


def test_shared_groups_are_counted() -> None:
    train = numbers([1, 2, 3], group=["ann", "ann", "bob"])
    test = numbers([4, 5], group=["bob", "cid"])
    (finding,) = search_tables({"train": train, "test": test}, row_fingerprints)
    assert (finding.kind, finding.count, finding.severe) == ("group overlap", 1, True)
    assert finding.text == "1 group of 'group' (bob) stands in both the training and the test split."
    assert finding.examples == (("row 2", "row 0"),)


@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_training_on_the_future_is_found(kind: type[np.generic]) -> None:
    train = numbers([1, 2, 3], time=np.array([1, 2, 6], dtype=kind))
    test = numbers([4, 5], time=np.array([5, 7], dtype=kind))
    (finding,) = search_tables({"train": train, "test": test}, row_fingerprints)
    assert (finding.kind, finding.count, finding.severe) == ("time overlap", 1, True)
    assert finding.text == (
        "1 row of the training split is as late as the test split or later, which begins at 5 ('time'): to "
        "learn from these is to know the future."
    )


def test_units_split_with_all_their_times_are_told_but_not_severe() -> None:
    train = numbers([1, 2], time=[1, 6], group=["a", "a"])
    test = numbers([3, 4], time=[2, 7], group=["b", "b"])
    (finding,) = search_tables({"train": train, "test": test}, row_fingerprints)
    assert (finding.kind, finding.severe) == ("time overlap", False)


def test_equal_samples_with_different_labels_are_found() -> None:
    train, test = numbers([1, 1, 2, 3], label=[0, 1, 0, 0]), numbers([3, 2], label=[1, 0])
    conflicts = only(search_tables({"train": train, "test": test}, row_fingerprints), "conflicting labels")
    assert [(finding.splits, finding.count, finding.examples) for finding in conflicts] == [
        (("train", "train"), 1, (("row 0", "row 1"),)),
        (("train", "test"), 1, (("row 3", "row 0"),)),
    ]
    assert conflicts[1].text == ("1 sample stands in the training and the test split with different labels.")
    assert not any(finding.severe for finding in conflicts)


def test_counts_are_of_samples_and_examples_are_few() -> None:
    train, test = (
        numbers([float(value) for value in range(30)] * 2),
        numbers([float(value) for value in range(30)]),
    )
    across, within = search_tables({"train": train, "test": test}, row_fingerprints)
    assert across.count == 30
    assert "(60 of 60 training rows, 30 of 30 test rows)" in across.text
    assert len(across.examples) == 10
    assert within.count == 30
    assert within.text == "30 samples stand more than once in the training split (60 rows)."


def test_an_empty_split_is_no_trouble() -> None:
    full = numbers([1, 2, 3], time=[1, 2, 3], group=[1, 2, 3])
    assert search(Splits(full, full.take(np.arange(0)), full.take(np.arange(0)), ""), row_fingerprints) == ()
