"""What all DICOM objects share that are written from predictions: results, origin, identifiers, and the file.

A generated object belongs to the patient and study of its source and stands in a series of its own (PS3.3 A.1.2).
Its text is UTF-8 (``ISO_IR 192``), whatever the source's is.
"""

from __future__ import annotations

import copy
import math
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from pydicom import Dataset

from fivefold.errors import DataError, StorageError
from fivefold.files import written_aside
from fivefold_healthcare.dicom.files import quiet

MANUFACTURER = "fivefold"

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID")
_EMPTY_OR_KNOWN = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber",
)  # fmt: skip
"""Type 2: they must be there, and may be empty (PS3.3 C.7.1.1, C.7.2.1)."""
_WHERE_KNOWN = (
    "IssuerOfPatientID", "PatientBirthTime", "PatientAge", "PatientComments", "PatientSpeciesDescription",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified", "StudyDescription",
)  # fmt: skip
_SERIES_NUMBERS = {"picture": 901, "report": 902}
_LARGEST_SERIES_NUMBER = 2_000_000
_LONGEST_LO = 64
_UNPRINTABLE = {"Cc", "Cs"}


@dataclass(frozen=True)
class Result:
    """The answer to one question.

    Attributes:
        question: its name, as the user wrote it.
        probability: of yes.
        threshold: from which on the answer is yes.
        positive: whether the answer is yes.

    Raises:
        DataError: the question is blank or has characters that are none, or a number is not within 0 and 1.
    """

    question: str
    probability: float
    threshold: float
    positive: bool

    def __post_init__(self) -> None:
        if not self.label:
            raise DataError("result to write as DICOM: expected the name of its question, found a blank one")
        for character in self.label:
            if unicodedata.category(character) in _UNPRINTABLE:
                raise DataError(
                    f"question {self.label!r}: expected a name without control characters, found "
                    f"U+{ord(character):04X}; rename the question"
                )
        for name, value in (("probability", self.probability), ("threshold", self.threshold)):
            if not (math.isfinite(value) and 0 <= value <= 1):
                raise DataError(f"question '{self.label}': expected a {name} within 0 and 1, found {value}")

    @property
    def label(self) -> str:
        """The question without blanks at its ends, which DICOM does not keep."""
        return self.question.strip()

    @property
    def answer(self) -> str:
        """Probability, threshold and answer, in words."""
        answer = "yes" if self.positive else "no"
        return f"probability {self.probability:.3f}, threshold {self.threshold:.3f}: {answer}"


@dataclass(frozen=True)
class Origin:
    """Where results come from.

    Attributes:
        model: name and version of the run.
        software_version: of fivefold.
        notice: what the results are not to be taken for: "Research use, not a medical device."
        created: when the prediction was made. Objects of one moment, model and source series share a series.
    """

    model: str
    software_version: str
    notice: str
    created: datetime

    @property
    def local_time(self) -> datetime:
        """``created`` as a local time, which DICOM takes times for that name no zone."""
        return self.created.astimezone()


def reference(source: Dataset) -> Dataset:
    """A data set with nothing but what identifies ``source``, and the attributes of type 2, empty.

    Raises:
        DataError: the source lacks an identifier, without which nothing can refer to it.
    """
    result = Dataset()
    for keyword in _UIDS:
        value = source.get(keyword)
        if not value or not isinstance(value, str):
            raise DataError(
                f"{_name(source)}: expected a DICOM object with one {keyword}, found {value or 'none'}; export "
                "it again with its identifiers"
            )
        setattr(result, keyword, value)
    for keyword in _EMPTY_OR_KNOWN:
        setattr(result, keyword, None)
    return result


def require_results(results: Sequence[Result]) -> None:
    """Refuse to write nothing.

    Raises:
        DataError: there is no result.
    """
    if not results:
        raise DataError("results to write as DICOM: expected at least one, found none")


def identity(source: Dataset, origin: Origin, kind: Literal["picture", "report"]) -> dict[str, Any]:
    """What tells a generated object from others: arguments that highdicom's classes have in common.

    The UIDs are derived from UUIDs (PS3.5 B.2). The one of the series follows from the source's series, the kind
    and the origin, so that the results for all images of a series stand side by side in one.
    """
    series = "\n".join(
        (
            str(source.SeriesInstanceUID),
            kind,
            origin.model,
            origin.software_version,
            origin.created.isoformat(),
        )
    )
    moment = origin.local_time
    number = _whole_number(source, "SeriesNumber")
    return {
        "series_instance_uid": named_uid(series),
        "series_number": (1000 * number if number <= _LARGEST_SERIES_NUMBER else 0) + _SERIES_NUMBERS[kind],
        "series_description": long_string(f"{origin.notice} {origin.model}"),
        "series_date": moment.date(),
        "series_time": moment.time(),
        "sop_instance_uid": f"2.25.{uuid.uuid4().int}",
        "instance_number": _whole_number(source, "InstanceNumber") or 1,
        "content_date": moment.date(),
        "content_time": moment.time(),
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": long_string(origin.model),
        "software_versions": long_string(f"fivefold {origin.software_version}"),
        "specific_character_set": "ISO_IR 192",
    }


def named_uid(name: str) -> str:
    """A UID that is always the same for ``name``, and another one for every other name."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'fivefold:{name}').int}"


def add_patient_and_study(generated: Dataset, source: Dataset, origin: Origin) -> None:
    """Give ``generated`` the source's patient and study, as they are there, and the moment of its creation."""
    for keyword in _EMPTY_OR_KNOWN:
        setattr(generated, keyword, None)
    copy_known(generated, source, (*_EMPTY_OR_KNOWN, *_WHERE_KNOWN))
    generated.InstanceCreationDate = origin.local_time.strftime("%Y%m%d")
    generated.InstanceCreationTime = origin.local_time.strftime("%H%M%S.%f")


def copy_known(generated: Dataset, source: Dataset, keywords: Sequence[str]) -> None:
    """Copy the attributes that ``source`` has, values that break the standard among them: they identify, too."""
    for keyword in keywords:
        if keyword in source:
            element = copy.deepcopy(source[keyword])
            if element.VR == "SQ":
                for item in element.value:
                    item.decode()  # else it would be written in the byte order and characters of the source
            generated.add(element)


def cut(text: str, length: int) -> str:
    """``text`` within ``length`` bytes of UTF-8, with an ellipsis where characters are left out.

    The standard bounds values in characters, but there are readers that count bytes.
    """
    encoded = text.encode()
    if len(encoded) <= length:
        return text
    return encoded[: length - len("…".encode())].decode(errors="ignore").rstrip() + "…"


def long_string(text: str) -> str:
    """``text`` as a value of type LO (PS3.5 6.2), of at most 64, and without backslashes, which separate values."""
    return cut(text.replace("\\", "/"), _LONGEST_LO)


def save_dicom(dataset: Dataset, path: Path) -> None:
    """Write ``dataset`` as a DICOM file (PS3.10), whole or not at all, and never over another file.

    Raises:
        StorageError: something is there already, or the file cannot be written.
    """
    if path.exists():
        raise StorageError(f"{path}: expected no such file, found one; remove it or choose another place")
    with written_aside(path) as part, quiet():
        dataset.save_as(part, enforce_file_format=True)


def _name(source: Dataset) -> str:
    name = getattr(source, "filename", None)
    return str(name) if isinstance(name, str | PathLike) else "source of the results"


def _whole_number(source: Dataset, keyword: str) -> int:
    """A positive number of the source; 0 where there is none."""
    value = source.get(keyword)
    return int(value) if isinstance(value, int) and value > 0 else 0
