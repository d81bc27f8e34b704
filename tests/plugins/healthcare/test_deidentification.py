import copy
import json
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from fivefold.errors import ConfigError, DataError
from fivefold_healthcare.dicom.deidentification import (
    Dates,
    DeidentificationReport,
    Deidentifier,
    Options,
    Outcome,
)

SECRET = b"sixteen or more random bytes"
STUDY, SERIES, INSTANCE = "1.2.3.4.5.6.7001", "1.2.3.4.5.6.7002", "1.2.3.4.5.6.7003"


def image(**attributes: object) -> Dataset:
    """A CT image of 2 by 2 pixels, as a scanner would name it."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = INSTANCE
    dataset.StudyInstanceUID = STUDY
    dataset.SeriesInstanceUID = SERIES
    dataset.PatientName = "Nightingale^Florence"
    dataset.PatientID = "MRN-00042"
    dataset.PatientBirthDate = "18200512"
    dataset.PatientSex = "F"
    dataset.PatientAge = "034Y"
    dataset.StudyDate = "20200229"
    dataset.StudyTime = "101112"
    dataset.AcquisitionDateTime = "20200229101112.000000+0100"
    dataset.AccessionNumber = "ACC-777"
    dataset.InstitutionName = "Scutari Barracks"
    dataset.StationName = "SCUTARI-CT-2"
    dataset.StudyDescription = "Chest without contrast"
    dataset.Modality = "CT"
    dataset.Manufacturer = "Example Works"
    dataset.Rows = dataset.Columns = 2
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = bytes((1, 2, 3, 4))
    dataset["PixelData"].VR = "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def item(**attributes: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def deidentified(dataset: Dataset, **options: object) -> Outcome:
    return Deidentifier(Options(**options), SECRET).deidentify(dataset)


def written(outcome: Outcome) -> bytes:
    stream = BytesIO()
    outcome.dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def actions(outcome: Outcome) -> dict[str, str]:
    return {change.path: change.action for change in outcome.changes}


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


def test_value_in_bytes_that_stay_is_refused() -> None:
    original = image(Rows=1, Columns=25, PixelData=b"\x01\x02NIGHTINGALE^F MRN-00042")
    with pytest.raises(
        DataError, match=r"found one in PixelData \(7FE0,0010\); remove that attribute"
    ) as caught:
        deidentified(original)
    assert "MRN" not in str(caught.value)


def test_bytes_after_the_last_pixel_are_cut_off() -> None:
    outcome = deidentified(image(PixelData=bytes((1, 2, 3, 4)) + b"MRN-00042"))
    assert outcome.dataset.PixelData == bytes((1, 2, 3, 4))
    assert actions(outcome)["PixelData"] == "C"


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
