"""What a de-identified file says of itself: attributes of PS3.15 E.1.1, and a new header (PS3.10 section 7.1)."""

from __future__ import annotations

from typing import Final

from pydicom import Dataset, __version__
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID

from fivefold_healthcare.dicom.deidentification.options import Options

METHOD: Final = "DICOM PS3.15 2026c Annex E Basic Profile"
IMPLEMENTATION: Final = f"PYDICOM {__version__}"
MARKS: Final = frozenset(
    {
        "PatientIdentityRemoved",
        "DeidentificationMethod",
        "DeidentificationMethodCodeSequence",
        "LongitudinalTemporalInformationModified",
    }
)


def mark(dataset: Dataset, options: Options) -> None:
    """Say in ``dataset`` that, and by which options, it was de-identified; what it said before is replaced."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    dataset.DeidentificationMethodCodeSequence = Sequence(_code(*code) for code in options.codes())
    dataset.LongitudinalTemporalInformationModified = options.dates.value


def file_header(kind: UID, instance: str, syntax: UID) -> FileMetaDataset:
    """The header of the new file, with nothing of the old one but its transfer syntax.

    Args:
        kind: SOP class UID.
        instance: new SOP instance UID.
        syntax: transfer syntax UID.
    """
    header = FileMetaDataset()
    header.FileMetaInformationVersion = b"\x00\x01"
    header.MediaStorageSOPClassUID = kind
    header.MediaStorageSOPInstanceUID = UID(instance)
    header.TransferSyntaxUID = syntax
    header.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    header.ImplementationVersionName = IMPLEMENTATION
    return header


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue = value
    code.CodingSchemeDesignator = "DCM"
    code.CodeMeaning = meaning
    return code
