"""What de-identification takes out beside what its table names, and what it leaves."""

from __future__ import annotations

from io import BytesIO

import pydicom
import pytest

from fivefold_healthcare.dicom.deidentification import (
    Dates,
)
from plugins.healthcare.deidentified import actions, deidentified, image, written
from plugins.healthcare.single_images import item


def test_private_unknown_and_misplaced_attributes_go() -> None:
    original = image()
    original.private_block(0x0011, "Nurses", create=True).add_new(1, "LO", "Florence N.")
    original.add_new(0x60000010, "US", 4)
    original.add_new(0x50000010, "US", 4)
    original.add_new(0x00080000, "UL", 4)
    original.add_new(0x00081FFF, "LO", "no attribute of DICOM")
    original.add_new(0x0028106A, "LO", "text where a number belongs")
    original.add_new(0x00189999, "UN", b"whatever")
    original.EncryptedAttributesSequence = [item(EncryptedContent=b"abcd")]
    added = set(original.keys()) - set(image().keys())
    outcome = deidentified(original)
    assert not added & set(outcome.dataset.keys())
    assert len(added) == 9
    assert {change.path: change.reason for change in outcome.changes}["(0011,1001)"] == "private attribute"
    assert b"Florence N." not in written(outcome)


def test_attributes_unknown_to_the_table_go_by_their_kind() -> None:
    original = image(
        RetrieveURL="https://hospital.example/42",
        ContextGroupExtensionCreatorUID="1.2.3.99",
        PatientID="MRN-00042",
    )
    original.add_new("TextValue", "UT", "seen by the ward")
    new = deidentified(original).dataset
    assert "RetrieveURL" not in new
    assert "TextValue" not in new
    assert new.ContextGroupExtensionCreatorUID.startswith("2.25.")


def test_sequences_with_dummies_hold_nothing_of_the_item() -> None:
    person = item(
        PersonIdentificationCodeSequence=[
            item(CodeValue="N-17", CodingSchemeDesignator="99W", CodeMeaning="Sister")
        ],
        InstitutionName="Scutari",
    )
    outcome = deidentified(image(VerifyingObserverSequence=[person, person]))
    inner = outcome.dataset.VerifyingObserverSequence
    assert len(inner) == 1
    assert inner[0].PersonIdentificationCodeSequence[0].CodeMeaning == "ANONYMIZED"
    assert b"Sister" not in written(outcome)


def test_file_header_is_written_anew() -> None:
    original = image()
    original.file_meta.SourceApplicationEntityTitle = "SCUTARI_PACS"
    original.file_meta.ImplementationVersionName = "NURSE_1"
    original.file_meta.PrivateInformationCreatorUID = "1.2.3.4"
    original.file_meta.PrivateInformation = b"Florence"
    original.preamble = b"Florence".ljust(128, b"\0")
    outcome = deidentified(original)
    content = written(outcome)
    assert content[:132] == bytes(128) + b"DICM"
    assert not any(text in content for text in (b"SCUTARI", b"NURSE", b"Florence"))
    assert {"preamble", "file_meta.SourceApplicationEntityTitle"} <= set(actions(outcome))


def test_repeats_in_attributes_that_stay_are_removed() -> None:
    outcome = deidentified(
        image(
            SoftwareVersions="build for NIGHTINGALE",
            SequenceName="MRN-00042b",
            ScanOptions="ACC_777",
            AccessionNumber="acc_777",
            SeriesNumber=1820,
            ManufacturerModelName="Model Night",
        )
    )
    new = outcome.dataset
    assert not {"SoftwareVersions", "SequenceName", "ScanOptions"} & {element.keyword for element in new}
    assert (new.SeriesNumber, new.ManufacturerModelName) == (1820, "Model Night")
    reasons = {change.path: change.reason for change in outcome.changes}
    assert reasons["SoftwareVersions"] == "repeats the value of an attribute that was removed"


@pytest.mark.parametrize("charset", ["ISO_IR 192", ["", "ISO 2022 IR 87"]])
def test_repeats_are_found_in_every_script(charset: str | list[str]) -> None:
    original = image(
        SpecificCharacterSet=charset, PatientName="Yamada^Tarou=山田^太郎", SoftwareVersions="試験 山田 様"
    )
    stream = BytesIO()
    original.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    outcome = deidentified(pydicom.dcmread(stream))
    assert "SoftwareVersions" not in outcome.dataset
    assert not any("山田".encode(coding) in written(outcome) for coding in ("utf-8", "iso2022_jp", "euc_jp"))


def test_words_with_another_meaning_stay() -> None:
    new = deidentified(
        image(StudyDescription="CHEST", BodyPartExamined="CHEST", SeriesDescription="Example Works")
    )
    assert new.dataset.BodyPartExamined == "CHEST"
    assert new.dataset.Manufacturer == "Example Works"


def test_newborns_keep_their_study_date() -> None:
    new = deidentified(image(PatientBirthDate="20200229"), dates=Dates.UNMODIFIED).dataset
    assert new.StudyDate == "20200229"


def test_bytes_after_the_last_pixel_are_cut_off() -> None:
    outcome = deidentified(image(PixelData=bytes((1, 2, 3, 4)) + b"MRN-00042"))
    assert outcome.dataset.PixelData == bytes((1, 2, 3, 4))
    assert actions(outcome)["PixelData"] == "C"
