"""Text that may stand in the pixels themselves: no program removes it here, so files where it is likely are named."""

from __future__ import annotations

from typing import Final

from pydicom import Dataset

WITH_TEXT: Final = frozenset({"US", "IVUS", "SC", "ES", "XC", "OT", "RF", "XA", "DG", "GM"})
"""Modalities whose devices usually write names, dates or measurements into the picture."""

_CAPTURES: Final = "1.2.840.10008.5.1.4.1.1.7"
_ADVICE: Final = "look at the pictures and cover any text before the file is given away, or leave it out"


def burned_in_warnings(dataset: Dataset) -> tuple[str, ...]:
    """Why somebody has to look at the pixels; the values of the dataset are not repeated.

    Args:
        dataset: the original, whose overlays are still there.
    """
    if "PixelData" not in dataset:
        return ()
    found = []
    statement = str(dataset.get("BurnedInAnnotation") or "").strip().upper()
    if statement == "YES":
        found.append(
            f"BurnedInAnnotation says that the pixels hold text that may identify the patient; {_ADVICE}"
        )
    elif statement != "NO" and (reason := _likely(dataset)):
        found.append(f"BurnedInAnnotation is absent and {reason}; {_ADVICE}")
    if str(dataset.get("RecognizableVisualFeatures") or "").strip().upper() == "YES":
        found.append(
            "RecognizableVisualFeatures says that the patient can be recognised in the pictures, such as by the face; "
            "remove those parts, or share the file only under an agreement"
        )
    if any(_embedded(dataset, group) for group in range(0x6000, 0x6100, 2)):
        found.append(
            "an overlay is embedded in the unused bits of the pixels and stays there; it may hold text, so clear the "
            "bits above BitsStored, or leave the file out"
        )
    return tuple(found)


def _likely(dataset: Dataset) -> str | None:
    if str(dataset.get("SOPClassUID") or "").startswith(_CAPTURES):
        return "the file is a secondary capture, often a copy of a screen"
    if "ConversionType" in dataset:
        return "the pixels were converted from a film, a video or a screen"
    if str(dataset.get("Modality") or "").strip() in WITH_TEXT:
        return "devices of this modality usually write text into the picture"
    return None


def _embedded(dataset: Dataset, group: int) -> bool:
    """Whether the plane of ``group`` lies in the pixels: it has a description and no data of its own."""
    return (group, 0x0010) in dataset and (group, 0x3000) not in dataset
