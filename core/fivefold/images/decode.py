"""Image files to uint8 arrays, by OpenCV, with an honest sentence where a file cannot be read whole.

Read: JPEG (grey, colour, CMYK), PNG (palette, transparent, 16-bit), GIF, BMP, WebP, TIFF, AVIF, JPEG 2000 and
netpbm. Of an animation or a file of several pages the first picture is taken. The EXIF orientation is
applied. Transparent pixels are laid on white. 16-bit values are divided by 257, which keeps the full range.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from fivefold.errors import DataError
from fivefold.images.png import START, plain_png

MAX_PIXELS = int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"])
"""Larger pictures are refused; see the package's own module."""

Image = NDArray[np.uint8]
Fit = Literal["crop", "squash", "pad"]

SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "dib", "webp", "tif", "tiff", "avif", "jp2"),
        *("pbm", "pgm", "ppm"),
    )
)  # fmt: skip
"""Endings, in lower case, of the files that are taken for images."""

_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_DICOM, _DICOM_AT = b"DICM", 128  # PS3.10, 7.1
_MARKER, _SCAN = 0xFF, 0xDA
_GREY, _COLOUR = 2, 3  # axes of an image
_TRANSPARENT = 4  # channels
_STORED = cv2.IMREAD_UNCHANGED
_ORIENTED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH


def is_image(path: Path) -> bool:
    """Whether the name of ``path`` ends as an image's does, hidden files aside."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def read_image(path: Path) -> Image:
    """Decode the image file at ``path``.

    Returns:
        uint8, shape ``(H, W)`` where the file is grey, else ``(H, W, 3)`` in RGB order.

    Raises:
        DataError: no such file, not an image, cut off, or larger than `MAX_PIXELS`.
    """
    return decode(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """The bytes of ``path``.

    Raises:
        DataError: it cannot be opened, or is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"{path}: expected an image file, found none that can be opened ({reason})"
        ) from error
    if not data:
        raise DataError(f"{path}: expected an image, found an empty file; restore or remove it")
    return data


def decode(data: bytes, name: str) -> Image:
    """Decode ``data``, the bytes of an image file that messages call ``name``; see `read_image`."""
    check_whole(data, name)
    if data.startswith(START):
        data = plain_png(data, name)
    # "any colour" applies the orientation but drops transparency; "unchanged" does it the other way round.
    oriented = data.startswith(_JPEG_START) or b"eXIf" in data or b"EXIF" in data
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _ORIENTED if oriented else _STORED)
    except cv2.error as error:
        if "MAX_IMAGE" in str(error):
            raise DataError(
                f"{name}: expected an image of at most {MAX_PIXELS:,} pixels, found a larger one; "
                "scale it down"
            ) from error
        raise _not_an_image(data, name) from error
    if pixels is None:
        raise _not_an_image(data, name)
    return _colours(_eight_bits(np.asarray(pixels), name))


def check_whole(data: bytes, name: str) -> None:
    """Refuse a JPEG that is cut off: decoders fill the missing part with grey and say nothing.

    The end marker is looked for after the first start of scan, because a preview in the header has its own;
    within scan data the two bytes of a marker cannot occur by chance (ITU-T T.81, B.1.1.5).

    Raises:
        DataError: the end marker is missing.
    """
    if not data.startswith(_JPEG_START):
        return
    scan = _start_of_scan(data)
    if scan is None or data.find(_JPEG_END, scan) < 0:
        raise DataError(
            f"{name}: expected a whole JPEG, found one that is cut off after {len(data):,} bytes; "
            "restore or remove it"
        )


def _start_of_scan(data: bytes) -> int | None:
    """Where the first scan of a JPEG starts, walking from segment to segment; None where there is none."""
    position = 2
    while position + 4 <= len(data):
        if data[position] != _MARKER:
            return None
        marker = data[position + 1]
        if marker == _MARKER:  # a fill byte
            position += 1
        elif marker == _SCAN:
            return position
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None


def _not_an_image(data: bytes, name: str) -> DataError:
    if data[_DICOM_AT : _DICOM_AT + len(_DICOM)] == _DICOM:
        return DataError(
            f"{name}: expected a picture such as PNG or JPEG, found DICOM; convert it, or train with a pipeline that "
            "reads DICOM"
        )
    try:
        data[:512].decode("utf-8")
    except UnicodeDecodeError:
        found = "one that is damaged, cut off or of an unknown format"
    else:
        found = "text"
    return DataError(f"{name}: expected an image, found {found}; restore or remove the file")


def _eight_bits(pixels: NDArray[Any], name: str) -> Image:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return np.asarray((pixels.astype(np.uint32) + 128) // 257, dtype=np.uint8)
    raise DataError(
        f"{name}: expected an image of 8 or 16 bits a channel, found {pixels.dtype} values without a "
        "known range; convert it to 16-bit PNG"
    )


def _colours(pixels: Image) -> Image:
    """Grey or RGB from what OpenCV returns: grey, BGR, or BGR with transparency."""
    if pixels.ndim == _GREY:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    if pixels.shape[2] == _TRANSPARENT:
        opacity = pixels[:, :, 3:].astype(np.uint16)
        blended = (pixels[:, :, :3] * opacity + 255 * (255 - opacity) + 127) // 255
        pixels = blended.astype(np.uint8)
    return np.ascontiguousarray(pixels[:, :, ::-1])


def fit_image(image: Image, size: tuple[int, int], channels: int, fit: Fit = "crop") -> Image:
    """Bring one image to a common shape.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``.
        size: height and width to reach.
        channels: 1 or 3.
        fit: ``crop`` scales until the shorter side fits and cuts the rest off evenly, ``pad`` scales until
            the longer side fits and fills with black, ``squash`` changes the proportions.

    Returns:
        uint8, ``(height, width)`` for one channel, else ``(height, width, 3)``.
    """
    image = _channels(image, channels)
    height, width = size
    if image.shape[:2] == (height, width):
        return image
    if fit == "squash":
        return _resize(image, height, width)
    ratios = height / image.shape[0], width / image.shape[1]
    scale = max(ratios) if fit == "crop" else min(ratios)
    rows, columns = (max(1, round(side * scale)) for side in image.shape[:2])
    image = _resize(image, rows, columns)
    top, left = (rows - height) // 2, (columns - width) // 2
    if fit == "crop":
        return np.ascontiguousarray(image[top : top + height, left : left + width])
    edges = (-top, height - rows + top, -left, width - columns + left)
    return np.asarray(
        cv2.copyMakeBorder(image, *edges, borderType=cv2.BORDER_CONSTANT, value=0), dtype=np.uint8
    )


def _channels(image: Image, channels: int) -> Image:
    if channels == 1 and image.ndim == _COLOUR:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    if channels > 1 and image.ndim == _GREY:
        return np.repeat(image[:, :, None], 3, axis=2)
    return image


def _resize(image: Image, height: int, width: int) -> Image:
    # Averaging over the area keeps small structures when shrinking, where interpolation would skip pixels.
    shrinks = height < image.shape[0] or width < image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), dtype=np.uint8)


def encode_png(image: Image) -> bytes:
    """The PNG file of ``image``, ``(H, W)`` or ``(H, W, 3)`` in RGB order."""
    stored = image if image.ndim == _GREY else image[:, :, ::-1]
    _, data = cv2.imencode(".png", stored)
    return bytes(data.tobytes())
