"""What becomes of an attribute: DICOM PS3.15 2026c Table E.1-1, and rules for what the table does not name.

Letters are those of the standard: X removed, Z emptied, D replaced by a dummy, U replaced by a consistent UID,
C cleaned (here: dates that are shifted), K kept. Where the standard lets an attribute's type in its information
object decide (X/Z, X/D, Z/D, X/Z/D), the choice is the one that is valid for every type: Z for X/Z, else D.
Sequences are removed rather than filled with dummies where the standard allows both.

The table keeps what it does not name. This is narrowed: unnamed attributes whose values are names, dates, free text,
addresses of machines or of the web, or of unknown representation are not kept, nor is one the dictionary lacks.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.tag import BaseTag, Tag

from fivefold_healthcare.dicom.deidentification.options import Options

Action = Literal["X", "Z", "D", "U", "C", "K"]

TEXTS: Final = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
"""Value representations that hold text which nothing but its length restricts."""

_TABLE: Final = Path(__file__).with_name("table_e1_1.csv")
_CHOICES: Final[dict[str, Action]] = {
    "X": "X",
    "Z": "Z",
    "D": "D",
    "U": "U",
    "X/Z": "Z",
    "X/D": "D",
    "Z/D": "D",
    "X/Z/D": "D",
    "X/Z/U*": "U",
}
_UNNAMED: Final[dict[str, tuple[Action, str]]] = {
    "PN": ("D", "a name that Table E.1-1 does not list"),
    "DA": ("D", "a date that Table E.1-1 does not list"),
    "DT": ("D", "a date that Table E.1-1 does not list"),
    "TM": ("D", "a time that Table E.1-1 does not list"),
    "LT": ("X", "free text, which cannot be cleaned reliably"),
    "ST": ("X", "free text, which cannot be cleaned reliably"),
    "UT": ("X", "free text, which cannot be cleaned reliably"),
    "UR": ("X", "an address, which may identify a site or a patient"),
    "AE": ("X", "the title of a machine, which may identify a site"),
    "UN": ("X", "a value of unknown representation, which may hide text"),
}
_HEADER: Final = 0x0002
_CURVES: Final = range(0x5000, 0x5100)
_OVERLAYS: Final = range(0x6000, 0x6100)
_ENCRYPTED: Final = Tag(0x0400, 0x0500)
_URN_CODE: Final = Tag(0x0008, 0x0120)
_CLASSES: Final = frozenset(
    Tag(group, element)
    for group, element in (
        (0x0004, 0x1510),
        (0x0004, 0x1512),
        (0x0004, 0x151A),
        (0x0008, 0x0016),
        (0x0008, 0x001A),
        (0x0008, 0x001B),
        (0x0008, 0x0062),
        (0x0008, 0x010C),
        (0x0008, 0x0115),
        (0x0008, 0x0117),
        (0x0008, 0x0118),
        (0x0008, 0x1150),
        (0x0008, 0x115A),
        (0x0008, 0x3002),
    )
)
"""UIDs that name a class, a transfer syntax or a vocabulary, never an instance."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of an attribute, and why in a few words."""

    action: Action
    reason: str


@cache
def table() -> dict[BaseTag, str]:
    """Action codes of the basic profile, by tag."""
    with _TABLE.open(newline="", encoding="utf-8") as stream:
        return {Tag(int(row["tag"], 16)): row["action"] for row in csv.DictReader(stream)}


def judge(tag: BaseTag, representation: str, options: Options) -> Verdict:
    """What becomes of the attribute ``tag``.

    Args:
        tag: group and element.
        representation: its value representation in the file, such as ``PN``.
        options: options of the profile.
    """
    out_of_place = _out_of_place(tag)
    if out_of_place is not None:
        return Verdict("X", out_of_place)
    code = table().get(tag)
    if code is None and _mismatched(tag, representation):
        return Verdict("X", "text where the dictionary of DICOM has none")
    kept = options.retained(tag, representation)
    if kept is not None:
        return Verdict("C" if options.shifts(representation) else "K", kept)
    if code is not None:
        return Verdict(_chosen(code, representation), f"Table E.1-1: {code}")
    return _unnamed(tag, representation)


def _out_of_place(tag: BaseTag) -> str | None:
    """Why an attribute goes whatever its value, or None."""
    reasons = (
        (tag.is_private, "private attribute"),
        (tag.group <= _HEADER, "belongs to a message or to the file's header, not to the data"),
        (tag.element == 0, "length of a group, which no longer holds"),
        (tag.group in _CURVES, "Table E.1-1: curves are removed"),
        (tag.group in _OVERLAYS, "Table E.1-1: overlays are removed"),
        (tag == _ENCRYPTED, "encrypted attributes of an earlier de-identification"),
        (tag not in table() and not dictionary_has_tag(tag), "not in the dictionary of DICOM"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _mismatched(tag: BaseTag, representation: str) -> bool:
    """Whether a value is text or a sequence and the dictionary expects numbers, bytes or identifiers."""
    loose = TEXTS | {"SQ"}
    return representation in loose and loose.isdisjoint(dictionary_VR(tag).split(" or "))


def _chosen(code: str, representation: str) -> Action:
    if representation == "SQ" and code in {"X/D", "X/Z/D"}:
        return "X"
    return _CHOICES[code]


def _unnamed(tag: BaseTag, representation: str) -> Verdict:
    if representation == "UI" and tag not in _CLASSES:
        return Verdict("U", "a UID that Table E.1-1 does not list")
    if representation in _UNNAMED and tag != _URN_CODE:
        return Verdict(*_UNNAMED[representation])
    return Verdict("K", "Table E.1-1 does not list it")
