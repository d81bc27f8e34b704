"""Files that the profile cannot make anonymous without taking away what they are for, or cannot write."""

from __future__ import annotations

from typing import Final

from pydicom import Dataset
from pydicom.uid import UID

from fivefold.errors import DataError

_REPORTS: Final = "1.2.840.10008.5.1.4.1.1.88."
_DOCUMENTS: Final = "1.2.840.10008.5.1.4.1.1.104."
_DIRECTORY: Final = "1.2.840.10008.1.3.10"


def refuse_unsuitable(dataset: Dataset, where: str) -> None:
    """Refuse files whose content is the text itself.

    Args:
        dataset: the original.
        where: what the message calls it.

    Raises:
        DataError: it is a structured report, an encapsulated document, a presentation state with text, or a
            DICOMDIR.
    """
    kind = str(dataset.get("SOPClassUID") or "")
    if kind == _DIRECTORY or "DirectoryRecordSequence" in dataset:
        raise DataError(
            f"{where}: expected an image, found a DICOMDIR, which lists patients and files; de-identify the files "
            "and have a new DICOMDIR made of them"
        )
    if kind.startswith(_REPORTS) or "ContentSequence" in dataset:
        raise DataError(
            f"{where}: expected an image, found a structured report, whose content is text that no program can make "
            "anonymous without removing it; leave the file out"
        )
    if kind.startswith(_DOCUMENTS) or "EncapsulatedDocument" in dataset:
        raise DataError(
            f"{where}: expected an image, found an encapsulated document (such as PDF, CDA or a model), which cannot "
            "be made anonymous; leave the file out"
        )
    if "GraphicAnnotationSequence" in dataset:
        raise DataError(
            f"{where}: expected an image, found a presentation state with annotations, whose text cannot be made "
            "anonymous; leave the file out"
        )


def checked_class(dataset: Dataset, cleaned: Dataset, where: str) -> UID:
    """The SOP class UID, if the original has one and the profile left it.

    Raises:
        DataError: it has none, or one that is no UID.
    """
    kind = UID(str(dataset.get("SOPClassUID") or ""))
    if not kind.is_valid or cleaned.get("SOPClassUID") != kind:
        raise DataError(
            f"{where}: expected a DICOM object with one SOP Class UID (0008,0016), found none; without it nobody can "
            "say what the file holds, so add it or leave the file out"
        )
    return kind
