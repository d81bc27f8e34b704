"""Arrays out of NPZ archives that are not trusted: no pickles, bounded size."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.errors import DataError

MOST_BYTES = 2**36
"""Larger archives, unpacked, are refused."""


def npz_names(file: Path) -> set[str]:
    """Names of the arrays; none where the file is no archive. Cheap: reads the list only."""
    try:
        with zipfile.ZipFile(file) as archive:
            return {Path(name).stem for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return set()


def npz_arrays(file: Path, endings: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The arrays whose names end in one of ``endings``.

    Raises:
        DataError: the archive is broken, too large, or holds pickled objects among these.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise DataError(f"{file}: expected at most {MOST_BYTES:,} bytes unpacked, found {size:,}")
        with np.load(file, allow_pickle=False) as opened:
            return {name: opened[name] for name in opened.files if name.endswith(endings)}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{file}: expected an NPZ archive of plain arrays, found one that cannot be read: {error}"
        ) from error
