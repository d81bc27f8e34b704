"""Sources of DICOM: files, folders, DICOMDIRs and zip archives, and what is wrong with them."""

from __future__ import annotations

import gc
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from fivefold.errors import ArchiveError, DataError
from fivefold_healthcare.dicom.files import find_instances, is_dicom, is_directory_record, read_header
from plugins.healthcare.phantoms import write_series

INSTALLED = Path(pydicom.__file__).parent / "data"
FILES = INSTALLED / "test_files"
VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two slices, and files of other kinds beside them."""
    folder = tmp_path / "study"
    write_series(folder / "series", VALUES, order=[0, 1])
    (folder / "notes.txt").write_text("seen by the ward")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / ".hidden.dcm").write_bytes(b"nothing to read")
    return folder


def names(found: Any) -> list[str]:
    return [instance.name for instance in found.instances]


def test_a_folder_is_searched_and_other_files_are_counted(study: Path) -> None:
    found = find_instances(study)
    assert names(found) == ["series/00000.dcm", "series/00001.dcm"]
    assert found.problems == ()
    assert found.others == 2
    assert [instance.header.InstanceNumber for instance in found.instances] == [1, 2]
    assert all("PixelData" not in instance.header for instance in found.instances)


def test_files_are_taken_for_dicom_by_their_content(study: Path) -> None:
    (study / "series" / "00000.dcm").rename(study / "IM0001")
    (study / "series" / "00001.dcm").rename(study / "slice.data")
    assert names(find_instances(study)) == ["IM0001", "slice.data"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "broken.dcm: expected a DICOM file, found an empty file; restore or remove it"),
        (b"patient,age\nP1,45\n", "broken.dcm: expected a DICOM file, found something else; remove it, or name"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "broken.dcm: expected a DICOM file, found something else"),
        (bytes(128) + b"DICM\x08\x00\x05\x00SQ\0\0\xff\xff\xff\xff\x01", "found one whose header cannot be read"),
    ],
)  # fmt: skip
def test_what_is_named_dicom_and_is_none_is_a_problem(content: bytes, message: str, study: Path) -> None:
    broken = study / "broken.dcm"
    broken.write_bytes(content)
    found = find_instances(study)
    assert len(found.instances) == 2
    (problem,) = found.problems
    assert problem.sample == "broken.dcm"
    assert message in problem.reason
    assert "\n" not in problem.reason
    with pytest.raises(DataError, match="expected a DICOM file") as caught:
        find_instances(broken)
    assert str(broken) in str(caught.value)


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent: no such file or folder; expected DICOM files, a folder"):
        find_instances(tmp_path / "absent")
    with pytest.raises(DataError, match=r"absent\.dcm: expected a DICOM file, found none"):
        read_header(tmp_path / "absent.dcm", "absent.dcm")


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    found = find_instances(tmp_path)
    assert (found.instances, found.problems, found.others) == ((), (), 0)


def test_a_single_file(study: Path) -> None:
    assert names(find_instances(study / "series" / "00000.dcm")) == ["00000.dcm"]
    assert not is_dicom(study / "notes.txt")
    assert not is_dicom(study / "absent")


def test_more_frames_than_bytes_are_refused_before_anything_is_made_for_each(tmp_path: Path) -> None:
    (path,) = write_series(tmp_path, VALUES[:1], extra={"NumberOfFrames": 2**20})
    (problem,) = find_instances(tmp_path).problems
    size = path.stat().st_size
    assert f"found 1,048,576 frames declared in {size:,} bytes; the header is wrong" in problem.reason


# DICOMDIR.


def directory(folder: Path, *entries: list[str] | str | None) -> Path:
    """A DICOMDIR that lists these files."""
    records = []
    for entry in entries:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        if entry is not None:
            record.add(pydicom.DataElement("ReferencedFileID", "CS", entry, validation_mode=0))
        records.append(record)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.1.3.10")
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.DirectoryRecordSequence = records
    dataset.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_a_dicomdir_names_its_files(study: Path) -> None:
    file = directory(study, ["series", "00001.dcm"], None, ["series", "00000.dcm"])
    found = find_instances(file)
    assert names(found) == ["series/00000.dcm", "series/00001.dcm"]
    assert (found.problems, found.others) == ((), 0)
    assert is_directory_record(read_header(file, "DICOMDIR"))
    assert names(find_instances(study)) == names(found)  # in a folder it is no image of its own


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_a_dicomdir_that_names_absent_files_or_files_elsewhere(study: Path, tmp_path: Path) -> None:
    write_series(tmp_path / "elsewhere", VALUES[:1], order=[0])
    outside = str(tmp_path / "elsewhere" / "00000.dcm")
    (study / "link.dcm").symlink_to(outside)
    file = directory(
        study,
        ["series", "00000.dcm"],
        ["..", "elsewhere", "00000.dcm"],
        outside,
        ["GONE"],
        "notes.txt",
        "link.dcm",
    )
    found = find_instances(file)
    assert names(found) == ["series/00000.dcm"]
    reasons = [problem.reason for problem in found.problems]
    assert [problem.sample for problem in found.problems] == [
        "../elsewhere/00000.dcm", outside, "GONE", "notes.txt", "link.dcm",
    ]  # fmt: skip
    outsides = (reasons[0], reasons[1], reasons[4])
    assert all("points outside the folder of the DICOMDIR" in reason for reason in outsides)
    assert reasons[2].endswith("the entry 'GONE' names a file that is not there; restore it")
    assert "notes.txt: expected a DICOM file, found something else" in reasons[3]
    assert all("\n" not in reason for reason in reasons)


def test_dicomdirs_of_pydicom_name_their_files() -> None:
    folder = FILES / "dicomdirtests"
    found = find_instances(folder / "DICOMDIR")
    assert len(found.instances) == 31
    assert found.problems == ()
    everything = find_instances(folder)
    assert set(names(found)) <= set(names(everything))
    assert not any(Path(name).name.startswith("DICOMDIR") for name in names(everything))


# Zip archives.


def packed(study: Path) -> Path:
    return Path(shutil.make_archive(str(study), "zip", study))


def test_an_archive_is_read_like_its_folder_and_cleans_up(study: Path) -> None:
    found = find_instances(packed(study))
    assert names(found) == ["series/00000.dcm", "series/00001.dcm"]
    assert found.others == 2
    place = found.instances[0].path
    assert pydicom.dcmread(place).PixelData == VALUES[0].tobytes()
    del found
    gc.collect()
    assert not place.exists()


def test_an_archive_is_known_by_its_content(study: Path) -> None:
    renamed = packed(study).rename(study / "study.data")
    assert len(find_instances(renamed).instances) == 2


@pytest.mark.parametrize("name", ["../escaped.dcm", "/escaped.dcm", "a/../../escaped.dcm", "C:\\escaped.dcm"])
def test_an_archive_with_a_path_that_escapes_is_refused(name: str, study: Path) -> None:
    archive = packed(study)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(name, b"whatever")
    before = sorted(study.parent.rglob("*"))
    with pytest.raises(
        ArchiveError, match="points outside the folder that it is unpacked into; not unpacked"
    ):
        find_instances(archive)
    assert sorted(study.parent.rglob("*")) == before


def test_a_broken_archive_is_refused(study: Path) -> None:
    archive = packed(study)
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(ArchiveError, match="the archive is broken"):
        find_instances(archive)


def test_an_archive_without_dicom_holds_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as opened:
        opened.writestr("notes.txt", "nothing")
    found = find_instances(tmp_path / "other.zip")
    assert (found.instances, found.problems, found.others) == ((), (), 1)
