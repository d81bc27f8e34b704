"""What de-identification refuses, what it warns of, and what its report holds."""

from __future__ import annotations

import json

import pydicom
import pytest
from pydicom import Dataset

from fivefold.errors import ConfigError, DataError
from fivefold_healthcare.dicom.deidentification import (
    DeidentificationReport,
    Deidentifier,
    Options,
)
from plugins.healthcare.deidentified import SECRET, STUDY, deidentified, image


def test_value_in_bytes_that_stay_is_refused() -> None:
    original = image(Rows=1, Columns=25, PixelData=b"\x01\x02NIGHTINGALE^F MRN-00042")
    with pytest.raises(
        DataError, match=r"found one in PixelData \(7FE0,0010\); remove that attribute"
    ) as caught:
        deidentified(original)
    assert "MRN" not in str(caught.value)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.33"}, "found a structured report"),
        ({"ContentSequence": [Dataset()]}, "found a structured report"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}, "found an encapsulated document"),
        ({"EncapsulatedDocument": b"%PDF"}, "found an encapsulated document"),
        ({"GraphicAnnotationSequence": [Dataset()]}, "found a presentation state with annotations"),
        ({"SOPClassUID": "1.2.840.10008.1.3.10"}, "found a DICOMDIR"),
        ({"SOPClassUID": None}, "SOP Class UID"),
        ({"SOPClassUID": "no uid"}, "SOP Class UID"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_files_that_are_text_are_refused(attributes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=f"the dataset: expected .*{message}"):
        deidentified(image(**attributes))


def test_private_transfer_syntax_is_refused() -> None:
    original = image()
    original.file_meta.TransferSyntaxUID = "1.2.840.113619.5.2"
    with pytest.raises(DataError, match="found a private or unknown one"):
        deidentified(original)


def test_values_that_cannot_be_written_are_refused() -> None:
    original = image()
    original.add(pydicom.DataElement("WindowWidth", "US", "wide", validation_mode=0))
    with pytest.raises(DataError, match="values that do not follow the standard"):
        deidentified(original)


def test_empty_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="found an empty one"):
        Deidentifier(Options(), b"")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"BurnedInAnnotation": "YES"}, "BurnedInAnnotation says"),
        ({"Modality": "US"}, "devices of this modality"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2"}, "secondary capture"),
        ({"ConversionType": "DF"}, "converted from a film"),
        ({"RecognizableVisualFeatures": "YES"}, "by the face"),
    ],
)
def test_likely_text_in_the_pixels_is_said(attributes: dict[str, object], message: str) -> None:
    (warning,) = deidentified(image(**attributes)).warnings
    assert message in warning


def test_embedded_overlay_is_said_and_its_description_removed() -> None:
    original = image()
    original.add_new(0x60000010, "US", 2)
    outcome = deidentified(original)
    assert "embedded in the unused bits" in outcome.warnings[0]
    assert 0x60000010 not in outcome.dataset
    original.add_new(0x60003000, "OW", bytes(2))
    assert deidentified(original).warnings == ()


def test_nothing_is_said_of_images_without_text() -> None:
    assert deidentified(image()).warnings == ()
    assert deidentified(image(Modality="US", BurnedInAnnotation="NO")).warnings == ()
    assert deidentified(image(Modality="US", PixelData=None)).warnings != ()


def test_great_age_is_said_where_it_stays() -> None:
    (warning,) = deidentified(image(PatientAge="093Y"), retain_patient_characteristics=True).warnings
    assert "over 89 years" in warning
    assert deidentified(image(PatientAge="089Y"), retain_patient_characteristics=True).warnings == ()
    assert deidentified(image(PatientAge="093Y")).warnings == ()


def test_report_counts_files_and_holds_no_values() -> None:
    deidentifier = Deidentifier(Options(), SECRET)
    report = DeidentificationReport()
    for number in range(2):
        outcome = deidentifier.deidentify(image(SOPInstanceUID=f"1.2.{number}"))
        report.add(f"{number}.dcm", outcome.changes, outcome.warnings)
    report.refuse("2.dcm", "found a structured report")
    content = report.to_dict()
    text = json.dumps(content)
    assert {"attribute": "PatientAge", "action": "X", "files": 2} in content["totals"]
    assert [file["name"] for file in content["files"]] == ["0.dcm", "1.dcm"]
    assert content["refused"] == [{"name": "2.dcm", "reason": "found a structured report"}]
    assert not any(value in text for value in ("Nightingale", "MRN", "ACC-777", STUDY, "20200229"))
