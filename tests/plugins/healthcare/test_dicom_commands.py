"""Looking into DICOM and converting it, as a user calls them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image

from fivefold.cli.main import main
from fivefold.cli.output import console
from fivefold_healthcare.statement import STATEMENT
from plugins.healthcare.phantoms import write_series

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
VALUES = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
INFO, CONVERT = ("healthcare", "dicom", "info"), ("healthcare", "dicom", "convert")


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("settings")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "user"))
    monkeypatch.setenv("FIVEFOLD_CACHE", str(folder / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(folder)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    write_series(folder / "ct", VALUES, extra={"SeriesDescription": "Thorax"})
    (folder / "notes.txt").write_text("seen by the ward")
    return folder


def said(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What is written to stdout and, as one line, to stderr."""
    assert main(words) == code
    captured = capsys.readouterr()
    return captured.out, " ".join(captured.err.split())


def refused(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (sentence,) = captured.err.strip().splitlines()
    assert sentence.startswith("error: ")
    assert message in sentence


def as_json(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([*words, "--json"]) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    found = json.loads(captured.out)
    assert isinstance(found, dict)
    return found


def test_info_is_a_table_for_people(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, told = said([*INFO, str(study)], 0, capsys)
    assert out == ""
    assert "series files images size spacing (mm) stored as" in told
    assert "CT Thorax 3 3 4 x 5 2 x 0.8 x 0.7 MONOCHROME2, Explicit VR Little Endian" in told
    assert "1 file of another kind was passed over" in told


def test_info_is_one_object_for_machines(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json([*INFO, str(study)], 0, capsys)
    assert set(found) == {"series", "problems", "cautions", "other_files"}
    assert (found["problems"], found["cautions"], found["other_files"]) == ([], [], 1)
    (series,) = found["series"]
    assert (series["modality"], series["description"], series["patient"]) == ("CT", "Thorax", "P1")
    assert series["files"] == sorted(f"ct/{path.name}" for path in (study / "ct").iterdir())
    assert series["syntaxes"] == {"Explicit VR Little Endian": 3}
    assert series["photometric"] == {"MONOCHROME2": 3}
    assert series["stacks"] == [
        {
            "label": "",
            "images": 3,
            "size": [4, 5],
            "spacing": [2.0, 0.8, 0.7],
            "findings": [],
            "header": {"SpacingBetweenSlices": None, "SliceThickness": 1.0},
        }
    ]


@pytest.mark.parametrize("copies", [[], [0]])
def test_info_makes_up_no_distance_of_slices(
    copies: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_series(tmp_path / "one", VALUES[:1], duplicate=copies, extra={"SpacingBetweenSlices": 3})
    _, told = said([*INFO, str(tmp_path / "one")], 0, capsys)
    assert "4 x 5 ? x 0.8 x 0.7" in told
    ((stack,),) = (one["stacks"] for one in as_json([*INFO, str(tmp_path / "one")], 0, capsys)["series"])
    assert stack["spacing"] == [None, 0.8, 0.7]
    assert stack["header"] == {"SpacingBetweenSlices": 3.0, "SliceThickness": 1.0}


def test_many_series_that_do_not_fit_are_told_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    console.cache_clear()
    for number in range(14):
        write_series(
            tmp_path / f"{number:02d}", VALUES, extra={"SeriesDescription": f"Thorax{number:02d}" + 40 * "x"}
        )
    assert main([*INFO, str(tmp_path)]) == 0
    lines = capsys.readouterr().err.splitlines()
    console.cache_clear()
    assert lines[0].startswith("CT Thorax00")
    assert lines[1] == "  files: 3; images: 3; size: 4 x 5;"
    assert lines[2] == "  spacing (mm): 2 x 0.8 x 0.7;"
    assert sum("Thorax" in line for line in lines) == 14


def test_info_counts_what_cannot_be_read(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (study / "broken.dcm").write_bytes(b"")
    path = min((study / "ct").iterdir())
    path.write_bytes(path.read_bytes()[:-8])
    _, told = said([*INFO, str(study)], 2, capsys)
    assert "Problem: broken.dcm: expected a DICOM file, found an empty file; restore or remove it" in told
    assert f"Problem: ct/{path.name}: expected 40 bytes of pixels for 1 frame of 4 x 5, found 32" in told
    found = as_json([*INFO, str(study)], 2, capsys)
    assert [problem["sample"] for problem in found["problems"]] == ["broken.dcm", f"ct/{path.name}"]
    assert all(set(problem) == {"sample", "reason"} for problem in found["problems"])


def test_mixed_modalities_and_dates_of_birth_are_told(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = write_series(study / "mr", VALUES[:1], modality="MR", extra={"PatientBirthDate": "19800101"})
    write_series(study / "more", VALUES[:1], series_uid="1.2.3", extra={"PatientBirthDate": "19800102"})
    _, told = said([*INFO, str(study)], 0, capsys)
    assert "mixes modalities (CT 4, MR 1 files); choose the series that you mean." in told
    assert "Note: 1 patient id ('P1') stands with different dates of birth" in told
    assert len(as_json([*INFO, str(study)], 0, capsys)["cautions"]) == 2
    one.unlink()
    assert as_json([*INFO, str(study)], 0, capsys)["cautions"] == []


def test_gaps_are_told(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_series(study / "gap", np.concatenate([VALUES, VALUES]), drop=[3], modality="MR")
    _, told = said([*INFO, str(study)], 0, capsys)
    assert "Note: " in told
    assert "expected slices every 2 mm, found 1 slice missing between these two" in told


def test_what_is_true_of_many_files_is_told_once(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        for path in write_series(study / f"{number}", VALUES, series_uid=f"1.2.{number}"):
            header = pydicom.dcmread(path)
            del header.ImagePositionPatient
            header.save_as(path)
    _, told = said([*INFO, str(study)], 0, capsys)
    assert told.count("expected ImagePositionPatient, found none") == 1
    assert re.search(r"Note: \S+, \S+, \S+ and 2 more: expected ImagePositionPatient, found none", told)


def test_files_of_every_kind_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    """Also broken ones, reports and plans, and no file of pydicom ends in an unexpected error."""
    found = as_json([*INFO, str(FILES)], 2, capsys)
    assert len(found["series"]) > 40
    assert all("\n" not in problem["reason"] for problem in found["problems"])
    samples = {problem["sample"] for problem in found["problems"]}
    assert {"MR_truncated.dcm", "badVR.dcm", "no_meta.dcm"} <= samples


@pytest.mark.parametrize("command", [INFO, CONVERT])
def test_bad_sources_are_refused(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*command, "SOURCE", *([str(tmp_path / "out")] if command is CONVERT else [])]
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "notes.dcm").write_text("no DICOM at all")
    (tmp_path / "nothing.dcm").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "escaping.zip", "w") as opened:
        opened.writestr("../escaped.dcm", b"")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as opened:
        opened.writestr("notes.txt", b"")
    for name, message in {
        "absent": "absent",
        "empty": "expected DICOM",
        "notes.dcm": "expected a DICOM file, found something else",
        "nothing.dcm": "found an empty file",
        "escaping.zip": "points outside the folder that it is unpacked into; not unpacked",
        "other.zip": "other.zip: expected DICOM",
    }.items():
        words[3] = str(tmp_path / name)
        refused(words, message, capsys)
    assert not (tmp_path / "out").exists()


def test_convert_to_pictures(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, told = said([*CONVERT, str(study), str(tmp_path / "out"), "--window", "30,60"], 0, capsys)
    assert out == ""
    assert told.endswith(f"3 files written to {tmp_path / 'out'} {STATEMENT}")
    for number, values in enumerate(VALUES):
        with Image.open(tmp_path / "out" / "001-CT-thorax" / f"{number:04d}.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), np.rint(values / 60 * 255))


def test_convert_to_volumes(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json([*CONVERT, str(study), str(tmp_path / "out"), "--to", "nifti"], 0, capsys)
    assert found == {
        "out": str(tmp_path / "out"), "files": ["001-CT-thorax.nii.gz"], "problems": [], "notes": [],
    }  # fmt: skip
    image = nibabel.load(tmp_path / "out" / "001-CT-thorax.nii.gz")
    np.testing.assert_array_equal(np.asarray(image.dataobj), VALUES.transpose(2, 1, 0))
    archive = shutil.make_archive(str(tmp_path / "study"), "zip", study)
    found = as_json([*CONVERT, archive, str(tmp_path / "more"), "--to", "npz"], 0, capsys)
    with np.load(tmp_path / "more" / found["files"][0]) as held:
        np.testing.assert_array_equal(held["values"], VALUES)


def test_convert_tells_what_could_not_be(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_series(study / "gap", np.concatenate([VALUES, VALUES]), drop=[3], modality="MR")
    words = [*CONVERT, str(study), str(tmp_path / "out"), "--to", "nifti"]
    found = as_json(words, 2, capsys)
    assert found["files"] == ["001-CT-thorax.nii.gz"]
    assert [problem["sample"] for problem in found["problems"]] == ["002-MR"]
    shutil.rmtree(tmp_path / "out")
    _, told = said(words, 2, capsys)
    assert "1 file written to" in told
    assert "Problem: " in told
    assert "choose to fill gaps or to keep them" in told
    shutil.rmtree(tmp_path / "out")
    _, told = said([*words, "--gaps", "fill"], 0, capsys)
    assert "2 files written to" in told
    assert "interpolated" in told


def test_of_images_at_one_place_the_first_is_taken_where_asked(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uid = {"SeriesInstanceUID": "1.2", "SeriesDescription": "Thorax"}
    shutil.rmtree(study / "ct")
    write_series(study / "a", VALUES, extra=uid)
    write_series(study / "b", VALUES + 1, extra={**uid, "InstanceNumber": lambda number: 100 + number})
    words = [*CONVERT, str(study), str(tmp_path / "out"), "--to", "nifti"]
    refused(words, "or take the first by --duplicates first of fivefold healthcare dicom convert", capsys)
    _, told = said([*words, "--duplicates", "first"], 0, capsys)
    assert "its pixels are not those of a/" in told
    written = np.asarray(nibabel.load(tmp_path / "out" / "001-CT-thorax.nii.gz").dataobj)
    assert np.array_equal(written.transpose(2, 1, 0), VALUES)


def test_wrong_options_are_refused(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*CONVERT, str(study), str(tmp_path / "out")]
    refused(
        [*words, "--window", "40,-4"],
        "window '40,-4': expected auto, full, a centre and a positive width",
        capsys,
    )
    assert main([*words, "--to", "jpeg"]) == 2
    assert "jpeg" in capsys.readouterr().err
    assert main([*words, "--gaps", "guess"]) == 2
    assert "guess" in capsys.readouterr().err
    (tmp_path / "out").mkdir()
    refused(words, "expected a folder that is not there yet, found one; choose another", capsys)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("command", [INFO, CONVERT])
def test_help_fits_eighty_columns(command: tuple[str, ...]) -> None:
    words = [sys.executable, "-m", "fivefold", *command, "--help"]
    text = subprocess.run(
        words, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "80"}
    ).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith(f"Usage: fivefold {' '.join(command)}")
    for word in ("SOURCE", "--json", "Examples:", f"  fivefold {' '.join(command)}"):
        assert word in text
    if command is CONVERT:
        assert all(word in text for word in ("OUT", "--to", "--window", "--gaps", "(40,400)", "(1%,99%)"))
