"""Images of one colour: they teach nothing, and equal each other without being copies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array, Table

_COLOUR = 3  # channels, the last axis of images with colour
_AXES = 4  # of an array of them


def blank(images: NDArray[np.uint8]) -> Array:
    """Which images show one colour all over, bool ``(N,)``.

    Args:
        images: ``(N, H, W)`` or ``(N, H, W, 3)``, or volumes ``(N, D, H, W)``.
    """
    found = np.zeros(len(images), dtype=bool)
    if not images.size:
        return found
    coloured = images.ndim == _AXES and images.shape[-1] == _COLOUR
    pixels = images.reshape(len(images), -1, _COLOUR if coloured else 1)
    middle = pixels.shape[1] // 2
    alike = (pixels[:, middle] == pixels[:, 0]).all(axis=1) & (pixels[:, -1] == pixels[:, 0]).all(axis=1)
    for row in np.flatnonzero(alike):
        found[row] = bool((pixels[row] == pixels[row, 0]).all())
    return found


def note_blank(table: Table) -> Table:
    """The table with a note that counts the images in its column ``image`` that are of one colour, if any are."""
    rows = np.flatnonzero(blank(table["image"]))
    if not len(rows):
        return table
    example = table.ids[rows[0]]
    found = (
        f"{len(rows):,} of {len(table):,} images are of one colour, such as {example}; they teach nothing, and equal "
        "each other, for which they are not counted as duplicates"
        if len(rows) > 1
        else f"1 of {len(table):,} images is of one colour, {example}; it teaches nothing"
    )
    return replace(table, notes=(*table.notes, found))


def distinct_keys(keys: Array, table: Table) -> Array:
    """``keys`` of the images in the column ``image``, where those of one colour get keys of their own."""
    keys, ids = keys.copy(), table.ids
    for row in np.flatnonzero(blank(table["image"])):
        keys[row] = f"of one colour: {ids[row]}".encode()
    return keys
