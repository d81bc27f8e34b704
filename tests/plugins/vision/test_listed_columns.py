"""Columns of a list of images: what is named is there, units are honoured, delimiters are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from fivefold.errors import DataError
from fivefold_vision.classify.config import ClassifyConfig
from fivefold_vision.classify.pipeline import Classify
from plugins.vision.pictures import image_folder


def classify(**columns: str) -> Classify:
    return Classify(ClassifyConfig.model_validate({"columns": columns}))


def listed(folder: Path, *, header: str = "path,label,patient", delimiter: str = ",") -> Path:
    """Twelve images of two classes in one folder ``img``, of six patients, and their list."""
    image_folder(folder / "img", classes=("a", "b"), each=6)
    rows = [f"img/{name}/{number}.png,{name},p{number}" for name in "ab" for number in range(6)]
    text = "\n".join([header, *rows]) + "\n"
    (folder / "labels.csv").write_text(text.replace(",", delimiter), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"label": "klasse"},
            r"labels\.csv: expected the column 'klasse' that --columns\.label names, found path, ",
        ),
        ({"group": "patent"}, r"'patent' that --columns\.group names, .*did you mean 'patient'\? correct"),
        ({"split": "split"}, r"'split' that --columns\.split names, found path, label, patient"),
    ],
)
def test_a_named_column_must_be_there(columns: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        classify(**columns).read(listed(tmp_path))


def test_a_named_column_needs_a_table(tmp_path: Path) -> None:
    image_folder(tmp_path, each=3)
    with pytest.raises(
        DataError, match=r"expected one CSV file, of which --columns\.label names a column, found cat"
    ):
        classify(label="x").read(tmp_path)


def test_a_list_beside_one_folder_of_images_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"labels\.csv: expected a column 'label', found path, klasse, patient"
    ):
        classify().read(listed(tmp_path, header="path,klasse,patient"))


def test_patients_stay_in_one_split_and_it_is_told(tmp_path: Path) -> None:
    pipeline = classify()
    table = pipeline.read(listed(tmp_path))
    assert table.group == "patient"
    splits = pipeline.split(table)
    assert "split by 'patient'" in splits.how
    assert not set(splits.train["patient"]) & set(splits.test["patient"])
    facts = pipeline.samples(splits.train).facts
    assert facts.unit == "patient"
    assert "rows with the same 'patient' stay in one split" in " ".join(pipeline.cautions(facts))


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_lists_with_other_delimiters_are_read(delimiter: str, tmp_path: Path) -> None:
    table = classify().read(listed(tmp_path, delimiter=delimiter))
    assert (len(table), table.classes, table.group) == (12, ("a", "b"), "patient")
