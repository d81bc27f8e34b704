"""The walk over a dataset that carries out the profile's actions, at any depth of sequences."""

from __future__ import annotations

import copy
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from fivefold_healthcare.dicom.deidentification import forms
from fivefold_healthcare.dicom.deidentification.actions import Verdict, judge
from fivefold_healthcare.dicom.deidentification.dummies import dummy, emptied
from fivefold_healthcare.dicom.deidentification.identifiers import Identifiers
from fivefold_healthcare.dicom.deidentification.options import Options
from fivefold_healthcare.dicom.deidentification.report import Change
from fivefold_healthcare.dicom.deidentification.texts import leaves, raw_text, values

_NAME: Final = Tag("PatientName")
_ID: Final = Tag("PatientID")
UNREADABLE: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    NotImplementedError,
    OverflowError,
    struct.error,
)
"""What pydicom raises on values that do not follow the standard."""


@dataclass(frozen=True)
class Gone:
    """A value that the output must not hold.

    Attributes:
        tag: of the element that held it.
        representation: of that element.
        text: the value.
        raw: the element's bytes in the file, where they are known.
    """

    tag: BaseTag
    representation: str
    text: str
    raw: bytes | None = None


@dataclass
class Cleaned:
    """What the walk leaves.

    Attributes:
        dataset: the new dataset.
        changes: what is not as it was.
        gone: values removed or replaced.
        written: texts that the walk put in their place: pseudonyms and UIDs.
    """

    dataset: Dataset = field(default_factory=Dataset)
    changes: list[Change] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    written: set[str] = field(default_factory=set)


class Profile:
    """The basic profile with options.

    Args:
        options: what may stay.
        identifiers: replacements of UIDs, names and dates.
    """

    def __init__(self, options: Options, identifiers: Identifiers) -> None:
        self._options = options
        self._identifiers = identifiers

    def clean(self, source: Dataset) -> Cleaned:
        """A new dataset by the profile; ``source`` is only read."""
        cleaned = Cleaned()
        cleaned.dataset = self._cleaned(source, "", _patient(source), cleaned)
        return cleaned

    def uid(self, original: str) -> str:
        """The UID that stands for ``original`` under the options."""
        return original if self._options.retain_uids else self._identifiers.uid(original)

    def _cleaned(self, source: Dataset, path: str, patient: str, cleaned: Cleaned) -> Dataset:
        target = Dataset()
        for tag in sorted(source.keys()):
            name = attribute(tag)
            place = f"{path}{name}"
            raw = raw_text(source.get_item(tag))
            element = _read(source, tag)
            if element is None:
                _note_raw(source, tag, raw, cleaned)
                cleaned.changes.append(Change(place, name, "X", "cannot be read, so cannot be judged"))
                continue
            verdict = judge(tag, element.VR, self._options)
            if isinstance(element.value, Sequence) and verdict.action in {"K", "U"}:
                inner = [
                    self._cleaned(item, f"{place}[{number}].", _text(item, "PatientID") or patient, cleaned)
                    for number, item in enumerate(element.value)
                ]
                target[tag] = DataElement(tag, "SQ", Sequence(inner))
                continue
            replacement, done = self._replaced(element, verdict, patient)
            if replacement is not None:
                target[tag] = replacement
            if done.action != "K":
                cleaned.changes.append(Change(place, name, done.action, done.reason))
                self._note(element, raw, replacement, cleaned)
        return target

    def _replaced(
        self, element: DataElement, verdict: Verdict, patient: str
    ) -> tuple[DataElement | None, Verdict]:
        """What stands in place of an element, and what was really done."""
        if verdict.action == "X":
            return None, verdict
        if element.is_empty:
            return copy.deepcopy(element), Verdict("K", "")
        if element.tag in {_NAME, _ID}:
            pseudonym = self._identifiers.pseudonym(patient)
            return DataElement(element.tag, element.VR, pseudonym), Verdict("D", "pseudonym")
        return self._altered(element, verdict, patient)

    def _altered(self, element: DataElement, verdict: Verdict, patient: str) -> tuple[DataElement, Verdict]:
        if verdict.action == "Z":
            return emptied(element), verdict
        if verdict.action == "D":
            return dummy(element), verdict
        if verdict.action == "U":
            replaced = DataElement(element.tag, element.VR, _each(element, self._identifiers.uid))
            return replaced, verdict if replaced.value != element.value else Verdict("K", "")
        return self._kept(element, verdict, patient)

    def _kept(self, element: DataElement, verdict: Verdict, patient: str) -> tuple[DataElement, Verdict]:
        """A kept element, if its value is of the form of its representation, moved where it is a date to be moved."""
        if not all(forms.is_valid(text, element.VR) for text in values(element)):
            return dummy(element), Verdict("D", f"not of the form of {element.VR}, so cannot be kept")
        if verdict.action != "C":
            return copy.deepcopy(element), Verdict("K", "")
        days = self._identifiers.days(patient)
        try:
            moved = _each(element, lambda text: forms.shifted(text, days))
        except ValueError:
            return dummy(element), Verdict("D", "not in the calendar, so cannot be moved")
        return DataElement(element.tag, element.VR, moved), verdict

    @staticmethod
    def _note(
        element: DataElement, raw: bytes | None, replacement: DataElement | None, cleaned: Cleaned
    ) -> None:
        if isinstance(element.value, Sequence):
            inner = [leaf for item in element.value for leaf in leaves(item)]
            cleaned.gone += [Gone(leaf.tag, leaf.VR, text) for leaf in inner for text in values(leaf)]
        else:
            cleaned.gone += [Gone(element.tag, element.VR, text, raw) for text in values(element)]
            cleaned.written.update(values(replacement) if replacement is not None else ())


def attribute(tag: BaseTag) -> str:
    """The keyword of an attribute, or its tag as ``(gggg,eeee)`` where it has none."""
    return keyword_for_tag(tag) or f"({tag.group:04x},{tag.element:04x})"


def _patient(dataset: Dataset) -> str:
    """Who a file is about: the patient's identifier, else the name, else the study."""
    return next(
        filter(
            None, (_text(dataset, keyword) for keyword in ("PatientID", "PatientName", "StudyInstanceUID"))
        ),
        "",
    )


def _text(dataset: Dataset, keyword: str) -> str:
    element = _read(dataset, Tag(keyword)) if keyword in dataset else None
    return "" if element is None else str(element.value or "").strip(" \0")


def _read(dataset: Dataset, tag: BaseTag) -> DataElement | None:
    """The element, or None where its value follows the standard so little that pydicom cannot decode it."""
    try:
        return dataset[tag]
    except UNREADABLE:
        return None


def _note_raw(dataset: Dataset, tag: BaseTag, raw: bytes | None, cleaned: Cleaned) -> None:
    item = dataset.get_item(tag)
    representation = item.VR if isinstance(item, RawDataElement) and item.VR else _expected(tag)
    if raw:
        cleaned.gone.append(Gone(tag, representation, raw.decode("latin-1"), raw))


def _expected(tag: BaseTag) -> str:
    return dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"


def _each(element: DataElement, replace: Callable[[str], str]) -> str | list[str]:
    many = element.value
    if isinstance(many, MultiValue | list | tuple):
        return [replace(str(value)) for value in many]
    return replace(str(many))
