"""Bad input of a diagnosis, one by one: a sentence that names it, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fivefold_healthcare.diagnose.readers.choose import read_table
from plugins.healthcare.diagnose_cases import (
    QUICK,
    config,
    diagnose,
    dicom_image,
    dicom_series,
    pictures,
    png_table,
    refuse,
    refused,
    save_nifti,
    save_png,
    write_table,
)

PICTURE = pictures([1])[0]
VOLUME = pictures([1], depth=5)[0]


# As the pipeline reads


def label_without_file(folder: Path) -> str:
    (folder / "001.png").unlink()
    return r"labels\.csv, row 3: expected an image at '001\.png', found no such file in .*; mend the row or remove it"


def file_without_label(folder: Path) -> str:
    save_png(folder / "more" / "new.png", PICTURE)
    return r"more/new\.png: expected a row that names it in .*labels\.csv, found none; label it or remove it"


def not_dicom(folder: Path) -> str:
    (folder / "001.png").unlink()
    (folder / "x.dcm").write_text("poem")
    replace(folder, "001.png", "x.dcm")
    return r"labels\.csv, row 3: x\.dcm: expected a DICOM file, found something else"


def of_another_kind(folder: Path) -> str:
    (folder / "001.png").unlink()
    (folder / "x.pdf").write_text("poem")
    replace(folder, "001.png", "x.pdf")
    return r"row 3: x\.pdf: expected DICOM, NIfTI, or an image .*, found a file of another kind; convert it"


def damaged_png(folder: Path) -> str:
    (folder / "001.png").write_bytes((folder / "001.png").read_bytes()[:60])
    return r"001\.png: expected a whole PNG, found one that is cut off after 60 bytes"


def empty_label(folder: Path) -> str:
    replace(folder, "001.png,ill", "001.png,")
    return r"labels\.csv, row 3: expected a label in column 'label', found an empty cell; fill it or remove the row"


def label_that_is_no_number(folder: Path) -> str:
    replace(folder, "001.png,ill", "001.png,NaN")
    return r"row 3: expected a label in column 'label', found 'NaN', which counts as missing; where it is a class, list"


def dicom_bomb(folder: Path) -> str:
    header = dicom_image(folder / "x.dcm", PICTURE)
    for keyword in (0x00280010, 0x00280011):
        header[keyword].VR = "UL"
        header[keyword].value = 100_000
    header.save_as(folder / "x.dcm")
    (folder / "001.png").unlink()
    replace(folder, "001.png", "x.dcm")
    return r"x\.dcm: expected frames of at most 134,217,728 values, found 1 of 100,000 x 100,000 declared"


def two_series(folder: Path) -> str:
    for name in ("a", "b"):
        dicom_series(folder / "scan" / name, VOLUME)
    (folder / "001.png").unlink()
    replace(folder, "001.png", "scan")
    return r"labels\.csv, row 3: expected one series in the folder 'scan', found 2: scan: CT .*, scan: CT "


def folder_without_dicom(folder: Path) -> str:
    (folder / "scan").mkdir()
    (folder / "001.png").unlink()
    replace(folder, "001.png", "scan")
    return r"labels\.csv, row 3: scan: expected DICOM files in this folder, found none"


def replace(folder: Path, old: str, new: str) -> None:
    file = folder / "labels.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


SOME = [
    label_without_file, file_without_label, not_dicom, of_another_kind, damaged_png, empty_label,
    label_that_is_no_number, dicom_bomb, two_series, folder_without_dicom,
]  # fmt: skip


@pytest.mark.parametrize("memory", [0, 1])
@pytest.mark.parametrize("fault", SOME, ids=[fault.__name__ for fault in SOME])
def test_a_bad_sample_is_told_and_may_be_left_out(
    fault: Callable[[Path], str], memory: int, tmp_path: Path
) -> None:
    png_table(tmp_path, 8)
    message = fault(tmp_path)
    if not (fault is damaged_png and memory == 0):  # a damaged PNG comes to light when it is decoded
        refuse(tmp_path, rf"{message}.*--max-bad-share allows a share", memory=memory)
        table = diagnose(max_bad_share=0.3, memory=memory).read(tmp_path)
        assert len(table) == 7 + (fault is file_without_label)
        assert len(table.problems) == 1


def test_a_share_of_bad_samples_is_counted(tmp_path: Path) -> None:
    png_table(tmp_path, 8)
    for name in ("001.png", "004.png"):
        (tmp_path / name).write_text("poem")
    refuse(tmp_path, r"001\.png: .*found text.*\(1 more of 8 cannot be read either\)", max_bad_share=0.2)
    table = diagnose(max_bad_share=0.25).read(tmp_path)
    assert [problem.sample for problem in table.problems] == ["001.png", "004.png"]


def test_a_row_without_a_path_hides_no_other_problem(tmp_path: Path) -> None:
    file = png_table(tmp_path, 4)
    file.write_text(file.read_text() + ",ill,p9\n")
    save_png(tmp_path / "new.png", PICTURE)
    reasons = [problem.reason for problem in read_table(file, config())[0].problems]
    assert len(reasons) == 2
    assert "row 6: expected an image at '', found no such file" in reasons[0]
    assert "new.png: expected a row that names it" in reasons[1]


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "sub/../../secret.png"])
def test_a_path_that_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    png_table(tmp_path / "data", 4)
    save_png(tmp_path / "secret.png", PICTURE)
    replace(tmp_path / "data", "001.png", name)
    refuse(
        tmp_path / "data",
        rf"labels\.csv, row 3: expected a path inside .*, found '{name}', which leads out of it",
        max_bad_share=0.9,
    )


def test_images_and_volumes_mixed(tmp_path: Path) -> None:
    save_png(tmp_path / "0.png", PICTURE)
    save_nifti(tmp_path / "1.nii", VOLUME)
    rows = [{"path": name, "label": name} for name in ("0.png", "1.nii")]
    write_table(tmp_path / "labels.csv", rows)
    refuse(tmp_path, r"labels\.csv: expected images or volumes, found both; keep them apart")


def test_a_nifti_file_with_a_singular_affine(tmp_path: Path) -> None:
    for number in range(2):
        save_nifti(tmp_path / f"{number}.nii", VOLUME, np.diag([1.0, 1.0, float(number), 1.0]))
    rows = [{"path": f"{number}.nii", "label": number} for number in range(2)]
    write_table(tmp_path / "labels.csv", rows)
    refuse(tmp_path, r"0\.nii: expected an affine that can be inverted, found one whose determinant is 0")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "image,label\n000.png,ill\n",
            r"names the image \(path, SOPInstanceUID, SeriesInstanceUID, StudyInstanceUID\), found image, label; name",
        ),
        (
            "path,class\n000.png,ill\n",
            r"expected a column 'label' with labels, found path, class; name the .*--columns\.labels",
        ),
        ("", "expected a column that names the image .*, found none"),
        ("path,label\n000.png,ill\n001.png,ill\n", "expected images of two classes or more, found only 'ill'"),
        (
            "path,label,patient\n000.png,ill,a\n001.png,well,\n",
            "row 3: expected a value in column 'patient', found an empty cell; fill it for every row, or leave",
        ),
        ("path,label,patient\n000.png,ill,a\n001.png,well,nan\n", "row 3: expected a value in column 'patient'"),
        ("path,label,split\n000.png,ill,train\n001.png,well,\n", "row 3: expected a value in column 'split'"),
        ("path,label\n000.png,ill,x\n", "row 2: expected 2 cells as in the header, found 3"),
    ],
)  # fmt: skip
def test_a_wrong_table(text: str, message: str, tmp_path: Path) -> None:
    for name in ("000.png", "001.png"):
        save_png(tmp_path / name, PICTURE)
    (tmp_path / "labels.csv").write_text(text)
    refuse(tmp_path / "labels.csv", rf"labels\.csv.*{message}", max_bad_share=0.9)


def test_a_line_without_its_patient(tmp_path: Path) -> None:
    for name in ("000.png", "001.png"):
        save_png(tmp_path / name, PICTURE)
    (tmp_path / "labels.jsonl").write_text(
        '{"path": "000.png", "label": 0, "patient": "a"}\n{"path": "001.png", "label": 1}\n'
    )
    refuse(tmp_path, r"labels\.jsonl, row 2: expected a value in column 'patient', found an empty cell")


def test_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "labels.csv").write_text("path,label\n")
    refuse(tmp_path / "data", r"labels\.csv: expected labelled images, found none")
    refuse(tmp_path / "nowhere", "nowhere: no such file or folder; expected a table of labels")
    refuse(tmp_path, "expected a table of labels .*; found data$")


# At the command line


def one_class(folder: Path) -> tuple[Path, str]:
    return png_table(folder, names=("ill",)), "expected images of two classes or more, found only 'ill'"


def no_key(folder: Path) -> tuple[Path, str]:
    file = png_table(folder, 6)
    file.write_text(file.read_text().replace("path,", "picture,"))
    return file, "expected a column that names the image"


def absent(folder: Path) -> tuple[Path, str]:
    file = png_table(folder, 6)
    (folder / "003.png").unlink()
    return file, "row 5: expected an image at '003.png'"


def leading_out(folder: Path) -> tuple[Path, str]:
    save_png(folder.parent / "secret.png", pictures([0])[0])
    file = png_table(folder, 6)
    file.write_text(file.read_text().replace("003.png", "../secret.png"))
    return file, "found '../secret.png', which leads out of it"


def pickled(folder: Path) -> tuple[Path, str]:
    folder.mkdir()
    np.savez(folder / "a.npz", train_images=np.array([{}, None], dtype=object), train_labels=np.array([0, 1]))
    return folder / "a.npz", "expected an NPZ archive of plain arrays"


def too_few_patients(folder: Path) -> tuple[Path, str]:
    return png_table(folder, 6, per_patient=3), "2 groups are too few to split by group; 3 are needed"


BAD = [one_class, no_key, absent, leading_out, pickled, too_few_patients]


@pytest.mark.parametrize("make", BAD, ids=[make.__name__ for make in BAD])
def test_a_sentence_and_nothing_written(
    make: Callable[[Path], tuple[Path, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, said = make(tmp_path / "data")
    before = set(tmp_path.rglob("*"))
    sentence = refused(capsys, "train", source, *QUICK, "--out", tmp_path / "run")
    assert said in sentence
    assert source.name in sentence
    assert set(tmp_path.rglob("*")) == before
