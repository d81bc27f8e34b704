"""Keys by which equal and nearly equal samples are found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array, Table

THUMBNAIL = 16
"""Rows and columns of the small grey copies by which images are compared."""
CORRELATION = 0.998
"""Pearson correlation of two thumbnails from which images count as nearly equal.

Copies that were scaled, brightened or compressed again stay above it. Of the 10,000 test images of
Fashion-MNIST 16 do so with a training image, nearly all the same garment again; their median is 0.97.
"""
COLOUR = 0.25
"""Weight of colours beside the correlation of grey copies.

Of nearly equal images, means of colour over a quarter of the image may differ by about a fourth of the grey contrast:
a copy compressed again stays far below it, flags of one pattern in other colours lie far above.
"""
_GREY = 3  # dimensions of a block of images without channels
_COLOURS = 8  # differences of colours, two of each quarter
_CHANNELS = {3, 4}  # red, green and blue, perhaps with opacity
_FLAT = 1 / 255
"""Standard deviation, as a share of the range of values, below which an image shows too little to compare."""


@dataclass(frozen=True)
class Fingerprints:
    """Keys of ``N`` samples.

    Attributes:
        exact: object or bytes array, shape ``(N,)``: equal keys mean equal samples.
        near: float array, shape ``(N, D)``: a small Euclidean distance means nearly equal samples, a row
            of NaN a sample that cannot be compared; or packed bits, uint8 of shape ``(N, bytes)``, where it
            is the Hamming distance; or None.
        near_distance: the largest distance (number of bits) that counts as nearly equal.
        alike: in what samples with equal keys may still differ, in words that follow "equal"; empty where in nothing.
    """

    exact: Array
    near: Array | None = None
    near_distance: float = 0
    alike: str = ""


def row_fingerprints(table: Table) -> Fingerprints:
    """Exact keys from every column that is an input (not id, label, group or split).

    The time counts as an input, where there is one: the same values at another time are another sample.
    """
    roles = {"id", table.label, table.group, table.split}
    columns = [_encoded(column) for name, column in sorted(table.columns.items()) if name not in roles]
    keys = np.empty(len(table), dtype=object)
    for row, values in enumerate(zip(*columns, strict=True)):
        digest = hashlib.blake2b(digest_size=16)
        for value in values:
            digest.update(value)
            digest.update(b"\x1f")
        keys[row] = digest.digest()
    return Fingerprints(exact=keys)


def image_fingerprints(images: NDArray[Any] | Iterable[NDArray[Any]]) -> Fingerprints:
    """Exact keys from pixels, shape and type; near keys from small grey copies and the colours of the quarters.

    Two near keys lie within `Fingerprints.near_distance` where thumbnails correlate by `CORRELATION` or more, and
    colours are alike (see `COLOUR`). Images without contrast get no near key.

    Args:
        images: array of shape ``(N, H, W)`` or ``(N, H, W, C)``, or images of any sizes, one after the other.
    """
    exact: list[bytes] = []
    near: list[NDArray[np.float32]] = []
    if isinstance(images, np.ndarray):
        for start in range(0, len(images), 4096):  # bounded memory
            block = images[start : start + 4096]
            exact.extend(_pixel_key(image) for image in block)
            near.append(_thumbnail_keys(block))
    else:
        for image in images:
            exact.append(_pixel_key(image))
            near.append(_thumbnail_keys(image[None]))
    vectors = np.concatenate(near) if near else np.empty((0, THUMBNAIL**2 + _COLOURS), dtype=np.float32)
    # two unit vectors with correlation r are sqrt(2 - 2r) apart
    return Fingerprints(_objects(exact), near=vectors, near_distance=(2 - 2 * CORRELATION) ** 0.5)


def _encoded(column: Array) -> Sequence[bytes | memoryview]:
    """The value of each row as bytes."""
    if len(column) == 0:
        return []
    if column.dtype.kind == "O":
        return [
            value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode() for value in column
        ]
    rows = np.ascontiguousarray(column).reshape(len(column), -1).view(np.uint8)
    return [row.data for row in rows]


def _objects(keys: Sequence[bytes]) -> Array:
    array = np.empty(len(keys), dtype=object)
    array[:] = keys
    return array


def _pixel_key(image: NDArray[Any]) -> bytes:
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16)
    digest.update(f"{image.shape}{image.dtype}".encode())
    return digest.digest()


def _thumbnail_keys(images: NDArray[Any]) -> NDArray[np.float32]:
    """Thumbnails as unit vectors around 0, then colours, ``(N, THUMBNAIL ** 2 + 8)``; NaN without contrast."""
    grey = images.astype(np.float32) if images.ndim == _GREY else images.mean(-1, dtype=np.float32)
    small = _area(grey.shape[1]) @ grey @ _area(grey.shape[2]).T
    flat = small.reshape(len(small), -1)
    flat = flat - flat.mean(1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    span = np.iinfo(images.dtype).max if images.dtype.kind in "iu" else 1.0
    visible = length > _FLAT * span * THUMBNAIL
    contrast = np.where(visible, length, 1)
    # The length is THUMBNAIL times the grey deviation.
    colours = COLOUR * THUMBNAIL * _colours(images) / contrast
    keys: NDArray[np.float32] = np.where(visible, np.hstack([flat / contrast, colours]), np.nan).astype(
        np.float32
    )
    return keys


def _colours(images: NDArray[Any]) -> NDArray[np.float32]:
    """Means of red less green, and of yellow less blue, over each quarter of the images, shape ``(N, 8)``."""
    if images.ndim == _GREY or images.shape[-1] not in _CHANNELS:
        return np.zeros((len(images), _COLOURS), dtype=np.float32)
    red, green, blue = (images[..., channel].astype(np.float32) for channel in range(3))
    rows, columns = _area(images.shape[1], 2), _area(images.shape[2], 2)
    opposed = (red - green, (red + green) / 2 - blue)
    means = [(rows @ one @ columns.T).reshape(len(images), -1) for one in opposed]
    found: NDArray[np.float32] = np.hstack(means)
    return found


@lru_cache(maxsize=64)
def _area(size: int, bins: int = THUMBNAIL) -> NDArray[np.float32]:
    """Weights that average ``size`` pixels over bins of equal width, shape ``(bins, size)``."""
    edges = np.linspace(0, size, bins + 1)
    pixel = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    weights: NDArray[np.float32] = (overlap.clip(0) * bins / size).astype(np.float32)
    return weights
