"""De-identification by DICOM PS3.15 2026c Annex E: the Basic Application Level Confidentiality Profile with options."""

from fivefold_healthcare.dicom.deidentification.deidentifier import Deidentifier, Outcome
from fivefold_healthcare.dicom.deidentification.options import Dates, Options
from fivefold_healthcare.dicom.deidentification.report import Change, DeidentificationReport

__all__ = ["Change", "Dates", "DeidentificationReport", "Deidentifier", "Options", "Outcome"]
