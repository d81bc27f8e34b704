"""De-identification of one dataset after the other by DICOM PS3.15 2026c Annex E, with the same replacements in all."""

from __future__ import annotations

import re
import secrets
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import pydicom
from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

from fivefold.errors import ConfigError, DataError
from fivefold_healthcare.dicom.deidentification.burned_in import burned_in_warnings
from fivefold_healthcare.dicom.deidentification.dummies import WRITTEN
from fivefold_healthcare.dicom.deidentification.identifiers import Identifiers
from fivefold_healthcare.dicom.deidentification.marks import IMPLEMENTATION, file_header, mark
from fivefold_healthcare.dicom.deidentification.needles import needles
from fivefold_healthcare.dicom.deidentification.options import Options
from fivefold_healthcare.dicom.deidentification.pictures import clean_pixels
from fivefold_healthcare.dicom.deidentification.profile import UNREADABLE, Cleaned, Gone, Profile, attribute
from fivefold_healthcare.dicom.deidentification.refusals import checked_class, refuse_unsuitable
from fivefold_healthcare.dicom.deidentification.repeats import remove_repeats
from fivefold_healthcare.dicom.deidentification.report import Change
from fivefold_healthcare.dicom.deidentification.residue import refuse_remains
from fivefold_healthcare.dicom.deidentification.texts import leaves, values

_OLDEST_SHOWN: Final = 89
_YEARS: Final = re.compile(r"(\d{1,3})Y?")
_SECRET_LENGTH: Final = 32
_HEADER: Final = "file_meta."


@dataclass(frozen=True)
class Outcome:
    """A de-identified dataset.

    Attributes:
        dataset: the new one; write it by ``dataset.save_as(path, enforce_file_format=True)``.
        changes: what is not as it was, in order of tags.
        warnings: what somebody has to look at, such as text in the pixels.
    """

    dataset: FileDataset
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]


class Deidentifier:
    """Takes identities out of datasets; references between files stay whole.

    Args:
        options: what may stay beyond the basic profile.
        secret: key of all replacements: the same secret gives the same UIDs and pseudonyms in another run. Without
            one it is drawn afresh, and nobody can link this run's files to those of another. Keep it as
            secret as the originals, or throw it away.

    Raises:
        ConfigError: the secret is empty.
    """

    def __init__(self, options: Options | None = None, secret: bytes | None = None) -> None:
        if secret == b"":
            raise ConfigError(
                "expected a secret of random bytes for the replacements, found an empty one, with which anybody can "
                "undo them; give one, or leave it out to have one drawn"
            )
        self._options = options or Options()
        key = secrets.token_bytes(_SECRET_LENGTH) if secret is None else secret
        self._profile = Profile(self._options, Identifiers(key))

    def deidentify(self, dataset: Dataset) -> Outcome:
        """A new dataset without identities.

        Args:
            dataset: the original, which stays as it is.

        Raises:
            DataError: the file's content is text itself (reports, documents), it cannot be written, or a removed
                value would still stand in the new file.
        """
        where = str(getattr(dataset, "filename", None) or "the dataset")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's remarks quote values, which must not reach a log
            refuse_unsuitable(dataset, where)
            return self._deidentified(dataset, where)

    def _deidentified(self, dataset: Dataset, where: str) -> Outcome:
        syntax = _transfer_syntax(dataset, where)
        said = [*burned_in_warnings(dataset), *_old_age(dataset, self._options)]
        cleaned = self._profile.clean(dataset)
        mark(cleaned.dataset, self._options)
        changes, warned = clean_pixels(cleaned.dataset, syntax)
        kind = checked_class(dataset, cleaned.dataset, where)
        new = _file(cleaned.dataset, file_header(kind, self._instance(dataset, cleaned), syntax))
        header, gone = _header_changes(dataset, new)
        written = WRITTEN | {text.lower() for text in (*cleaned.written, IMPLEMENTATION)}
        repeats = remove_repeats(new, needles([*cleaned.gone, *gone], written), written)
        sought = [*repeats.sought, *needles(repeats.gone, written)]
        refuse_remains(_bytes(new, where), new, sought, where)
        return Outcome(new, (*header, *cleaned.changes, *changes, *repeats.changes), (*said, *warned))

    def _instance(self, dataset: Dataset, cleaned: Cleaned) -> str:
        """The new SOP instance UID; a file without one has it in its header only."""
        if cleaned.dataset.get("SOPInstanceUID"):
            return str(cleaned.dataset.SOPInstanceUID)
        header = getattr(dataset, "file_meta", None) or Dataset()
        stated = header.get("MediaStorageSOPInstanceUID")
        return self._profile.uid(str(stated)) if stated else str(generate_uid(prefix=None))


def _transfer_syntax(dataset: Dataset, where: str) -> UID:
    header = getattr(dataset, "file_meta", None) or Dataset()
    stated = header.get("TransferSyntaxUID")
    if stated:
        syntax = UID(str(stated))
        if syntax.is_private or not syntax.is_transfer_syntax:
            raise DataError(
                f"{where}: expected a transfer syntax of DICOM, found a private or unknown one, which nobody else can "
                "read; convert the file with the vendor's software first"
            )
        return syntax
    implicit, little = dataset.original_encoding
    if not little and little is not None:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _file(dataset: Dataset, header: FileMetaDataset) -> FileDataset:
    syntax = header.TransferSyntaxUID
    return FileDataset(
        "",
        dataset,
        preamble=bytes(128),
        file_meta=header,
        is_implicit_VR=syntax.is_implicit_VR,
        is_little_endian=syntax.is_little_endian,
    )


def _header_changes(dataset: Dataset, new: FileDataset) -> tuple[list[Change], list[Gone]]:
    """What the old header and preamble held that the new ones do not."""
    changes, gone = [], []
    if any(getattr(dataset, "preamble", None) or b""):
        changes.append(Change("preamble", "preamble", "Z", "may hold the header of another format"))
    for element in leaves(getattr(dataset, "file_meta", None) or Dataset()):
        replacement = new.file_meta.get(element.tag)
        if element.tag.element == 0 or (replacement is not None and replacement.value == element.value):
            continue
        name = attribute(element.tag)
        action = "X" if replacement is None else "D"
        changes.append(Change(f"{_HEADER}{name}", name, action, "the header of the file is written anew"))
        gone += [Gone(element.tag, element.VR, text) for text in values(element)]
    return changes, gone


def _old_age(dataset: Dataset, options: Options) -> list[str]:
    age = _YEARS.fullmatch(str(dataset.get("PatientAge") or "").strip())
    if not options.retain_patient_characteristics or age is None or int(age[1]) <= _OLDEST_SHOWN:
        return []
    warning = (
        f"PatientAge is kept and over {_OLDEST_SHOWN} years, which is rare enough to identify (45 CFR 164.514 wants "
        "such ages grouped); leave the option out for this file"
    )
    return [warning]


def _bytes(dataset: FileDataset, where: str) -> bytes:
    """The file as it would be written; deflated data as they are before."""
    stored = dataset.file_meta.TransferSyntaxUID
    stream = BytesIO()
    try:
        if stored == DeflatedExplicitVRLittleEndian:
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    except (*UNREADABLE, OSError) as error:  # pydicom raises OSError for numbers; nothing here touches a disk
        raise DataError(
            f"{where}: expected a dataset that can be written as DICOM, found values that do not follow the standard "
            f"({type(error).__name__}); mend the file first, or leave it out"
        ) from None  # pydicom's own message quotes the value
    finally:
        dataset.file_meta.TransferSyntaxUID = stored
    return stream.getvalue()
