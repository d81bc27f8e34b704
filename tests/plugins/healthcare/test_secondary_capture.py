"""Secondary captures written from pydicom's own files, read again by pydicom and by dcmtk."""

from __future__ import annotations

import copy
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import Dataset

from fivefold.errors import DataError, StorageError
from fivefold_healthcare.dicom.files import quiet
from fivefold_healthcare.dicom.generated import Origin, Result, save_dicom
from fivefold_healthcare.dicom.secondary_capture import SMALLEST_WIDTH, secondary_capture, with_strip
from plugins.healthcare.shipped_files import NOTICE, SOURCES, read

ORIGIN = Origin("densenet of run 7", "0.1.0", NOTICE, datetime(2024, 5, 6, 7, 8, 9, 123456))
RESULTS = (Result("pneumonia", 0.873, 0.5, positive=True), Result("effusion", 0.1, 0.25, positive=False))
PATIENT_AND_STUDY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def written(
    folder: Path, source: Dataset, results: Sequence[Result] = RESULTS, origin: Origin = ORIGIN
) -> Dataset:
    save_dicom(secondary_capture(source, noise(40, 500), results, origin), folder / "capture.dcm")
    with quiet():
        return pydicom.dcmread(folder / "capture.dcm")


def value(dataset: Dataset, keyword: str) -> Any:
    with quiet():
        return dataset.get(keyword) or None


@pytest.mark.parametrize("name", SOURCES)
def test_it_belongs_to_the_patient_and_study_of_its_source(name: str, tmp_path: Path) -> None:
    source = read(name)
    capture = written(tmp_path, source)
    for keyword in PATIENT_AND_STUDY:
        assert keyword in capture
        assert value(capture, keyword) == value(source, keyword)
    assert capture.SeriesInstanceUID != source.SeriesInstanceUID
    assert capture.SOPInstanceUID != source.SOPInstanceUID
    assert capture.SOPClassUID == pydicom.uid.SecondaryCaptureImageStorage
    assert capture.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert capture.SpecificCharacterSet == "ISO_IR 192"
    (reference,) = capture.SourceImageSequence
    assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert reference.ReferencedSOPClassUID == source.SOPClassUID


def test_it_says_what_it_is_and_what_was_predicted(tmp_path: Path) -> None:
    capture = written(tmp_path, read("CT_small.dcm"))
    assert str(capture.ImageComments).splitlines() == [
        NOTICE,
        "1. pneumonia: probability 0.873, threshold 0.500: yes",
        "2. effusion: probability 0.100, threshold 0.250: no",
    ]
    assert capture.SeriesDescription == f"{NOTICE} densenet of run 7"
    assert NOTICE in capture.DerivationDescription
    assert "densenet of run 7 (fivefold 0.1.0)" in capture.DerivationDescription
    assert list(capture.ImageType[:2]) == ["DERIVED", "SECONDARY"]
    assert (capture.Manufacturer, capture.SoftwareVersions) == ("fivefold", "fivefold 0.1.0")
    assert (capture.ContentDate, capture.DateOfSecondaryCapture, capture.InstanceCreationDate) == (
        "20240506",
    ) * 3
    assert capture.InstanceCreationTime == "070809.123456"


def test_the_source_is_left_as_it_is() -> None:
    source = read("ExplVR_BigEnd.dcm")
    before = copy.deepcopy(source)
    secondary_capture(source, noise(20, 20), RESULTS, ORIGIN)
    assert source == before
    assert source.file_meta == before.file_meta


def test_the_picture_keeps_its_pixels_above_a_strip(tmp_path: Path) -> None:
    picture = noise(40, 500)
    pixels = written(tmp_path, read("CT_small.dcm")).pixel_array
    np.testing.assert_array_equal(pixels[:40], picture)
    assert pixels.shape[1] == 500
    strip = pixels[40:]
    assert strip[strip > 128].size > 500  # text, drawn in white
    assert strip[:, -2:].max() == 0  # and none of it cut off
    assert strip[-3:].max() == 0


def test_a_narrow_picture_gets_a_black_margin() -> None:
    picture = noise(30, 64)
    pixels = with_strip(picture, RESULTS, NOTICE)
    np.testing.assert_array_equal(pixels[:30, :64], picture)
    assert pixels.shape[1] == SMALLEST_WIDTH
    assert pixels[:30, 64:].max() == 0


def test_the_strip_is_the_text_that_opencv_draws() -> None:
    pixels = with_strip(np.zeros((10, 1000, 3), np.uint8), RESULTS, NOTICE)
    expected = np.zeros((3 * 30 + 15, 1000, 3), np.uint8)
    lines = (
        NOTICE,
        "1. pneumonia: probability 0.873, threshold 0.500: yes",
        "2. effusion: probability 0.100, threshold 0.250: no",
    )
    for number, line in enumerate(lines, start=1):
        cv2.putText(
            expected, line, (15, 30 * number), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255,) * 3, 1, cv2.LINE_AA
        )
    np.testing.assert_array_equal(pixels[10:], expected)


def test_a_long_label_is_cut_before_its_numbers_are() -> None:
    results = [Result("long " * 40, 0.873, 0.5, positive=True)]
    other = [Result("long " * 40, 0.874, 0.5, positive=True)]
    picture = noise(30, 400)
    one, two = with_strip(picture, results, NOTICE), with_strip(picture, other, NOTICE)
    assert one.shape == two.shape
    assert (one != two).any()
    assert one[:, -2:][30:].max() == 0


def test_a_word_wider_than_the_picture_is_broken() -> None:
    strip = with_strip(noise(5, 384), [Result("W" * 200, 0.5, 0.5, positive=True)], NOTICE)[5:]
    assert strip[:, -2:].max() == 0
    assert strip.shape[0] > with_strip(noise(5, 384), [Result("W", 0.5, 0.5, positive=True)], NOTICE).shape[0]


def test_many_results_all_stand_in_the_comments(tmp_path: Path) -> None:
    results = [Result(f"{number} " + "x" * 200, number / 128, 0.5, positive=False) for number in range(100)]
    capture = written(tmp_path, read("CT_small.dcm"), results)
    lines = str(capture.ImageComments).splitlines()
    assert len(str(capture.ImageComments)) <= 10240
    assert len(lines) == 101
    for line, result in zip(lines[1:], results, strict=True):
        assert line.endswith(f"…: probability {result.probability:.3f}, threshold 0.500: no")


def test_images_of_one_series_and_prediction_share_a_new_series() -> None:
    source = read("CT_small.dcm")
    one, two = (secondary_capture(source, noise(9, 9), RESULTS, ORIGIN) for _ in range(2))
    later = Origin(ORIGIN.model, ORIGIN.software_version, NOTICE, datetime(2025, 1, 1, tzinfo=UTC))
    other = secondary_capture(source, noise(9, 9), RESULTS, later)
    assert one.SeriesInstanceUID == two.SeriesInstanceUID != other.SeriesInstanceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.SeriesNumber == 1901  # the source's is 1
    for capture in (one, other):
        assert capture.SeriesInstanceUID.is_valid
        assert capture.SOPInstanceUID.is_valid


@pytest.mark.parametrize(("number", "expected"), [(None, 901), (-3, 901), (4, 4901), (2**31 - 1, 901)])
def test_series_numbers_stay_in_bounds(number: int | None, expected: int) -> None:
    source = read("CT_small.dcm")
    source.SeriesNumber = number
    source.InstanceNumber = number
    capture = secondary_capture(source, noise(9, 9), RESULTS, ORIGIN)
    assert capture.SeriesNumber == expected
    assert capture.InstanceNumber == (number if number and number > 0 else 1)


def test_burned_in_annotation_is_what_the_source_says(tmp_path: Path) -> None:
    source = read("CT_small.dcm")
    assert "BurnedInAnnotation" not in written(tmp_path, source)
    for said in ("YES", "NO"):
        source.BurnedInAnnotation = said
        assert secondary_capture(source, noise(9, 9), RESULTS, ORIGIN).BurnedInAnnotation == said


def test_what_was_compressed_with_loss_stays_so() -> None:
    source = read("JPEG2000.dcm")
    source.LossyImageCompression = "01"
    source.LossyImageCompressionRatio = "8.5"
    capture = secondary_capture(source, noise(9, 9), RESULTS, ORIGIN)
    assert (capture.LossyImageCompression, capture.LossyImageCompressionRatio) == ("01", 8.5)


def test_a_source_without_patient_is_filled_empty(tmp_path: Path) -> None:
    source = read("CT_small.dcm")
    for keyword in PATIENT_AND_STUDY:
        if keyword != "StudyInstanceUID" and keyword in source:
            del source[keyword]
    capture = written(tmp_path, source)
    for keyword in PATIENT_AND_STUDY:
        assert keyword in capture
    assert not capture.PatientName
    assert not capture.PatientID


def test_names_in_another_character_set_are_written_as_utf8(tmp_path: Path) -> None:
    source = read("CT_small.dcm")
    source.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    source.PatientName = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    source.StudyDescription = "胸部"
    source.save_as(tmp_path / "source.dcm")
    capture = written(tmp_path, pydicom.dcmread(tmp_path / "source.dcm"))
    assert str(capture.PatientName) == "Yamada^Tarou=山田^太郎=やまだ^たろう"
    assert capture.StudyDescription == "胸部"
    assert "山田".encode() in (tmp_path / "capture.dcm").read_bytes()


def test_how_a_source_was_de_identified_is_kept(tmp_path: Path) -> None:
    source = read("ExplVR_BigEnd.dcm")
    method = Dataset()
    method.CodeValue, method.CodingSchemeDesignator = "113100", "DCM"
    method.CodeMeaning = "Basic Application Confidentiality Profile"
    method.ContextGroupExtensionFlag = "N"
    method.SelectorASValue = "030Y"
    method.Rows = 258  # two bytes, in the order of the source
    source.PatientIdentityRemoved = "YES"
    source.DeidentificationMethodCodeSequence = [method]
    source.save_as(tmp_path / "source.dcm")
    capture = written(tmp_path, pydicom.dcmread(tmp_path / "source.dcm"))
    assert capture.PatientIdentityRemoved == "YES"
    (found,) = capture.DeidentificationMethodCodeSequence
    assert found.CodeValue == "113100"
    assert found.Rows == 258


def test_values_that_break_the_standard_are_copied_as_they_are(tmp_path: Path) -> None:
    source = read("CT_small.dcm")
    with quiet():
        source.PatientID = "P" * 90
        source.PatientSex = "female"
        source.StudyDate = "2004.01.19"
        source.StudyInstanceUID = "1.2.03.x"
        source.SOPInstanceUID = "1.2.03.y"
    capture = written(tmp_path, source)
    with quiet():
        assert capture.PatientID == "P" * 90
        assert capture.PatientSex == "female"
        assert capture.StudyDate == "2004.01.19"
        assert capture.StudyInstanceUID == "1.2.03.x"
        assert capture.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.03.y"


@pytest.mark.parametrize(
    "keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID"]
)
@pytest.mark.parametrize("spoil", ["absent", "empty", "two"])
def test_a_source_without_identifier_is_refused(keyword: str, spoil: str) -> None:
    source = read("CT_small.dcm")
    if spoil == "absent":
        del source[keyword]
    else:
        setattr(source, keyword, "" if spoil == "empty" else ["1.2.3", "1.2.4"])
    with pytest.raises(
        DataError, match=rf"CT_small\.dcm: expected a DICOM object with one {keyword}, found "
    ):
        secondary_capture(source, noise(9, 9), RESULTS, ORIGIN)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_a_picture_of_another_kind_is_refused(picture: NDArray[Any]) -> None:
    with pytest.raises(
        DataError, match=r"expected uint8 of shape \(H, W, 3\), found (uint8|float32) of shape"
    ):
        secondary_capture(read("CT_small.dcm"), picture, RESULTS, ORIGIN)


def test_a_picture_too_large_with_its_strip_is_refused() -> None:
    with pytest.raises(
        DataError, match="expected at most 65535 pixels a side, found 65541 rows and 384 columns"
    ):
        with_strip(np.zeros((65499, 1, 3), np.uint8), RESULTS, NOTICE)


def test_no_results_are_refused() -> None:
    with pytest.raises(DataError, match="expected at least one, found none"):
        secondary_capture(read("CT_small.dcm"), noise(9, 9), [], ORIGIN)


@pytest.mark.parametrize(
    ("question", "probability", "threshold", "message"),
    [
        ("", 0.5, 0.5, "expected the name of its question, found a blank one"),
        (" \t", 0.5, 0.5, "expected the name of its question, found a blank one"),
        (
            "a\x1bb",
            0.5,
            0.5,
            r"question 'a\\x1bb': expected a name without control characters, found U\+001B",
        ),
        ("a\ud800", 0.5, 0.5, r"found U\+D800"),
        ("a", float("nan"), 0.5, "question 'a': expected a probability within 0 and 1, found nan"),
        ("a", 1.5, 0.5, "question 'a': expected a probability within 0 and 1, found 1.5"),
        ("a", 0.5, -1.0, "question 'a': expected a threshold within 0 and 1, found -1.0"),
    ],
)
def test_bad_results_are_refused(question: str, probability: float, threshold: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Result(question, probability, threshold, positive=True)


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    capture = secondary_capture(read("CT_small.dcm"), noise(9, 9), RESULTS, ORIGIN)
    (tmp_path / "mine.dcm").write_text("mine")
    with pytest.raises(StorageError, match=r"mine\.dcm: expected no such file, found one"):
        save_dicom(capture, tmp_path / "mine.dcm")
    assert (tmp_path / "mine.dcm").read_text() == "mine"
    save_dicom(capture, tmp_path / "new" / "capture.dcm")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["capture.dcm"]


LABELS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=200).filter(str.strip)


@settings(max_examples=30, deadline=None)
@given(labels=st.lists(LABELS, min_size=1, max_size=3), model=LABELS)
def test_odd_labels_give_files_that_open(
    tmp_path_factory: pytest.TempPathFactory, labels: list[str], model: str
) -> None:
    results = [Result(label, 0.25, 0.5, positive=False) for label in labels]
    origin = Origin(model, "0.1.0", NOTICE, ORIGIN.created)
    save_dicom(
        secondary_capture(read("CT_small.dcm"), noise(8, 8), results, origin),
        path := tmp_path_factory.mktemp("odd") / "capture.dcm",
    )
    capture = pydicom.dcmread(path)
    for label in labels:
        assert f"{label.strip()}: probability 0.250" in str(capture.ImageComments)
    assert len(capture.SeriesDescription.encode()) <= 64
    np.testing.assert_array_equal(capture.pixel_array[:8, :8], noise(8, 8))


@pytest.mark.parametrize("name", SOURCES)
def test_dcmtk_reads_it(name: str, tmp_path: Path) -> None:
    if not shutil.which("dcmdump") or not shutil.which("dcm2pnm"):
        pytest.skip("needs dcmdump and dcm2pnm of dcmtk")
    capture = written(tmp_path, read(name))
    dump = subprocess.run(
        ["dcmdump", "+L", "+U8", tmp_path / "capture.dcm"], capture_output=True, text=True, check=True
    )
    assert "1. pneumonia: probability 0.873, threshold 0.500: yes" in dump.stdout
    assert dump.stderr == ""
    subprocess.run(["dcm2pnm", tmp_path / "capture.dcm", tmp_path / "capture.ppm"], check=True)
    shown = cv2.imread(str(tmp_path / "capture.ppm"))[..., ::-1]
    np.testing.assert_array_equal(shown, capture.pixel_array)
