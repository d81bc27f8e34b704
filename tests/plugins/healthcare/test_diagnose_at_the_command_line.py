"""Diagnosis as a user calls it: every task trains and reports, predictions become files and DICOM objects."""

from __future__ import annotations

import csv
import html
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from fivefold.cli.main import main
from fivefold.runs import Run
from fivefold_healthcare.diagnose.pipeline import NO_PATIENTS
from fivefold_healthcare.statement import STATEMENT
from plugins.healthcare.diagnose_cases import (
    DIAGNOSE,
    dicom_image,
    dicom_series,
    dicom_table,
    pictures,
    png_table,
    predicted,
    refused,
    report_of,
    save_nifti,
    save_png,
    split_archive,
    train,
    write_table,
)

OF_QUESTIONS = {"questions", "delong", "operating_point", "recalibration", "decision_curve"}
OF_IMAGES = {"saliency", "image_quality", "model_card"}


def page_of(run: Path) -> str:
    return html.unescape((run / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on pictures of patients, three each, of which two bad ones were left out."""
    folder = tmp_path_factory.mktemp("pictured")
    file = png_table(folder / "data", 60, per_patient=3)
    file.write_text(f"{file.read_text()}bad.png,ill,p99\n")
    (folder / "data" / "bad.png").write_text("no picture")
    save_png(folder / "data" / "stray.png", pictures([0])[0])
    train(file, folder / "run", "--max-bad-share", "0.5")
    return folder / "run"


def test_bad_images_that_are_left_out_stand_in_the_report(pictured: Path) -> None:
    assert {one["sample"] for one in report_of(pictured)["run"]["problems"]} == {"bad.png", "stray.png"}
    page = page_of(pictured)
    assert "bad.png: expected an image, found text" in page
    assert "stray.png: expected a row that names it" in page


# Patients, the statement, cautions


def test_without_patients_the_caution_stands_above_the_verdict(tmp_path: Path) -> None:
    report = train(png_table(tmp_path / "data", per_patient=None), tmp_path / "run")
    units, few, unknown = report["run"]["cautions"]
    assert units.startswith("There are only 4 samples, too few to tell anything from")
    assert few.startswith("Too few to judge by: 2 samples")
    assert unknown == NO_PATIENTS
    assert report["interval"]["unit"] == "sample"
    page = page_of(tmp_path / "run")
    assert 0 < page.index(NO_PATIENTS) < page.index('<section class="verdict')


def test_with_patients_intervals_are_over_them(pictured: Path) -> None:
    report = report_of(pictured)
    (few,) = report["run"]["cautions"]
    assert few.startswith("There are only 2 independent units")
    assert report["interval"]["unit"] == "patient"
    assert report["interval"]["units"] * 3 == report["samples"]
    page = page_of(pictured)
    assert NO_PATIENTS not in page
    assert "subgroups" not in report["sections"]  # PNG files tell of none


def test_the_statement_stands_in_header_and_footer(imaged: Path) -> None:
    page = page_of(imaged)
    for part in ("header", "footer"):
        (found,) = re.findall(rf"<{part}[ >].*?</{part}>", page, re.DOTALL)
        assert STATEMENT in found
    assert STATEMENT == "Research use, not a medical device."
    report = report_of(imaged)
    assert report["run"]["statement"] == STATEMENT


def test_doubts_of_headers_stand_in_the_report(tmp_path: Path) -> None:
    rows = []
    for number in range(24):
        born = "19500101" if number != 5 else "19700101"
        dicom_image(
            tmp_path / "data" / f"{number}.dcm", pictures([number % 2], number)[0], f"P{number // 2}",
            PatientBirthDate=born, Modality="CR" if number < 4 else "CT",
        )  # fmt: skip
        rows.append({"path": f"{number}.dcm", "label": number % 2})
    report = train(write_table(tmp_path / "data" / "labels.csv", rows), tmp_path / "run")
    few, *doubts = report["run"]["cautions"]
    assert few.startswith("There is only one independent unit")
    assert len(doubts) == 2
    assert doubts[0].startswith("1 patient id ('P2') stands with different dates of birth")
    assert doubts[1].startswith("The images are of several modalities (CT 20, CR 4)")
    page = page_of(tmp_path / "run")
    assert all(page.index(doubt) < page.index('<section class="verdict') for doubt in doubts)


# Every task


@pytest.fixture(scope="module")
def imaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on DICOM images."""
    folder = tmp_path_factory.mktemp("imaged")
    train(dicom_table(folder / "data"), folder / "run")
    return folder / "run"


def test_dicom_images_are_judged_by_subgroup(imaged: Path) -> None:
    report = report_of(imaged)
    assert set(report["sections"]) >= OF_QUESTIONS | OF_IMAGES | {"subgroups"}
    columns = {group["column"] for group in report["sections"]["subgroups"]["groups"]}
    assert columns == {"sex", "age", "manufacturer", "site"}
    assert report["interval"]["unit"] == "patient"
    (few,) = report["run"]["cautions"]
    assert few.startswith("There are only 2 independent units")


def test_several_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("none", "mild", "severe")
    file = png_table(tmp_path / "data", 60, names=names, per_patient=1)
    options = ("--class-names", "none", "--class-names", "mild", "--class-names", "severe")
    report = train(file, tmp_path / "run", *options)
    assert set(report["sections"]) >= OF_QUESTIONS | OF_IMAGES
    asked = [one["question"] for one in report["sections"]["questions"]["questions"]]
    assert asked == list(names)
    (record,) = predicted(capsys, tmp_path / "run", tmp_path / "data" / "001.png")
    assert sum(record["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert record["label"] == max(record["probabilities"], key=record["probabilities"].get)
    assert set(record["above_threshold"]) == set(names)


def test_grades(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = png_table(tmp_path / "data", 80, names=("0", "1", "2", "3"), per_patient=2)
    report = train(file, tmp_path / "run", "--task", "ordinal")
    assert set(report["sections"]) >= OF_QUESTIONS | OF_IMAGES
    records = predicted(capsys, tmp_path / "run", tmp_path / "data")
    assert len(records) == 80
    for record in records:
        steps = list(record["probabilities"].values())
        assert list(record["probabilities"]) == ["at least 1", "at least 2", "at least 3"]
        assert steps == sorted(steps, reverse=True)
        assert record["label"] == str(sum(step >= 0.5 for step in steps))


def test_several_labels_with_missing_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = np.arange(60) % 4
    fluid = [("" if number % 7 == 0 else int(code > 1)) for number, code in enumerate(codes)]
    mass = [("-1" if number % 11 == 0 else int(code % 2)) for number, code in enumerate(codes)]
    file = png_table(tmp_path / "data", 60, names=tuple("abcd"), per_patient=2, fluid=fluid, mass=mass)
    report = train(file, tmp_path / "run", "--columns.labels", "fluid", "--columns.labels", "mass")
    assert set(report["sections"]) >= OF_QUESTIONS | OF_IMAGES
    unknown = [one["unknown"] for one in report["sections"]["questions"]["questions"]]
    assert sum(unknown) >= 1
    (record,) = predicted(capsys, tmp_path / "run", tmp_path / "data" / "001.png")
    assert set(record) == {"id", "probabilities", "above_threshold"}  # several answers have no single label
    assert set(record["probabilities"]) == {"fluid", "mass"}


def test_volumes_of_an_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = np.arange(48) % 2
    source = split_archive(tmp_path / "a.npz", pictures(codes, depth=6), codes)
    report = train(source, tmp_path / "run")
    assert set(report["sections"]) >= OF_QUESTIONS | OF_IMAGES
    card = {row["item"]: row["text"] for row in report["sections"]["model_card"]["items"]}
    assert "Brought to 6 x 12 x 12 voxels, grey" in card["Preparation of the images"]
    records = predicted(capsys, tmp_path / "run", source)
    assert [Path(record["id"]).name for record in records[27:30]] == ["train[27]", "val[0]", "val[1]"]
    assert len(records) == 48


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on folders with one DICOM series each."""
    folder = tmp_path_factory.mktemp("scanned")
    rows = []
    for number in range(24):
        values = pictures([number % 2], number, depth=5)[0]
        dicom_series(
            folder / "data" / f"scan{number}", values, f"P{number}", PatientSex="FM"[number % 4 // 2]
        )
        rows.append({"path": f"scan{number}", "label": number % 2})
    train(write_table(folder / "data" / "labels.csv", rows), folder / "run")
    return folder / "run"


def test_folders_of_series(scanned: Path) -> None:
    report = report_of(scanned)
    assert set(report["sections"]) >= OF_QUESTIONS | OF_IMAGES | {"subgroups"}
    assert Run.open(scanned).facts["depth"] == 5
    assert report["interval"]["unit"] == "patient"


def test_every_series_of_a_folder_or_zip_is_predicted(
    scanned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        dicom_series(tmp_path / "in" / f"scan{number}", pictures([number], depth=5)[0], f"Q{number}")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for path in sorted((tmp_path / "in").rglob("*.dcm")):
            archive.write(path, path.relative_to(tmp_path / "in"))
    save_nifti(tmp_path / "in" / "z.nii.gz", pictures([1], depth=5)[0])
    folder = predicted(capsys, scanned, tmp_path / "in")
    assert len(folder) == 3
    assert folder[1]["probabilities"]["1"] == pytest.approx(folder[2]["probabilities"]["1"], abs=1e-6)
    zipped = predicted(capsys, scanned, tmp_path / "in.zip")
    assert [one["probabilities"] for one in zipped] == [one["probabilities"] for one in folder[:2]]


# Predictions


def test_predictions_as_tables(imaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = imaged.parent / "data"
    records = predicted(capsys, imaged, source)
    assert len(records) == 40
    for name in ("out.csv", "out.jsonl"):
        assert main([*DIAGNOSE, "predict", str(imaged), str(source), "--out", str(tmp_path / name)]) == 0
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert lines == records
    with (tmp_path / "out.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["id", "label", "probabilities.ill", "above_threshold.ill"]
    for row, record in zip(rows, records, strict=True):
        assert set(record) == {"id", "label", "probabilities", "above_threshold"}
        assert row["label"] == record["label"] == ("healthy", "ill")[record["above_threshold"]["ill"]]
        assert float(row["probabilities.ill"]) == record["probabilities"]["ill"]
        assert row["above_threshold.ill"] == str(record["above_threshold"]["ill"])


def test_an_input_that_cannot_be_read_is_never_left_out(
    pictured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even where the training was told to leave out a share."""
    save_png(tmp_path / "in" / "a.png", pictures([0])[0])
    (tmp_path / "in" / "b.png").write_text("poem")
    (tmp_path / "in" / "c.dcm").write_text("poem")
    said = refused(capsys, "predict", pictured, tmp_path / "in", "--out", tmp_path / "out.csv")
    assert "expected a DICOM file, found something else" in said
    assert "(the first of 2 such inputs)" in said
    assert "--max-bad-share" not in said
    assert not (tmp_path / "out.csv").exists()


def test_predictions_become_dicom_objects(
    imaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [imaged.parent / "data" / f"{number:03d}.dcm" for number in (3, 4)]
    folder = tmp_path / "objects"
    records = predicted(capsys, imaged, *sources, "--dicom", "both", "--dicom-folder", folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "00001-picture.dcm", "00001-report.dcm", "00002-picture.dcm", "00002-report.dcm",
    ]  # fmt: skip
    for record, source in zip(records, sources, strict=True):
        header = dcmread(source)
        picture, report = (dcmread(path) for path in record["dicom"])
        for written in (picture, report):
            assert written.StudyInstanceUID == header.StudyInstanceUID
            assert written.PatientID == header.PatientID
            assert written.SeriesInstanceUID != header.SeriesInstanceUID
        assert picture.SOPClassUID.name == "Secondary Capture Image Storage"
        pixels = picture.pixel_array
        assert pixels.shape[2] == 3
        assert (pixels[:12, :12].max(axis=2) != pixels[:12, :12].min(axis=2)).any()  # the heat has colours
        assert STATEMENT in picture.ImageComments
        assert report.SOPClassUID.name == "Comprehensive SR Storage"
        said = str(report)
        assert STATEMENT in said
        assert f"{record['probabilities']['ill']:.4g}"[:4] in said
        assert "ill" in said


def test_a_volume_becomes_dicom_objects(
    scanned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--dicom", "picture", "--dicom-folder", tmp_path / "objects")
    (record,) = predicted(capsys, scanned, scanned.parent / "data" / "scan3", *options)
    (path,) = record["dicom"]
    assert dcmread(path).PatientID == "P3"


def test_dicom_objects_are_only_for_dicom_files(
    imaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = save_png(tmp_path / "a.png", pictures([1])[0])
    dicom = imaged.parent / "data" / "000.dcm"
    np.savez(tmp_path / "b.npz", images=pictures([1]))
    options = ("--dicom", "both", "--dicom-folder", tmp_path / "objects")
    for other in (image, tmp_path / "b.npz"):
        said = refused(capsys, "predict", imaged, dicom, other, *options)
        assert f"{other}: expected" in said
        assert "to write DICOM objects for" in said
        assert not (tmp_path / "objects").exists()  # nothing for the first input either


def test_a_folder_for_objects_must_be_new_and_named(
    imaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dicom = imaged.parent / "data" / "000.dcm"
    said = refused(capsys, "predict", imaged, dicom, "--dicom", "report", "--dicom-folder", tmp_path)
    assert f"--dicom-folder {tmp_path}: expected a folder that is not there yet, found one" in said
    for options in (("--dicom", "both"), ("--dicom-folder", tmp_path / "objects")):
        assert "go together" in refused(capsys, "predict", imaged, dicom, *options)


# Judged on other data


def test_other_data_are_judged_with_their_own_cautions(
    pictured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = png_table(tmp_path / "new", 20, seed=5, per_patient=None)
    assert main([*DIAGNOSE, "evaluate", str(pictured), str(other), "--device", "cpu"]) == 0
    (found,) = (pictured / "evaluations").iterdir()
    report = json.loads((found / "report.json").read_text())
    assert report["run"]["cautions"][1:] == [NO_PATIENTS]
    assert report["interval"]["unit"] == "sample"
    assert report["samples"] == 20
    wrong = png_table(tmp_path / "wrong", 4, names=("healthy", "dead"))
    said = refused(capsys, "evaluate", pictured, wrong)
    assert "001.png: unknown label 'dead'; the model knows healthy, ill" in said
