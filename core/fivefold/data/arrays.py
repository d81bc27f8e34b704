"""Arrays out of NPZ archives that are not trusted: no pickles, bounded size."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.errors import DataError

MOST_BYTES = 2**36
"""Larger archives, unpacked, are refused."""

UNREADABLE = (
    *(OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error),
    RuntimeError,  # a password; NotImplementedError, which it includes: an unknown way of packing
    MemoryError,  # a head that promises more than there is
)
"""What zipfile and numpy raise for archives that are broken or made by others."""


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
        DataError: the archive is broken, locked, too large, or holds something else than plain arrays among these.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise DataError(f"{file}: expected at most {MOST_BYTES:,} bytes unpacked, found {size:,}")
        with np.load(file, allow_pickle=False) as opened:
            return {name: _array(opened, name) for name in opened.files if name.endswith(endings)}
    except UNREADABLE as error:
        raise DataError(
            f"{file}: expected an NPZ archive of plain arrays, found one that cannot be read: {error}"
        ) from error


def _array(opened: Mapping[str, Any], name: str) -> NDArray[Any]:
    """The array ``name``; numpy hands out the bytes of a member that is none."""
    array = opened[name]
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{name} is no array")  # noqa: TRY004 - the content is wrong, as for numpy's own ValueErrors
    return array
