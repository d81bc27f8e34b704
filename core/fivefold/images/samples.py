"""Images on their way to a network: out of archives, loaded where they fit into memory, channels first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.arrays import npz_arrays
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.images.blank import note_blank
from fivefold.images.loading import Reading, load_arrays, load_files


def load_images(table: Table, shape: Reading, memory: float) -> Table:
    """The images that ``table`` holds, or names, brought to ``shape``; a note counts those of one colour.

    Images that stay on disk are not looked at for that.

    Args:
        table: with a column ``image`` or ``path``.
        shape: what the images are brought to.
        memory: GiB that decoded files may take; more stay on disk, see `fivefold.images.loading.load_files`.
    """
    on_disk = "path" in table
    loaded = load_files(table, shape, memory=int(memory * 2**30)) if on_disk else load_arrays(table, shape)
    return note_blank(loaded) if "image" in loaded else loaded


def unlabelled_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an NPZ archive that hold images to predict, ``images`` or ``..._images``, by their names.

    Raises:
        DataError: the archive is broken, or has no such array.
    """
    arrays = {
        name: array
        for name, array in npz_arrays(file, ("images",)).items()
        if name == "images" or name.endswith("_images")
    }
    if not arrays:
        raise DataError(f"{file}: expected an array 'images' or '..._images', found none")
    return arrays


def channels_first(images: NDArray[np.uint8], *, colour: bool) -> NDArray[np.uint8]:
    """``(N, H, W, C)``, or grey ``(N, H, W)`` or ``(N, D, H, W)``, to ``(N, C, H, W)`` or ``(N, 1, D, H, W)``."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)) if colour else images[:, None]
