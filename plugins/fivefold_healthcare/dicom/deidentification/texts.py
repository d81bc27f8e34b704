"""Values of elements as texts: what could be recognised of a patient if it turned up again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def values(element: DataElement) -> list[str]:
    """Every value of an element that is no sequence, stripped, where it is text or bytes that read as text."""
    found = element.value
    parts = list(found) if isinstance(found, MultiValue | list | tuple) else [found]
    texts = [_text(part) for part in parts]
    return [text for text in texts if text]


def raw_text(element: DataElement | RawDataElement | None) -> bytes | None:
    """The bytes of an element as the file holds them, where they read as text; None once pydicom has decoded it."""
    if not isinstance(element, RawDataElement) or not element.value:
        return None
    stripped = element.value.strip(b" \0")
    return stripped if _printable(stripped) else None


def leaves(dataset: Dataset) -> Iterator[DataElement]:
    """Every element that is no sequence, at any depth."""
    for element in dataset:
        if isinstance(element.value, Sequence):
            for item in element.value:
                yield from leaves(item)
        else:
            yield element


def _text(value: object) -> str:
    """A value as the file writes it; numbers that are stored as such have no text."""
    if isinstance(value, bytes | bytearray):
        stripped = bytes(value).strip(b" \0")
        return stripped.decode("latin-1") if _printable(stripped) else ""
    if value is None or type(value) in {int, float}:
        return ""
    return str(value).strip(" \0")


def _printable(content: bytes) -> bool:
    """Whether bytes are text in some character set: no control characters but those of lines and of ISO 2022."""
    return _CONTROL.search(content) is None
