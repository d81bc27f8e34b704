"""What a DICOM file says of its pixels, and whether they are there: checked before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom import Dataset
from pydicom.config import IGNORE
from pydicom.dataelem import RawDataElement
from pydicom.pixels import get_decoder
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from fivefold.errors import DataError
from fivefold_healthcare.dicom.files import in_line, quiet, reason

MOST_PIXELS = 2**27
"""Larger frames (134 megapixels) are refused before anything is decoded."""

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True)
class Layout:
    """What a file says of its pixels.

    Attributes:
        rows, columns: of a frame.
        frames: how many.
        samples: values a pixel.
        photometric: its photometric interpretation, ``MONOCHROME2`` and so on.
        syntax: UID of its transfer syntax.
    """

    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    syntax: UID


def layout(header: Dataset, name: str) -> Layout:
    """What ``header`` says of its pixels.

    Raises:
        DataError: it describes no image, or one of an impossible size.
    """
    rows, columns = (_count(header, keyword, name) for keyword in ("Rows", "Columns"))
    frames, samples = (_count(header, keyword, name, 1) for keyword in ("NumberOfFrames", "SamplesPerPixel"))
    if rows * columns * samples > MOST_PIXELS:
        raise DataError(
            f"{name}: expected frames of at most {MOST_PIXELS:,} values, found {frames} of {rows:,} x "
            f"{columns:,} declared; the header is wrong, or the image must be scaled down"
        )
    return Layout(
        rows=rows,
        columns=columns,
        frames=frames,
        samples=samples,
        photometric=str(header.get("PhotometricInterpretation", "MONOCHROME2")),
        syntax=_syntax(header),
    )


def _syntax(header: Dataset) -> UID:
    """The transfer syntax: as stated, else as the header turned out to be written."""
    stated = header.file_meta.get("TransferSyntaxUID")
    if stated is not None:
        return UID(str(stated), IGNORE)
    implicit, little = header.original_encoding
    explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    return UID(ImplicitVRLittleEndian if implicit else explicit)


def _count(header: Dataset, keyword: str, name: str, otherwise: int | None = None) -> int:
    value = header.get(keyword)
    if value in (None, "") and otherwise is not None:
        return otherwise
    if value in (None, ""):
        kind = in_line(UID(str(header.get("SOPClassUID", "")), IGNORE).name) or "file of an unknown kind"
        raise DataError(
            f"{name}: expected an image, found a {kind} without '{keyword}', which holds no picture; leave "
            "it out"
        )
    if not isinstance(value, int) or value < 1:
        raise DataError(
            f"{name}: expected '{keyword}' to be a whole number from 1, found '{in_line(str(value))}'; export the "
            "image again"
        )
    return int(value)


def find_pixels(path: Path, name: str, header: Dataset, found: Layout) -> RawDataElement:
    """Whether the pixels are there, whole, and of a kind that can be decoded; their element, left in the file.

    Raises:
        DataError: they are not.
    """
    try:
        with quiet():
            decodable = get_decoder(found.syntax).is_available
    except NotImplementedError:
        decodable = False
    if not decodable:
        raise DataError(
            f"{name}: expected pixels that can be decoded, found the transfer syntax "
            f"{in_line(found.syntax.name)}, for which there is no decoder; convert the file to an uncompressed one"
        )
    try:
        with quiet():
            # Large elements are left in the file: only their length is looked at.
            body = pydicom.dcmread(path, force=True, defer_size=1024, specific_tags=list(PIXELS))
    except Exception as error:
        why = reason(error)
        raise DataError(
            f"{name}: expected an image, found a file that cannot be read to its end ({why}); export it again"
        ) from error
    element = next((body.get_item(word, keep_deferred=True) for word in PIXELS if word in body), None)
    if element is None:
        raise DataError(
            f"{name}: expected an image, found no whole pixel data in it; leave it out, or, if the file is "
            "cut off, export it again"
        )
    if found.syntax.is_encapsulated or found.syntax.is_deflated:
        return element
    with quiet():
        expected = get_expected_length(_described(header))
    held = min(element.length, path.stat().st_size - element.value_tell)
    if held < expected:
        raise DataError(
            f"{name}: expected {expected:,} bytes of pixels for {found.frames} "
            f"frame{'s' * (found.frames > 1)} of {found.rows} x {found.columns}, found {held:,}; the file is "
            "cut off, or its header is wrong"
        )
    return element


def _described(header: Dataset) -> Dataset:
    """The header with the values that the length follows from, where the standard lets them be absent."""
    described = header.group_dataset(0x0028)  # a copy of the header itself would share its elements
    for keyword, value in (
        ("SamplesPerPixel", 1),
        ("BitsAllocated", 16),
        ("PhotometricInterpretation", "MONOCHROME2"),
    ):
        if keyword not in described:
            setattr(described, keyword, value)
    return described
