"""NPZ archives as MedMNIST ships them: ``train_images``, ``train_labels``, ``val_images`` and so on.

See Yang et al., MedMNIST v2, Scientific Data 10 (2023). Pickled members are refused.
"""

from __future__ import annotations

from pathlib import Path

from fivefold.data.arrays import npz_arrays, npz_names
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold_vision.readers.arrays import Part, array_table
from fivefold_vision.readers.options import Options

_SPLITS = ("train", "val", "test")


def recognise(source: Path) -> str | None:
    """In words what ``source`` is, or None where it is no NPZ file of images, nor a folder with one."""
    file = _file(source)
    if file is None:
        return None
    names = npz_names(file)
    splits = [split for split in _SPLITS if f"{split}_images" in names]
    return f"NPZ images ({', '.join(splits)})" if splits else None


def read(source: Path, options: Options) -> Table:
    """Read the labelled splits that the archive has.

    Raises:
        DataError: the archive is broken, holds pickled objects, or lacks images or labels.
    """
    file = _path(source)
    arrays = npz_arrays(file, ("images", "labels"))
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
        name: array
        for name, array in npz_arrays(file, ("images",)).items()
        if name == "images" or name.endswith("_images")
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
