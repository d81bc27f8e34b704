"""From tables of labels and archives to samples: which files, which patients, which subgroups, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fivefold.data.table import Array, Table
from fivefold.errors import DataError
from fivefold_healthcare.diagnose.readers.choose import SUBGROUP, read_input_table, read_table, recognise
from plugins.healthcare.diagnose_cases import (
    config,
    diagnose,
    dicom_image,
    dicom_series,
    pictures,
    png_table,
    refuse,
    save_nifti,
    save_npz,
    save_png,
    write_table,
)

PICTURE = pictures([1])[0]
VOLUME = pictures([1], depth=5)[0]


def read(source: Path, **settings: object) -> Table:
    return read_table(source, config(**settings))[0]


# Rows by path


def test_a_table_names_its_images_by_path(tmp_path: Path) -> None:
    file = png_table(tmp_path, 4)
    assert recognise(file, config()) == "a table of labels (path, label, patient)"
    for source in (file, tmp_path):  # the file, or the folder with just that table
        table = read(source)
        assert table.ids.tolist() == ["000.png", "001.png", "002.png", "003.png"]
        assert table["path"].tolist() == [str(tmp_path / name) for name in table.ids]
        assert table["label"].tolist() == [0, 1, 0, 1]
        assert table.classes == ("healthy", "ill")
        assert table.units is not None
        assert table.units.tolist() == ["p0", "p0", "p1", "p1"]
        assert table.split is None
        assert table.problems == ()


def test_every_kind_of_image_is_named_alike(tmp_path: Path) -> None:
    save_png(tmp_path / "a.png", PICTURE)
    dicom_image(tmp_path / "b.dcm", PICTURE)
    dicom_image(tmp_path / "noending", PICTURE)
    table = read(
        write_table(
            tmp_path / "labels.csv",
            [{"path": name, "label": name[0]} for name in ("a.png", "b.dcm", "noending")],
        )
    )
    assert table.ids.tolist() == ["a.png", "b.dcm", "noending"]
    assert diagnose().read(tmp_path)["image"].shape == (3, 12, 12)


def test_a_folder_with_one_series_and_a_nifti_file_are_volumes(tmp_path: Path) -> None:
    header = dicom_series(tmp_path / "scan", VOLUME)
    save_nifti(tmp_path / "brain.nii.gz", VOLUME)
    rows = [{"path": "scan", "label": "a"}, {"path": "brain.nii.gz", "label": "b"}]
    table = read(write_table(tmp_path / "labels.csv", rows))
    assert table.ids.tolist() == [f"scan: CT {header.SeriesInstanceUID}", "brain.nii.gz"]
    assert len(str(table["path"][0]).splitlines()) == 5
    held = diagnose().read(tmp_path)
    assert held["image"].shape == (2, 5, 12, 12)
    assert np.array_equal(held["image"][0], held["image"][1])  # the same slices in the same order
    assert held.problems == ()


def test_tables_of_other_kinds_and_columns_of_other_names(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save_png(tmp_path / name, PICTURE)
    rows = [{"file": "a.png", "finding": 2, "who": 7}, {"file": "b.png", "finding": 10, "who": 8}]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    table = read(tmp_path, columns={"labels": ["finding"], "path": "file", "patient": "who"})
    assert table.classes == ("2", "10")  # by value, not by the alphabet
    assert table.units is not None
    assert table.units.tolist() == ["7", "8"]


def test_the_source_of_a_split_is_the_column(tmp_path: Path) -> None:
    table = read(png_table(tmp_path, 4, split=["train", "train", "val", "test"]))
    assert table.split == "split"
    splits = diagnose().split(table)
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [2, 1, 1]


def test_two_tables_in_a_folder_are_named_and_neither_is_taken(tmp_path: Path) -> None:
    png_table(tmp_path, 4)
    (tmp_path / "other.csv").write_text("path,label\n000.png,ill\n")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    listed = r"found labels.csv \(path, label, patient\), other.csv \(path, label\)"
    refuse(tmp_path, f"expected one table of labels in this folder, {listed}; name one")
    assert recognise(tmp_path, config()) is None
    assert len(read(tmp_path / "labels.csv")) == 4


# Rows by UID


@pytest.mark.parametrize(
    ("column", "ids", "labels"),
    [
        ("SOPInstanceUID", ["one.dcm", "two.dcm"], [0, 1]),
        ("StudyInstanceUID", ["one.dcm", "three.dcm", "two.dcm"], [0, 0, 1]),
    ],
)
def test_rows_by_instance_and_by_study(
    tmp_path: Path, column: str, ids: list[str], labels: list[int]
) -> None:
    first = dicom_image(tmp_path / "one.dcm", PICTURE, "P1")
    second = dicom_image(tmp_path / "two.dcm", PICTURE, "P2")
    third = dicom_image(tmp_path / "three.dcm", PICTURE, "P1")  # of the same study as the first
    rows = [
        {column: header[column].value, "label": label} for header, label in ((first, "no"), (second, "yes"))
    ]
    write_table(tmp_path / "labels.csv", rows)
    table = read(tmp_path)
    assert table.ids.tolist() == ids
    assert table["label"].tolist() == labels
    assert table.units is not None
    assert table.units.tolist() == ["P1", *["P1"] * (len(ids) - 2), "P2"]
    unnamed = [problem.reason for problem in table.problems]
    if column == "SOPInstanceUID":  # the third has no row
        (told,) = unnamed
        assert told == (
            f"three.dcm: expected a row with its SOPInstanceUID in {tmp_path / 'labels.csv'}, found none; "
            "label it or remove it"
        )
    else:
        assert third.StudyInstanceUID == first.StudyInstanceUID
        assert unnamed == []


def test_rows_by_series_are_volumes(tmp_path: Path) -> None:
    headers = [dicom_series(tmp_path / name, VOLUME, patient) for name, patient in (("x", "P1"), ("y", "P2"))]
    rows = [
        {"SeriesInstanceUID": header.SeriesInstanceUID, "label": label}
        for header, label in zip(headers, ("no", "yes"), strict=True)
    ]
    write_table(tmp_path / "labels.csv", rows)
    table = diagnose().read(tmp_path)
    assert table["image"].shape == (2, 5, 12, 12)
    assert table["label"].tolist() == [0, 1]
    assert table.units is not None
    assert table.units.tolist() == ["P1", "P2"]


def test_a_uid_without_files_is_a_problem(tmp_path: Path) -> None:
    header = dicom_image(tmp_path / "one.dcm", PICTURE)
    rows = [{"SOPInstanceUID": uid, "label": "no"} for uid in (header.SOPInstanceUID, "1.2.3")]
    (problem,) = read(write_table(tmp_path / "labels.csv", rows)).problems
    assert problem.reason == (
        f"{tmp_path / 'labels.csv'}, row 3: expected DICOM files of SOPInstanceUID '1.2.3', found none below "
        f"{tmp_path}; mend the row or remove it"
    )


# Patients and subgroups


def test_patients_of_the_table_come_before_those_of_headers(tmp_path: Path) -> None:
    for number in range(2):
        dicom_image(tmp_path / f"{number}.dcm", PICTURE, f"P{number}")
    rows: list[dict[str, object]] = [{"path": f"{number}.dcm", "label": number} for number in range(2)]
    from_headers = read(write_table(tmp_path / "labels.csv", rows))
    from_table = read(write_table(tmp_path / "labels.csv", [{**row, "patient": "Q"} for row in rows]))
    for table, expected in ((from_headers, ["P0", "P1"]), (from_table, ["Q", "Q"])):
        assert table.group == "patient"
        assert table["patient"].tolist() == expected


def test_patients_of_two_issuers_are_two(tmp_path: Path) -> None:
    for number, issuer in enumerate(("A", "B")):
        dicom_image(tmp_path / f"{number}.dcm", PICTURE, "P1", IssuerOfPatientID=issuer)
    rows = [{"path": f"{number}.dcm", "label": number} for number in range(2)]
    assert read(write_table(tmp_path / "labels.csv", rows))["patient"].tolist() == ["A/P1", "B/P1"]


def test_without_a_patient_of_every_image_there_are_none(tmp_path: Path) -> None:
    dicom_image(tmp_path / "0.dcm", PICTURE)
    save_png(tmp_path / "1.png", PICTURE)
    rows = [{"path": name, "label": name} for name in ("0.dcm", "1.png")]
    assert read(write_table(tmp_path / "labels.csv", rows)).group is None


def test_subgroups_of_columns_and_headers(tmp_path: Path) -> None:
    dicom_image(
        tmp_path / "0.dcm",
        PICTURE,
        PatientSex="F",
        PatientAge="045Y",
        Manufacturer="Maker",
        InstitutionName="North",
    )
    save_png(tmp_path / "1.png", PICTURE)
    rows = [{"path": "0.dcm", "label": 0, "ward": "3"}, {"path": "1.png", "label": 1, "ward": ""}]
    file = write_table(tmp_path / "labels.csv", rows)
    found = {
        name.removeprefix(SUBGROUP): column.tolist()
        for name, column in read(file, subgroups=["ward"]).columns.items()
        if name.startswith(SUBGROUP)
    }
    assert found == {
        "ward": ["3", ""],
        "sex": ["F", ""],
        "age": ["40 to 59", ""],
        "manufacturer": ["Maker", ""],
        "site": ["North", ""],
    }
    refuse(
        file, "expected the column 'room' that subgroups names, found path, label, ward", subgroups=["room"]
    )


# NPZ archives


@pytest.mark.parametrize(
    ("images", "stored"),
    [
        (pictures([0, 1, 0, 1]), (4, 12, 12)),
        (pictures([0, 1, 0, 1])[..., None], (4, 12, 12)),
        (np.stack([pictures([0, 1, 0, 1], seed) for seed in range(3)], axis=-1), (4, 12, 12, 3)),
        (pictures([0, 1, 0, 1], depth=6), (4, 6, 12, 12)),
    ],
    ids=["grey", "one channel", "colour", "volumes"],
)
def test_archives_of_images_and_volumes(tmp_path: Path, images: Array, stored: tuple[int, ...]) -> None:
    labels = np.array([[0], [1], [0], [1]])
    file = save_npz(
        tmp_path / "a.npz",
        train_images=images, train_labels=labels, test_images=images[:2], test_labels=labels[:2],
    )  # fmt: skip
    assert recognise(file, config()) == "NPZ images with labels (train, test)"
    table = diagnose().read(file)
    assert table["image"].shape == (6, *stored[1:])
    assert np.array_equal(table["image"][:4].reshape(images.shape), images)
    assert table["label"].tolist() == [0, 1, 0, 1, 0, 1]
    assert table.ids.tolist() == ["train[0]", "train[1]", "train[2]", "train[3]", "test[0]", "test[1]"]
    assert table["split"].tolist() == ["train"] * 4 + ["test"] * 2
    assert table.group is None


def test_an_archive_of_one_split_is_split_here(tmp_path: Path) -> None:
    file = save_npz(tmp_path / "a.npz", train_images=pictures([0, 1]), train_labels=np.array([0, 1]))
    assert read(file).split is None


def test_an_archive_of_several_labels(tmp_path: Path) -> None:
    labels = np.array([[1, 0, np.nan], [0, 1, 1]])
    file = save_npz(tmp_path / "a.npz", train_images=pictures([0, 1]), train_labels=labels)
    table = read(file)
    assert np.array_equal(table["truth"], labels, equal_nan=True)
    assert table.classes == ()
    samples = diagnose().samples(table)
    assert samples.facts.labels == ["label 0", "label 1", "label 2"]
    named = diagnose(columns={"labels": ["fluid", "mass", "scar"]})
    assert named.samples(named.read(file)).facts.labels == ["fluid", "mass", "scar"]
    refusals: list[tuple[str, dict[str, Any]]] = [
        ("expected one label an image for the task 'single', found 3; take multi", {"task": "single"}),
        (
            "expected a label for each of a, b, found 3 labels an image; name them all",
            {"columns": {"labels": ["a", "b"]}},
        ),
        ("whose classes --class-names names, found 3; name several", {"class_names": ["a", "b", "c"]}),
    ]
    for message, changes in refusals:
        refuse(file, message, **changes)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 4, 4), np.uint8)}, "expected 'train_images' and 'train_labels', found images"),
        ({"train_images": np.zeros((2, 4, 4), np.uint8)}, "expected 'train_labels' beside 'train_images'"),
        (
            {"train_images": np.zeros((2, 4, 4)), "train_labels": np.zeros(2, int)},
            r"'train_images': expected uint8 of shape .*, found float64 of shape \(2, 4, 4\)",
        ),
        (
            {"train_images": np.zeros((2, 4, 4), np.uint8), "train_labels": np.array(["a", "b"])},
            "'train_labels': expected numbers of shape",
        ),
        (
            {"train_images": np.zeros((2, 4, 4), np.uint8), "train_labels": np.zeros(3, int)},
            "'train_labels': expected a label for each of 2 images, found 3",
        ),
        (
            {"train_images": np.zeros((2, 4, 4), np.uint8), "train_labels": np.array([0, np.nan])},
            r"label 1: expected a whole number from 0, found nan; several labels may be missing \(--task multi\)",
        ),
        (
            {"train_images": np.zeros((2, 4, 4), np.uint8), "train_labels": np.array([[0, 1], [2, 0]])},
            "label 0 of image 1: expected 1, 0 or nan where several labels are asked, found 2",
        ),
        (
            {
                "train_images": np.zeros((2, 4, 4), np.uint8), "train_labels": np.zeros(2, int),
                "test_images": np.zeros((2, 5, 5), np.uint8), "test_labels": np.zeros(2, int),
            },
            "expected images and labels of one shape in every split, found several",
        ),
    ],
)  # fmt: skip
def test_a_wrong_archive(tmp_path: Path, arrays: dict[str, Array], message: str) -> None:
    refuse(save_npz(tmp_path / "a.npz", **arrays), message)


def test_an_archive_of_pickles_is_not_opened(tmp_path: Path) -> None:
    labels = np.array([{"a": 1}, None], dtype=object)
    file = save_npz(tmp_path / "a.npz", train_images=pictures([0, 1]), train_labels=labels)
    refuse(file, r"a\.npz: expected an NPZ archive of plain arrays, found one that cannot be read: .*pickle")


def test_an_encrypted_archive_is_not_opened(tmp_path: Path) -> None:
    file = save_npz(tmp_path / "a.npz", train_images=pictures([0, 1]), train_labels=np.array([0, 1]))
    data = bytearray(file.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # bit 0 of the flags: encrypted
        place = data.find(mark)
        while place >= 0:
            data[place + flags] |= 1
            place = data.find(mark, place + 1)
    file.write_bytes(bytes(data))
    refuse(
        file, r"a\.npz: expected an NPZ archive of plain arrays, found one that cannot be read: .*encrypted"
    )


def test_a_broken_archive(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 no archive")
    refuse(tmp_path / "a.npz", "expected an NPZ archive of plain arrays, found one that cannot be read")


# What to predict


def test_inputs_are_files_folders_tables_and_archives(tmp_path: Path) -> None:
    save_png(tmp_path / "in" / "a.png", PICTURE)
    header = dicom_image(tmp_path / "in" / "b.dcm", PICTURE)
    (tmp_path / "in" / "notes.txt").write_text("nothing")
    save_npz(tmp_path / "c.npz", images=pictures([0, 1]), test_images=pictures([1]), masks=pictures([1]))
    file = write_table(tmp_path / "in" / "names.csv", [{"path": "b.dcm"}])
    by_uid = write_table(tmp_path / "in" / "uids.csv", [{"SOPInstanceUID": header.SOPInstanceUID}])
    settings = config()
    for source, names in (
        (tmp_path / "in", ["a.png", "b.dcm"]),
        (tmp_path / "in" / "a.png", ["a.png"]),
        (tmp_path / "in" / "b.dcm", ["b.dcm"]),
        (file, ["b.dcm"]),
        (by_uid, ["b.dcm"]),
        (tmp_path / "c.npz", ["[0]", "[1]", "test[0]"]),
    ):
        table = read_input_table(source, settings)
        assert table.ids.tolist() == names
        assert table.label is None
        assert table.problems == ()
    empty = tmp_path / "empty"
    empty.mkdir()
    for source, message in (
        (empty, "expected medical images to predict, found none in this folder"),
        (tmp_path / "nowhere", "nowhere: no such file or folder"),
        (
            tmp_path / "in" / "notes.txt",
            "expected DICOM, NIfTI, or an image .*, found a file of another kind",
        ),
        (save_npz(tmp_path / "d.npz", masks=pictures([1])), "expected an array 'images' or '..._images'"),
    ):
        with pytest.raises(DataError, match=message):
            read_input_table(source, settings)
