"""Text beside the pixels: comments in compressed frames, bytes after the last pixel, streams of video."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pydicom import DataElement, Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    MPEGTransferSyntaxes,
    RLETransferSyntaxes,
)

from fivefold_healthcare.dicom.deidentification.comments import (
    without_jpeg2000_comments,
    without_jpeg_comments,
)
from fivefold_healthcare.dicom.deidentification.profile import UNREADABLE
from fivefold_healthcare.dicom.deidentification.report import Change

_OFFSETS_BOUND: Final = 2**32
_OTHER_COMPRESSED: Final = (
    "the compressed pixels may hold comments that cannot be taken out; decompress the file first, "
    "or search its frames for text"
)
_HIGH_THROUGHPUT: Final = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203")
_VIDEO: Final = "video may hold sound, subtitles and text on the pictures; watch it before it is given away"
_EXTENDED: Final = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")


def clean_pixels(dataset: Dataset, syntax: UID) -> tuple[list[Change], list[str]]:
    """Take out of ``dataset``, in place, what its pixel data hold besides pixels.

    Args:
        dataset: the new dataset.
        syntax: its transfer syntax.

    Returns:
        The changes, and warnings where nothing could be done.
    """
    if "PixelData" not in dataset or syntax in RLETransferSyntaxes:
        return [], []
    if not syntax.is_encapsulated:
        return _cut(dataset), []
    if syntax in MPEGTransferSyntaxes:
        return [], [_VIDEO]
    try:
        return _without_comments(dataset, _cleaner(syntax)), []
    except UNREADABLE:
        return [], [_OTHER_COMPRESSED]


def _cleaner(syntax: UID) -> Callable[[bytes], bytes]:
    if syntax in JPEGTransferSyntaxes or syntax in JPEGLSTransferSyntaxes:
        return without_jpeg_comments
    if syntax in JPEG2000TransferSyntaxes or syntax in _HIGH_THROUGHPUT:
        return without_jpeg2000_comments
    raise NotImplementedError("no cleaner for this transfer syntax")


def _without_comments(dataset: Dataset, clean: Callable[[bytes], bytes]) -> list[Change]:
    count = int(dataset.get("NumberOfFrames") or 1)
    offsets = (
        (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)
        if all(keyword in dataset for keyword in _EXTENDED)
        else None
    )
    frames = list(generate_frames(dataset.PixelData, number_of_frames=count, extended_offsets=offsets))
    if len(frames) != count:
        raise ValueError("expected as many frames as the header says")
    cleaned = [clean(frame) for frame in frames]
    if all(_same(old, new) for old, new in zip(frames, cleaned, strict=True)):
        return []
    for keyword in _EXTENDED:
        dataset.pop(keyword, None)
    small = sum(len(frame) + 8 for frame in cleaned) < _OFFSETS_BOUND
    dataset["PixelData"] = DataElement(dataset["PixelData"].tag, "OB", encapsulate(cleaned, has_bot=small))
    return [Change("PixelData", "PixelData", "C", "comments in the compressed pixels are taken out")]


def _same(old: bytes, new: bytes) -> bool:
    """Whether nothing but padding to an even length went."""
    return old in {new, new + b"\0", new + b"\xff"}


def _cut(dataset: Dataset) -> list[Change]:
    """Cut off what follows the last pixel.

    Pixels whose colours are subsampled by two stay as they are: files that say so while they hold them whole are
    common, and would lose a third of the picture.
    """
    content = dataset["PixelData"].value
    try:
        length = get_expected_length(dataset)
        longer = isinstance(content, bytes) and len(content) > length + length % 2
    except UNREADABLE:
        return []
    if not longer or dataset.get("PhotometricInterpretation") == "YBR_FULL_422":
        return []
    dataset["PixelData"].value = content[:length] + bytes(length % 2)
    return [Change("PixelData", "PixelData", "C", "bytes after the last pixel are cut off")]
