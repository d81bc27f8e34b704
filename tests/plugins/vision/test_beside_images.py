"""What lies beside images, or in their place, and is not read: lists with other columns, and medical files."""

from __future__ import annotations

from pathlib import Path

import pytest

from fivefold.cli.main import main
from fivefold.errors import DataError
from fivefold_vision.classify.pipeline import Classify
from fivefold_vision.generate.pipeline import Generate
from fivefold_vision.readers.choose import read_table, recognise
from fivefold_vision.readers.options import Options
from plugins.vision.pictures import image_folder, picture, save

OPTIONS = Options()
UNREAD = (
    "befunde.csv was not read, which has Datei, Befund; if it says what the images show, name its columns by "
    "--columns.path and --columns.label"
)
DICOM = bytes(128) + b"DICM" + bytes(range(200, 256))


def listed(root: Path, head: str = "Datei;Befund") -> Path:
    """One folder of images, and a list with other names of columns beside it."""
    image_folder(root, ["bilder"])
    rows = [f"bilder/{number}.png;{'ja' if number % 2 else 'nein'}" for number in range(10)]
    (root / "befunde.csv").write_text("\n".join([head, *rows]) + "\n")
    return root


def test_a_list_with_other_columns_is_told_where_folders_give_one_class(tmp_path: Path) -> None:
    listed(tmp_path)
    with pytest.raises(DataError) as caught:
        Classify().read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: expected images of two classes or more, found only 'bilder' by the names of folders; {UNREAD}"
    )
    pipeline = Generate()
    assert UNREAD in pipeline.read(tmp_path).notes


def test_the_remedy_that_is_told_works(tmp_path: Path) -> None:
    columns = {"path": "Datei", "label": "Befund"}
    table = Classify(Classify.Config(columns=columns)).read(listed(tmp_path))
    assert table.classes == ("ja", "nein")
    assert table.notes == ()


def test_a_list_beside_folders_of_classes_is_a_note(tmp_path: Path) -> None:
    image_folder(tmp_path)
    (tmp_path / "befunde.csv").write_text("Datei;Befund\ncat/0.png;ja\n")
    pipeline = Classify()
    table = pipeline.read(tmp_path)
    assert table.classes == ("cat", "dog")
    assert table.notes == (UNREAD,)
    assert UNREAD in pipeline.cautions(pipeline.samples(table).facts)


def test_several_lists_are_named(tmp_path: Path) -> None:
    image_folder(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("path,label\ncat/0.png,cat\n")
    assert read_table(tmp_path, OPTIONS).notes == (
        "a.csv, b.csv were not read; if one says what the images show, give it instead of the folder",
    )


def test_a_list_with_the_usual_columns_is_read_and_an_empty_one_is_not_told(tmp_path: Path) -> None:
    image_folder(tmp_path)
    (tmp_path / "list.csv").write_text("")
    assert read_table(tmp_path, OPTIONS).notes == ()
    (tmp_path / "list.csv").write_text("path,label\ncat/0.png,x\ndog/0.png,y\n")
    table = read_table(tmp_path, OPTIONS)
    assert (table.classes, table.notes) == (("x", "y"), ())


def medical(root: Path, ending: str = ".dcm") -> Path:
    for name in ("sick", "well"):
        (root / name).mkdir(parents=True)
        for number in range(3):
            (root / name / f"{number}{ending}").write_bytes(DICOM)
    return root


@pytest.mark.parametrize("ending", [".dcm", ".DCM", ".nii"])
def test_folders_of_medical_files_are_left_to_others(ending: str, tmp_path: Path) -> None:
    root = medical(tmp_path / "scans", ending)
    assert recognise(root, OPTIONS) is None
    for pipeline in (Classify(), Generate()):
        assert pipeline.recognise(root) is None
        with pytest.raises(
            DataError, match=r"found files of medical formats only .* fivefold healthcare reads them"
        ):
            pipeline.read(root)


def test_a_list_of_medical_files_is_left_to_others(tmp_path: Path) -> None:
    medical(tmp_path)
    rows = [f"{name}/{number}.dcm,{name}" for name in ("sick", "well") for number in range(3)]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    for source in (tmp_path, tmp_path / "labels.csv"):
        assert recognise(source, OPTIONS) is None
    with pytest.raises(
        DataError, match=r"0\.dcm: expected a picture such as PNG or JPEG, found DICOM; convert it"
    ):
        Classify().read(tmp_path / "labels.csv")


def test_a_medical_file_among_pictures_is_called_what_it_is(tmp_path: Path) -> None:
    root = image_folder(tmp_path)
    (root / "cat" / "scan.dcm").write_bytes(DICOM)
    assert recognise(root, OPTIONS) == "a folder of images in 2 classes"
    (problem,) = read_table(root, OPTIONS).problems
    assert problem.reason.endswith("found .dcm; fivefold healthcare reads it, and converts DICOM to PNG")


def test_images_of_one_colour_are_told_by_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = image_folder(tmp_path / "photos")
    for number in range(8):
        save(root / ("cat" if number % 2 else "dog") / f"blank{number}.png", 0 * picture())
    assert main(["data", "check", str(root), "--pipeline", "vision/classify"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "8 of 28 images are of one colour, such as cat/blank1.png; they teach nothing" in told
    assert "blank" not in told.replace("such as cat/blank1.png", "")
