"""Options of the profile (PS3.15 Annex E.3): what may stay that the basic profile removes.

Two options of the standard are not offered. Clean Descriptors keeps free text from which identities were taken out;
no program finds every name in a sentence, so free text is removed. Retain Safe Private keeps vendors' attributes
known to be harmless; which these are depends on the software version, so private attributes are removed.

Where the standard says "clean" for an option, or this author is unsure of its column, the attribute is not retained.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydicom.tag import BaseTag, Tag


class Dates(StrEnum):
    """What becomes of dates; the values are those of LongitudinalTemporalInformationModified (0028,0303)."""

    REMOVED = "REMOVED"
    MODIFIED = "MODIFIED"
    UNMODIFIED = "UNMODIFIED"


_DEVICE: Final = frozenset(
    {
        Tag("StationAETitle"),
        Tag("StationName"),
        Tag("DeviceSerialNumber"),
        Tag("DeviceUID"),
        Tag("PlateID"),
        Tag("GeneratorID"),
        Tag("CassetteID"),
        Tag("GantryID"),
        Tag("UniqueDeviceIdentifier"),
        Tag("UDISequence"),
        Tag("ManufacturerDeviceClassUID"),
        Tag("TransducerIdentificationSequence"),
        Tag("DetectorID"),
        Tag("ScheduledStationAETitle"),
        Tag("ScheduledStationName"),
        Tag("ScheduledStationNameCodeSequence"),
        Tag("ScheduledStationGeographicLocationCodeSequence"),
        Tag("PerformedStationAETitle"),
        Tag("PerformedStationName"),
        Tag("PerformedStationNameCodeSequence"),
        Tag("PerformedStationGeographicLocationCodeSequence"),
        Tag("SourceSerialNumber"),
        Tag("TreatmentMachineName"),
    }
)
_INSTITUTION: Final = frozenset(
    {
        Tag("InstitutionName"),
        Tag("InstitutionAddress"),
        Tag("InstitutionCodeSequence"),
        Tag("InstitutionalDepartmentName"),
        Tag("InstitutionalDepartmentTypeCodeSequence"),
    }
)
_CHARACTERISTICS: Final = frozenset(
    {
        Tag("PatientSex"),
        Tag("PatientAge"),
        Tag("PatientSize"),
        Tag("PatientWeight"),
        Tag("EthnicGroup"),
        Tag("EthnicGroupCodeSequence"),
        Tag("SmokingStatus"),
        Tag("PregnancyStatus"),
        Tag("PatientSexNeutered"),
    }
)
_NEVER_DATES: Final = frozenset({0x0010, 0x0016})
"""Groups whose dates stay out: the patient's own (birth, last menstruation), and those of satellite navigation."""

_TIMEZONE: Final = Tag("TimezoneOffsetFromUTC")
_IMAGES: Final = frozenset({Tag("ReferencedImageSequence"), Tag("SourceImageSequence")})


@dataclass(frozen=True)
class Options:
    """What stays beyond the basic profile; by default nothing.

    Attributes:
        retain_uids: Retain UIDs Option (113110); files can then be matched to the originals.
        retain_device_identity: Retain Device Identity Option (113109).
        retain_institution_identity: Retain Institution Identity Option (113112).
        retain_patient_characteristics: Retain Patient Characteristics Option (113108): sex, age, size, weight, ...
        dates: removed, shifted by a number of days that is the same for all of a patient's files (113107), or kept
            (113106). Birth dates never stay.
    """

    retain_uids: bool = False
    retain_device_identity: bool = False
    retain_institution_identity: bool = False
    retain_patient_characteristics: bool = False
    dates: Dates = Dates.REMOVED

    def retained(self, tag: BaseTag, representation: str) -> str | None:
        """Which option keeps an attribute with values of ``representation``, or None."""
        if self.retain_uids and (representation == "UI" or tag in _IMAGES):
            return "Retain UIDs Option"
        if self.retain_device_identity and tag in _DEVICE:
            return "Retain Device Identity Option"
        if self.retain_institution_identity and tag in _INSTITUTION:
            return "Retain Institution Identity Option"
        if self.retain_patient_characteristics and tag in _CHARACTERISTICS:
            return "Retain Patient Characteristics Option"
        return self._retained_date(tag, representation)

    def _retained_date(self, tag: BaseTag, representation: str) -> str | None:
        if self.dates is Dates.UNMODIFIED and tag == _TIMEZONE:
            return "Retain Longitudinal Temporal Information Full Dates Option"
        if representation not in {"DA", "DT", "TM"} or tag.group in _NEVER_DATES:
            return None
        if self.dates is Dates.UNMODIFIED:
            return "Retain Longitudinal Temporal Information Full Dates Option"
        if self.dates is Dates.MODIFIED:
            return "Retain Longitudinal Temporal Information Modified Dates Option"
        return None

    def shifts(self, representation: str) -> bool:
        """Whether values of ``representation`` are moved by days; times of day stay."""
        return self.dates is Dates.MODIFIED and representation in {"DA", "DT"}

    def codes(self) -> tuple[tuple[str, str], ...]:
        """Code values and meanings (PS3.16 CID 7050, scheme DCM) of the profile and of the options in force."""
        optional = (
            (
                self.dates is Dates.UNMODIFIED,
                "113106",
                "Retain Longitudinal Temporal Information Full Dates Option",
            ),
            (
                self.dates is Dates.MODIFIED,
                "113107",
                "Retain Longitudinal Temporal Information Modified Dates Option",
            ),
            (self.retain_patient_characteristics, "113108", "Retain Patient Characteristics Option"),
            (self.retain_device_identity, "113109", "Retain Device Identity Option"),
            (self.retain_uids, "113110", "Retain UIDs Option"),
            (self.retain_institution_identity, "113112", "Retain Institution Identity Option"),
        )
        chosen = tuple((value, meaning) for active, value, meaning in optional if active)
        return (("113100", "Basic Application Confidentiality Profile"), *chosen)
