"""Texts to search for: what was removed or replaced, in the forms in which it may turn up again."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from pydicom.tag import BaseTag, Tag

from fivefold_healthcare.dicom.deidentification.identifiers import is_registered
from fivefold_healthcare.dicom.deidentification.profile import Gone

SHORTEST: Final = 4
"""Bytes in UTF-8 below which a text is too short to say anything: it occurs everywhere by chance."""

_NUMERIC: Final = re.compile(r"[0-9.]+")
_NUMBERS: Final = frozenset({"AS", "DS", "IS", "TM"})
_IDENTITIES: Final = frozenset(
    {
        Tag("AccessionNumber"),
        Tag("AdmissionID"),
        Tag("ServiceEpisodeID"),
        Tag("FillerOrderNumberImagingServiceRequest"),
        Tag("PlacerOrderNumberImagingServiceRequest"),
    }
)
_PERSONAL: Final = frozenset({"DA", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_PATIENT: Final = 0x0010


@dataclass(frozen=True)
class Needle:
    """One text to search for.

    Attributes:
        text: the text; of an identity in lower case, since case says nothing about names.
        identity: it names a person or a case; it must not stand even where the same text has another meaning.
        word: it counts only as a whole word: a part of a name, or a number, which other words and numbers contain.
        forms: its bytes in the file and in UTF-8 and Latin-1; empty where it counts only in texts.
    """

    text: str
    identity: bool
    word: bool
    forms: frozenset[bytes]

    @property
    def numeric(self) -> bool:
        """Whether it has but digits and points, as dates and UIDs."""
        return _NUMERIC.fullmatch(self.text) is not None

    def occurs(self, text: str) -> bool:
        """Whether it stands in ``text``."""
        text = text.lower() if self.identity else text
        if self.text not in text:
            return False
        return not self.word or re.search(rf"(?<![^\W_]){re.escape(self.text)}(?![^\W_])", text) is not None


def needles(gone: Iterable[Gone], written: Collection[str]) -> list[Needle]:
    """What to search for.

    Args:
        gone: values removed or replaced.
        written: texts that the profile itself writes, in lower case; they are no needles.
    """
    found: dict[tuple[str, bool], Needle] = {}
    for value in gone:
        for needle in _of(value):
            long_enough = len(needle.text.encode("utf-8", "replace")) >= SHORTEST
            if long_enough and needle.text.lower() not in written and not is_registered(needle.text):
                key = (needle.text, needle.identity)
                found[key] = _merged(found[key], needle) if key in found else needle
    return list(found.values())


def _of(value: Gone) -> Iterable[Needle]:
    identity = _is_identity(value.tag, value.representation)
    text = value.text.lower() if identity else value.text
    forms = {value.text.encode(coding, "replace") for coding in ("utf-8", "latin-1")}
    if value.raw is not None:
        forms.add(value.raw)
    yield Needle(text, identity, value.representation in _NUMBERS, frozenset(forms))
    if value.representation == "PN":
        parts = [part for part in re.split(r"[\^=\s,]+", text) if part]
        for part in {*parts, " ".join(parts), " ".join(reversed(parts)), ", ".join(parts)}:
            yield Needle(part, identity=True, word=True, forms=frozenset())


def _is_identity(tag: BaseTag, representation: str) -> bool:
    if representation == "PN" or tag in _IDENTITIES:
        return True
    return tag.group == _PATIENT and representation in _PERSONAL


def _merged(first: Needle, second: Needle) -> Needle:
    return Needle(first.text, first.identity, first.word and second.word, first.forms | second.forms)
