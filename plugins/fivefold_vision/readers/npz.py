"""NPZ archives as MedMNIST ships them: ``train_images``, ``train_labels``, ``val_images`` and so on.

See Yang et al., MedMNIST v2, Scientific Data 10 (2023). Pickled members are refused.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold_vision.readers.arrays import Part, array_table
from fivefold_vision.readers.options import Options

_SPLITS = ("train", "val", "test")
_MAX_BYTES = 2**36


def recognise(source: Path) -> str | None:
    """In words what ``source`` is, or None where it is no NPZ file of images, nor a folder with one."""
    file = _file(source)
    if file is None:
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            names = {Path(name).stem for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return None
    splits = [split for split in _SPLITS if f"{split}_images" in names]
    return f"NPZ images ({', '.join(splits)})" if splits else None


def read(source: Path, options: Options) -> Table:
    """Read the labelled splits that the archive has.

    Raises:
        DataError: the archive is broken, holds pickled objects, or lacks images or labels.
    """
    file = _path(source)
    arrays = _load(file)
    parts = []
    for split in _SPLITS:
        images, labels = arrays.get(f"{split}_images"), arrays.get(f"{split}_labels")
        if images is None:
            continue
        if labels is None:
            raise DataError(
                f"{file}: expected '{split}_labels' beside '{split}_images', found {', '.join(arrays)}"
            )
        parts.append(Part(f"{split}_images", images, labels, split))
    if not parts:
        raise DataError(f"{file}: expected {_wanted()}, found {', '.join(arrays) or 'nothing'}")
    return array_table(parts, file, folder=file.parent, class_names=options.class_names)


def read_inputs(source: Path) -> Table:
    """All images of the archive, for prediction: arrays called ``images`` or ``..._images``."""
    file = _path(source)
    arrays = {
        name: array for name, array in _load(file).items() if name == "images" or name.endswith("_images")
    }
    if not arrays:
        raise DataError(f"{file}: expected an array 'images' or '..._images', found none")
    return array_table([Part(name, array) for name, array in arrays.items()], file, folder=file.parent)


def _wanted() -> str:
    return " or ".join(f"'{split}_images'" for split in _SPLITS)


def _file(source: Path) -> Path | None:
    if source.is_dir():
        files = sorted(source.glob("*.npz"))
        return files[0] if len(files) == 1 else None
    return source if source.suffix.lower() == ".npz" and source.is_file() else None


def _path(source: Path) -> Path:
    file = _file(source)
    if file is None:
        raise DataError(f"{source}: expected an NPZ file, found none")
    return file


def _load(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of images and labels."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > _MAX_BYTES:
            raise DataError(f"{file}: expected at most {_MAX_BYTES:,} bytes unpacked, found {size:,}")
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if name.endswith(("images", "labels"))}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{file}: expected an NPZ archive of plain arrays, found one that cannot be read: {error}"
        ) from error
