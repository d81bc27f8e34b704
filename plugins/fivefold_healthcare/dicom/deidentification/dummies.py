"""Values that say nothing, valid for their representation (PS3.5 section 6.2): what action D writes."""

from __future__ import annotations

from typing import Any, Final

from pydicom import DataElement, Dataset
from pydicom.dataelem import empty_value_for_VR
from pydicom.sequence import Sequence

TEXT: Final = "ANONYMIZED"
"""Dummy of names, codes and other text; ten characters fit every representation of text."""

_VALUES: Final[dict[str, Any]] = {
    "AS": "000Y",
    "AT": 0,
    "DA": "19000101",
    "DT": "19000101000000",
    "TM": "000000",
    "UR": "urn:anonymized",
    "DS": "0",
    "IS": "0",
    "FD": 0.0,
    "FL": 0.0,
    "SL": 0,
    "SS": 0,
    "SV": 0,
    "UL": 0,
    "US": 0,
    "UV": 0,
    "OB": bytes(2),
    "OW": bytes(2),
    "UN": bytes(2),
    "OF": bytes(4),
    "OL": bytes(4),
    "OD": bytes(8),
    "OV": bytes(8),
    "UI": "2.25.0",
}

WRITTEN: Final = frozenset(value.lower() for value in (TEXT, *_VALUES.values()) if isinstance(value, str))
"""Every dummy that is text, in lower case."""


def dummy(element: DataElement) -> DataElement:
    """An element with the same tag that says nothing.

    A sequence becomes one item with the attributes of its first, each of them a dummy; other than the standard's
    wording ("dummy values") this keeps no code or name of the item.
    """
    representation = element.VR.split(" or ")[0]
    if representation == "SQ":
        return DataElement(element.tag, "SQ", Sequence([_item(item) for item in list(element.value)[:1]]))
    return DataElement(element.tag, representation, _VALUES.get(representation, TEXT))


def _item(item: Dataset) -> Dataset:
    replaced = Dataset()
    for element in item:
        if not element.tag.is_private:
            replaced[element.tag] = dummy(element)
    return replaced


def emptied(element: DataElement) -> DataElement:
    """An element with the same tag and no value."""
    return DataElement(
        element.tag, element.VR, Sequence() if element.VR == "SQ" else empty_value_for_VR(element.VR)
    )
