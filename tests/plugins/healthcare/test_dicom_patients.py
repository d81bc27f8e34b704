"""Patients: who, how old, and whether dates of birth agree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import DataElement, Dataset
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR

from fivefold_healthcare.dicom.patients import age_band, birth_dates, patient_of, years_of


def header(**attributes: str) -> Dataset:
    """Values are not checked, as those of files are not."""
    made = Dataset()
    for keyword, value in attributes.items():
        made.add(DataElement(keyword, dictionary_VR(keyword), value, validation_mode=IGNORE))
    return made


def test_who_a_patient_is() -> None:
    assert patient_of(header(PatientID=" P1 ", IssuerOfPatientID="", StudyInstanceUID="1.2")) == "P1"
    assert patient_of(header(PatientID="P1", IssuerOfPatientID="Ward")) == "Ward/P1"
    assert patient_of(header(PatientID="", StudyInstanceUID="1.2")) == "1.2"
    assert patient_of(header(PatientID="  ", IssuerOfPatientID="Ward", StudyInstanceUID="1.2")) == "1.2"
    assert patient_of(header()) == ""


@pytest.mark.parametrize(
    ("attributes", "years"),
    [
        ({"PatientAge": "045Y"}, 45),
        ({"PatientAge": "018M"}, 1.5),
        ({"PatientAge": "002W"}, 14 / 365.25),
        ({"PatientAge": "010D"}, 10 / 365.25),
        ({"PatientAge": "045Y", "PatientBirthDate": "19000101", "StudyDate": "20000101"}, 45),
        ({"PatientBirthDate": "19800615", "StudyDate": "20200615"}, 40),
        ({"PatientBirthDate": "19800616", "StudyDate": "20200615"}, 39),
        ({"PatientBirthDate": "20200229", "StudyDate": "20210228"}, 0),
        ({"PatientBirthDate": "20210101", "StudyDate": "20200101"}, 0),
        ({"PatientBirthDate": "19800616"}, None),
        ({"PatientBirthDate": "1980", "StudyDate": "20200615"}, None),
        ({}, None),
    ],
)
def test_how_old_a_patient_is(attributes: dict[str, str], years: float | None) -> None:
    found = years_of(header(**attributes))
    assert found is None if years is None else found == pytest.approx(years)


@pytest.mark.parametrize("text", ["45Y", "045", "0x5Y", "045J", "-45Y"])
def test_ages_that_cannot_be_read_are_left_to_the_dates(text: str) -> None:
    assert years_of(header(PatientAge=text)) is None
    assert years_of(header(PatientAge=text, PatientBirthDate="20000101", StudyDate="20300101")) == 30


@pytest.mark.parametrize(
    ("years", "band"),
    [
        (None, ""), (0, "under 18"), (17.9, "under 18"), (18, "18 to 39"), (39.9, "18 to 39"), (40, "40 to 59"),
        (60, "60 to 79"), (79.9, "60 to 79"), (80, "80 and over"), (110, "80 and over"),
    ],
)  # fmt: skip
def test_bands_of_age(years: float | None, band: str) -> None:
    assert age_band(years) == band


@given(years=st.floats(0, 150))
@settings(max_examples=40, deadline=None)
def test_every_age_is_in_a_band(years: float) -> None:
    assert age_band(years)


def test_one_id_on_two_dates_of_birth_is_told() -> None:
    one = header(PatientID="P1", PatientBirthDate="19800101")
    other = header(PatientID="P1", PatientBirthDate="19800102")
    assert birth_dates([one, one]) == []
    (caution,) = birth_dates([one, other])
    assert caution.startswith("1 patient id ('P1') stands with different dates of birth")
    assert birth_dates([one, header(PatientID="P1")]) == []
    issued = header(PatientID="P1", IssuerOfPatientID="Ward", PatientBirthDate="19900101")
    assert birth_dates([one, issued]) == []
    study = header(StudyInstanceUID="1.2", PatientBirthDate="1990")
    assert birth_dates([study, header(StudyInstanceUID="1.2", PatientBirthDate="1991")]) == []


def test_many_ids_on_two_dates_are_counted() -> None:
    headers = [
        header(PatientID=f"P{number}", PatientBirthDate=f"1980010{day}")
        for number in range(5)
        for day in (1, 2)
    ]
    (caution,) = birth_dates(headers)
    assert caution.startswith("5 patient ids ('P0', 'P1', 'P2', ...) stand with different dates of birth")
