"""The last look: the bytes of the file that would be written hold no value that was removed or replaced.

A text counts from six bytes and three different ones, and a number or UID from eight characters, as a whole run of
digits and points: shorter ones occur by chance in large pictures. Not found are values in other words or spellings (a
birth date written out), values inside removed binary attributes, and text drawn in the pixels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pydicom import DataElement, FileDataset

from fivefold.errors import DataError
from fivefold_healthcare.dicom.deidentification.needles import Needle
from fivefold_healthcare.dicom.deidentification.profile import attribute
from fivefold_healthcare.dicom.deidentification.scan import occurring
from fivefold_healthcare.dicom.deidentification.texts import leaves, values

_SHORTEST: Final = 6
_FEWEST_DIFFERENT: Final = 3
_NUMBER_RUNS: Final = re.compile(rb"[0-9.]{8,}")


def refuse_remains(content: bytes, dataset: FileDataset, sought: Iterable[Needle], where: str) -> None:
    """Refuse a file whose bytes hold a needle, other than in a text that was judged already.

    Args:
        content: the file as it would be written, not deflated.
        dataset: the dataset of that file, with its header.
        sought: what must not occur.
        where: what the message calls the file.

    Raises:
        DataError: a needle is there; the message names the attribute that holds it, and not the value.
    """
    elements = [*leaves(dataset), *leaves(dataset.file_meta)]
    judged: str | None = None
    for form in sorted(_present(sought, content)):
        holder = next((element for element in elements if _holds(element, form)), None)
        if holder is None:
            judged = judged or "\n".join(text.lower() for element in elements for text in _texts(element))
            if form.decode("latin-1").lower() in judged:
                continue
        place = "the file's header" if holder is None else f"{attribute(holder.tag)} {holder.tag}"
        raise DataError(
            f"{where}: expected a de-identified file without any removed value, found one in {place}; remove that "
            "attribute from the original first, or leave the file out"
        )


def _present(sought: Iterable[Needle], content: bytes) -> set[bytes]:
    """Forms of needles that stand in ``content``."""
    numbers, texts = set(), set()
    for needle in sought:
        forms = {
            form for form in needle.forms if len(form) >= _SHORTEST and len(set(form)) >= _FEWEST_DIFFERENT
        }
        if needle.numeric:
            numbers |= forms
        elif not needle.word:
            texts |= forms
    return numbers & set(_NUMBER_RUNS.findall(content)) | occurring(texts, content)


def _texts(element: DataElement) -> list[str]:
    return [] if _content(element) else values(element)


def _holds(element: DataElement, form: bytes) -> bool:
    return form in _content(element)


def _content(element: DataElement) -> bytes:
    """The bytes of an element that holds bytes rather than texts or numbers."""
    return bytes(element.value) if isinstance(element.value, bytes | bytearray) else b""
