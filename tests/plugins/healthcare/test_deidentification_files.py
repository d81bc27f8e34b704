"""The property that matters, over every file of pydicom: nothing that was removed stands in the new file's bytes."""

import copy
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from fivefold.errors import DataError
from fivefold_healthcare.dicom.deidentification import Dates, Deidentifier, Options

SECRET = b"sixteen or more random bytes"
OWN = Path(pydicom.data.__file__).parent
OPTIONS = {
    "none": Options(),
    "all": Options(
        retain_uids=True,
        retain_device_identity=True,
        retain_institution_identity=True,
        retain_patient_characteristics=True,
        dates=Dates.UNMODIFIED,
    ),
    "shifted": Options(dates=Dates.MODIFIED),
}
PICTURES = (
    "693_J2KI.dcm",
    "JPEG2000.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "SC_rgb_dcmtk_+eb+cy+s2.dcm",
    "SC_rgb_jpeg_app14_dcmd.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_rle_2frame.dcm",
    "examples_ybr_color.dcm",
    "liver_1frame.dcm",
)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # the files are there because they break rules


def own_files() -> list[Path]:
    folders = ("test_files", "charset_files")
    return sorted(file for folder in folders for file in (OWN / folder).rglob("*") if file.is_file())


def readable(files: list[Path]) -> Iterator[Dataset]:
    for file in files:
        try:
            yield pydicom.dcmread(file)
        except Exception:  # noqa: BLE001, S112 - not DICOM, or broken beyond reading: not this test's concern
            continue


def texts(
    dataset: Dataset, path: tuple[object, ...] = ()
) -> Iterator[tuple[tuple[object, ...], BaseTag, str]]:
    """Path, tag and text of every value of text, however deep."""
    for element in dataset:
        here = (*path, element.tag)
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from texts(item, (*here, number))
        else:
            many = element.value if isinstance(element.value, MultiValue) else [element.value]
            for value in many:
                if not isinstance(value, bytes | float | int) and value is not None:
                    yield here, element.tag, str(value).strip(" \0")


def leaks(original: Dataset, new: Dataset, content: bytes) -> list[str]:
    """Texts of the original that are gone from their place and still stand in the bytes of the new file."""
    before = [*texts(original), *texts(original.file_meta)]
    after = {(path, text) for path, _, text in texts(new)} | {
        (path, text) for path, _, text in texts(new.file_meta)
    }
    kept = {text.lower() for _, text in after}
    gone = {text for path, _, text in before if (path, text) not in after}
    worth = {
        text for text in gone if len(text) >= 4 and any(map(str.isalpha, text)) and text.lower() not in kept
    }
    known = pydicom.uid.UID_dictionary
    return [
        t for t in worth - set(known) if t.encode() in content or t.encode("latin-1", "replace") in content
    ]


def check(files: list[Path], options: Options) -> tuple[int, list[str]]:
    """How many files were de-identified, and what the others were refused for."""
    done, refusals, deidentifier = 0, [], Deidentifier(options, SECRET)
    for original in readable(files):
        before = copy.deepcopy(original)
        try:
            outcome = deidentifier.deidentify(original)
        except DataError as error:
            refusals.append(str(error))
            continue
        stream = BytesIO()
        outcome.dataset.save_as(stream, enforce_file_format=True)
        assert leaks(original, outcome.dataset, stream.getvalue()) == [], original.filename
        assert original == before
        assert not any(tag.is_private for _, tag, _ in texts(pydicom.dcmread(BytesIO(stream.getvalue()))))
        done += 1
    return done, refusals


@pytest.mark.parametrize(("options", "step"), [("none", 1), ("all", 4), ("shifted", 4)])
def test_no_removed_text_stands_in_files_of_pydicom(options: str, step: int) -> None:
    done, refusals = check(own_files()[::step], OPTIONS[options])
    assert done > 100 / step
    assert all("found a structured report" in r or "DICOMDIR" in r or "found none" in r for r in refusals)


def test_no_removed_text_stands_in_files_of_pydicom_data(pydicom_data: Path) -> None:
    done, refusals = check(sorted(pydicom_data.glob("*.dcm")), OPTIONS["none"])
    assert done > 60
    assert all("found none" in refusal for refusal in refusals)


@pytest.mark.parametrize("name", PICTURES)
def test_pixels_are_the_same(name: str) -> None:
    original = pydicom.dcmread(OWN / "test_files" / name)
    stream = BytesIO()
    Deidentifier(Options(), SECRET).deidentify(original).dataset.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    new = pydicom.dcmread(stream)
    assert np.array_equal(new.pixel_array, original.pixel_array)
    assert new.file_meta.TransferSyntaxUID == original.file_meta.TransferSyntaxUID


def test_file_on_disk_is_untouched(tmp_path: Path) -> None:
    file = shutil.copy(OWN / "test_files" / "CT_small.dcm", tmp_path / "original.dcm")
    before = file.read_bytes()
    outcome = Deidentifier(Options(), SECRET).deidentify(pydicom.dcmread(file, defer_size=64))
    outcome.dataset.save_as(tmp_path / "new.dcm", enforce_file_format=True)
    assert file.read_bytes() == before
    assert pydicom.dcmread(tmp_path / "new.dcm").pixel_array.shape == (128, 128)


def test_comments_of_the_real_pictures_are_gone() -> None:
    original = pydicom.dcmread(OWN / "test_files" / "JPEG2000.dcm")
    outcome = Deidentifier(Options(), SECRET).deidentify(original)
    assert b"Kakadu" in original.PixelData
    assert b"Kakadu" not in outcome.dataset.PixelData


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="needs dcmtk")
@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "rtplan.dcm", "693_J2KI.dcm", "waveform_ecg.dcm", "image_dfl.dcm"]
)
def test_dcmtk_reads_the_new_files(name: str, tmp_path: Path) -> None:
    outcome = Deidentifier(Options(), SECRET).deidentify(pydicom.dcmread(OWN / "test_files" / name))
    outcome.dataset.save_as(tmp_path / "new.dcm", enforce_file_format=True)
    test = subprocess.run(["dcmftest", tmp_path / "new.dcm"], check=True, capture_output=True, text=True)
    dump = subprocess.run(["dcmdump", tmp_path / "new.dcm"], check=True, capture_output=True, text=True)
    assert test.stdout.startswith("yes")
    assert not [line for line in dump.stderr.splitlines() if line.startswith("E:")]
    assert "PatientIdentityRemoved" in dump.stdout


def test_remarks_of_pydicom_on_values_reach_nobody() -> None:
    original = pydicom.dcmread(OWN / "test_files" / "badVR.dcm")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Deidentifier(Options(), SECRET).deidentify(original)
