"""The profile's table, its options, and replacements that agree over files."""

from __future__ import annotations

import copy
import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from fivefold_healthcare.dicom.deidentification import (
    Dates,
    Deidentifier,
    Options,
)
from plugins.healthcare.deidentified import INSTANCE, SECRET, STUDY, actions, deidentified, image
from plugins.healthcare.single_images import item


def test_basic_profile_follows_the_table() -> None:
    outcome = deidentified(image())
    new = outcome.dataset
    assert new.PatientName == new.PatientID
    assert new.PatientID.startswith("P")
    assert len(new.PatientID) == 13
    assert new.PatientBirthDate == new.PatientSex == new.StudyDate == new.AccessionNumber == ""  # Z
    assert "PatientAge" not in new  # X
    assert new.InstitutionName == new.StationName == "ANONYMIZED"  # X/Z/D
    assert new.AcquisitionDateTime == "19000101000000"
    assert new.Manufacturer == "Example Works"
    assert new.PixelData == bytes((1, 2, 3, 4))
    assert {
        "PatientAge": "X",
        "StudyDate": "Z",
        "StationName": "D",
        "StudyInstanceUID": "U",
    }.items() <= actions(outcome).items()


def test_file_says_how_it_was_deidentified() -> None:
    new = deidentified(image(), retain_uids=True, dates=Dates.UNMODIFIED).dataset
    assert new.PatientIdentityRemoved == "YES"
    assert new.DeidentificationMethod == "DICOM PS3.15 2026c Annex E Basic Profile"
    codes = [(code.CodeValue, code.CodingSchemeDesignator) for code in new.DeidentificationMethodCodeSequence]
    assert codes == [("113100", "DCM"), ("113106", "DCM"), ("113110", "DCM")]
    assert new.LongitudinalTemporalInformationModified == "UNMODIFIED"
    assert deidentified(image()).dataset.LongitudinalTemporalInformationModified == "REMOVED"


def test_meanings_of_codes_are_those_of_the_standard() -> None:
    from pydicom.sr.codedict import codes

    new = deidentified(
        image(),
        retain_uids=True,
        retain_device_identity=True,
        retain_institution_identity=True,
        retain_patient_characteristics=True,
        dates=Dates.MODIFIED,
    ).dataset
    named = [getattr(codes.DCM, name) for name in codes.DCM.dir() if name.endswith(("Profile", "Option"))]
    known = {code.value: code.meaning for code in named}
    used = {code.CodeValue: code.CodeMeaning for code in new.DeidentificationMethodCodeSequence}
    assert set(used) == {"113100", "113107", "113108", "113109", "113110", "113112"}
    assert used == {value: known[value] for value in used}


@pytest.mark.parametrize(
    ("option", "kept"),
    [
        ({"retain_uids": True}, {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"}),
        ({"retain_device_identity": True}, {"StationName"}),
        ({"retain_institution_identity": True}, {"InstitutionName"}),
        ({"retain_patient_characteristics": True}, {"PatientSex", "PatientAge"}),
        ({"dates": Dates.UNMODIFIED}, {"StudyDate", "StudyTime", "AcquisitionDateTime"}),
        ({"dates": Dates.MODIFIED}, {"StudyTime"}),
    ],
)
def test_each_option_retains_its_attributes_and_no_others(option: dict[str, object], kept: set[str]) -> None:
    original = image()
    plain, optional = (
        {e.keyword for e in new if e.keyword in original and e.value == original[e.keyword].value}
        for new in (deidentified(original).dataset, deidentified(original, **option).dataset)
    )
    assert optional - plain == kept
    assert plain <= optional


def test_shifted_dates_keep_intervals_and_precision() -> None:
    from datetime import date

    def day(text: str) -> date:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))

    deidentifier = Deidentifier(Options(dates=Dates.MODIFIED), SECRET)
    first = deidentifier.deidentify(image()).dataset
    second = deidentifier.deidentify(image(StudyDate="20200307", AcquisitionDateTime="202003")).dataset
    assert (day(second.StudyDate) - day(first.StudyDate)).days == 7
    assert -3652 <= (day(first.StudyDate) - date(2020, 2, 29)).days <= -31
    assert first.AcquisitionDateTime[8:] == "101112.000000"  # the zone of time goes
    assert len(second.AcquisitionDateTime) == 6
    assert first.PatientBirthDate == ""
    other = deidentifier.deidentify(image(PatientID="MRN-00043")).dataset
    assert other.StudyDate != first.StudyDate


@pytest.mark.parametrize("dates", [Dates.MODIFIED, Dates.UNMODIFIED])
@pytest.mark.parametrize("value", ["Nightingale", "20201340", "00010101"])
def test_texts_in_place_of_dates_do_not_stay(dates: Dates, value: str) -> None:
    original = image()
    original.add(pydicom.DataElement("SeriesDate", "DA", value, validation_mode=0))
    new = deidentified(original, dates=dates).dataset
    assert new.SeriesDate == ("19000101" if dates is Dates.MODIFIED or not value.isdigit() else value)


def test_replacements_agree_over_files_of_one_secret() -> None:
    deidentifier = Deidentifier(Options(), SECRET)
    first = deidentifier.deidentify(image()).dataset
    reference = [item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=INSTANCE)]
    second = deidentifier.deidentify(image(SOPInstanceUID="1.2.9", ReferencedImageSequence=reference)).dataset
    assert second.ReferencedImageSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert second.ReferencedImageSequence[0].ReferencedSOPClassUID == CTImageStorage
    assert (second.StudyInstanceUID, second.PatientID) == (first.StudyInstanceUID, first.PatientID)
    assert second.SOPInstanceUID != first.SOPInstanceUID
    assert first.SOPInstanceUID.is_valid
    assert first.SOPInstanceUID.startswith("2.25.")
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID
    again = Deidentifier(Options(), SECRET).deidentify(image()).dataset
    assert again == first


def test_item_about_another_patient_gets_that_patients_pseudonym() -> None:
    deidentifier = Deidentifier(Options(dates=Dates.MODIFIED), SECRET)
    others = [item(PatientID="MRN-00043", PatientName="Seacole^Mary"), item(PatientName="Nightingale^F")]
    new = deidentifier.deidentify(image(AnatomicRegionSequence=others)).dataset
    mother = deidentifier.deidentify(image(PatientID="MRN-00043")).dataset
    first, second = new.AnatomicRegionSequence
    assert first.PatientID == first.PatientName == mother.PatientID
    assert second.PatientName == new.PatientID != mother.PatientID


def test_another_secret_and_a_drawn_one_give_other_replacements() -> None:
    found = [
        Deidentifier(Options(), secret).deidentify(image()).dataset
        for secret in (SECRET, b"other", None, None)
    ]
    assert len({str(new.StudyInstanceUID) for new in found}) == 4
    assert len({str(new.PatientID) for new in found}) == 4


def test_uid_is_the_keyed_hash_by_hand() -> None:
    import hashlib
    import hmac
    import uuid

    new = deidentified(image()).dataset.StudyInstanceUID
    digest = hmac.new(SECRET, b"uid\0" + STUDY.encode(), hashlib.sha256).digest()
    made = uuid.UUID(int=int(new.removeprefix("2.25.")))
    assert made.variant == uuid.RFC_4122
    assert made.version == 8
    assert made.bytes[:6] == digest[:6]
    assert made.bytes[9:] == digest[9:16]


def test_original_is_untouched() -> None:
    original = image(ReferencedImageSequence=[item(ReferencedSOPInstanceUID=INSTANCE)])
    before = copy.deepcopy(original)
    outcome = deidentified(original)
    assert original == before
    outcome.dataset.Manufacturer = "Changed"
    assert original == before


def test_second_pass_changes_replacements_only() -> None:
    once = deidentified(image()).dataset
    twice = deidentified(once)
    assert set(twice.dataset.keys()) == set(once.keys())
    assert {change.action for change in twice.changes} <= {"U", "D"}
    same = {element.tag for element in once if element == twice.dataset[element.tag]}
    changed = {pydicom.datadict.keyword_for_tag(tag) for tag in set(once.keys()) - same}
    assert changed == {"PatientName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"}


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, "1.2.840.10008.1.2.1.99"])
@pytest.mark.skipif(shutil.which("dcmftest") is None, reason="needs dcmtk")
def test_dcmtk_reads_the_file(tmp_path: Path, syntax: str) -> None:
    original = image(ReferencedImageSequence=Sequence([item(ReferencedSOPInstanceUID=INSTANCE)]))
    original.file_meta.TransferSyntaxUID = syntax
    outcome = deidentified(original)
    assert outcome.dataset.file_meta.TransferSyntaxUID == syntax
    file = tmp_path / "new.dcm"
    outcome.dataset.save_as(file, enforce_file_format=True)
    assert subprocess.run(["dcmftest", file], check=True, capture_output=True, text=True).stdout.startswith(
        "yes"
    )
    dump = subprocess.run(["dcmdump", file], check=True, capture_output=True, text=True)
    assert outcome.dataset.PatientID in dump.stdout
    assert dump.stderr == ""
