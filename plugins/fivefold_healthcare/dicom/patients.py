"""Patients as DICOM headers tell of them: who, how old, and whether that fits together."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import Dataset

ADULT, MIDDLE, OLD, OLDEST = 18, 40, 60, 80
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


def patient_of(header: Dataset) -> str:
    """PatientID, with its issuer where that is given; the study where there is no id; else nothing."""
    patient = str(header.get("PatientID") or "").strip()
    issuer = str(header.get("IssuerOfPatientID") or "").strip()
    if patient:
        return f"{issuer}/{patient}" if issuer else patient
    return str(header.get("StudyInstanceUID") or "")


def years_of(header: Dataset) -> float | None:
    """Age in years: as stated, else from the dates of birth and study; None where neither can be read."""
    stated = str(header.get("PatientAge") or "")
    if len(stated) == 4 and stated[:3].isdecimal() and stated[3] in _YEARS:  # noqa: PLR2004 - "045Y"
        return int(stated[:3]) * _YEARS[stated[3]]
    born, studied = (str(header.get(name) or "") for name in ("PatientBirthDate", "StudyDate"))
    if len(born) == len(studied) == 8 and (born + studied).isdecimal():  # noqa: PLR2004 - YYYYMMDD
        before = studied[4:] < born[4:]
        return max(0, int(studied[:4]) - int(born[:4]) - before)
    return None


def age_band(years: float | None) -> str:
    """``18 to 39`` and so on; empty where the age is not known."""
    if years is None:
        return ""
    if years < ADULT:
        return f"under {ADULT}"
    if years >= OLDEST:
        return f"{OLDEST} and over"
    low, high = next(
        (low, high) for low, high in ((ADULT, MIDDLE), (MIDDLE, OLD), (OLD, OLDEST)) if years < high
    )
    return f"{low} to {high - 1}"


def birth_dates(headers: Iterable[Dataset]) -> list[str]:
    """A sentence where one patient's id stands with different dates of birth."""
    dates: dict[str, set[str]] = {}
    for header in headers:
        born = str(header.get("PatientBirthDate") or "").strip()
        if header.get("PatientID") and born:
            dates.setdefault(patient_of(header), set()).add(born)
    double = sorted(patient for patient, found in dates.items() if len(found) > 1)
    if not double:
        return []
    named = ", ".join(f"'{patient}'" for patient in double[:3]) + (", ..." if len(double) > 3 else "")  # noqa: PLR2004 - as many as are named
    caution = (
        f"{len(double)} patient id{'s' * (len(double) > 1)} ({named}) stand{'s' * (len(double) == 1)} with "
        "different dates of birth: different people may share an id, or one date is wrong; they are kept "
        "together."
    )
    return [caution]
