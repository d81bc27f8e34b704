"""Attributes that stay and repeat what was removed, such as a protocol's code with the patient's name in it.

- A text that is also the whole value of an attribute that stays ("CHEST" as study description and as body part) is no
  repeat, unless it names a person or a case.
- Names count in parts too, as whole words and in any case of letters; other texts as they are written.
- In codes (CS) and numbers (DS, IS), a removed text counts only as the whole value and only if it names a person or a
  case; in numbers with at least six characters, since short ones are equal by chance. Dates and UIDs repeat nothing:
  a newborn's study may well have the date of birth.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydicom import DataElement, Dataset
from pydicom.sequence import Sequence as Items

from fivefold_healthcare.dicom.deidentification.actions import TEXTS
from fivefold_healthcare.dicom.deidentification.marks import MARKS
from fivefold_healthcare.dicom.deidentification.needles import Needle
from fivefold_healthcare.dicom.deidentification.profile import Gone, attribute
from fivefold_healthcare.dicom.deidentification.report import Change
from fivefold_healthcare.dicom.deidentification.texts import values

_NUMBERS: Final = frozenset({"DS", "IS"})
_OTHERS: Final = frozenset({"AS", "DA", "DT", "TM", "UI"})
_SHORTEST_NUMBER: Final = 6
_PICTURE: Final = 0x0028


@dataclass
class Repeats:
    """What the search for repeats leaves.

    Attributes:
        changes: attributes that were removed.
        gone: their values.
        sought: needles that still must not occur.
    """

    sought: list[Needle]
    changes: list[Change] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)


def remove_repeats(dataset: Dataset, needles: Sequence[Needle], written: Collection[str]) -> Repeats:
    """Remove from ``dataset``, in place, attributes whose text repeats a needle.

    Args:
        dataset: the new dataset; what it says of its own de-identification is passed over.
        needles: what to search for.
        written: texts that the profile itself writes, in lower case; these are no hits.
    """
    places = [place for place in _places(dataset, "") if place.element.VR in TEXTS | _NUMBERS | _OTHERS]
    kept = {text.lower() for place in places for text in values(place.element)}
    found = Repeats([needle for needle in needles if needle.identity or needle.text.lower() not in kept])
    verdicts: dict[tuple[str, str], bool] = {}
    for place in places:
        if _repeats(place.element, found.sought, written, verdicts):
            element = place.element
            del place.owner[element.tag]
            reason = "repeats the value of an attribute that was removed"
            found.changes.append(Change(place.path, attribute(element.tag), "X", reason))
            found.gone += [Gone(element.tag, element.VR, text) for text in values(element)]
    return found


@dataclass(frozen=True)
class _Place:
    owner: Dataset
    path: str
    element: DataElement


def _places(dataset: Dataset, path: str) -> Iterator[_Place]:
    """Every element that is no sequence, at any depth, but for the marks of the de-identification itself."""
    for element in dataset:
        here = f"{path}{attribute(element.tag)}"
        if not path and element.keyword in MARKS:
            continue
        if isinstance(element.value, Items):
            for number, item in enumerate(element.value):
                yield from _places(item, f"{here}[{number}].")
        else:
            yield _Place(dataset, here, element)


def _repeats(
    element: DataElement,
    sought: Sequence[Needle],
    written: Collection[str],
    verdicts: dict[tuple[str, str], bool],
) -> bool:
    """Whether any value of an element is a hit; ``verdicts`` remembers values that recur in many frames."""
    if (
        element.VR == "CS" and element.tag.group == _PICTURE
    ):  # defined terms without which pixels cannot be read
        return False
    for text in values(element):
        key = (text, element.VR)
        if key not in verdicts:
            verdicts[key] = text.lower() not in written and _hit(text, element.VR, sought)
        if verdicts[key]:
            return True
    return False


def _hit(text: str, representation: str, sought: Sequence[Needle]) -> bool:
    if representation in TEXTS - {"CS"}:
        return any(needle.occurs(text) for needle in sought)
    if representation in _OTHERS or (representation in _NUMBERS and len(text) < _SHORTEST_NUMBER):
        return False
    whole = (needle.text for needle in sought if needle.identity and not needle.word)
    return text.lower() in whole
