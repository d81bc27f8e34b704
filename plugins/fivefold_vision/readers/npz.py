"""NPZ archives as MedMNIST ships them: ``train_images``, ``train_labels``, ``val_images`` and so on.

See Yang et al., MedMNIST v2, Scientific Data 10 (2023). Pickled members are refused.
"""

from __future__ import annotations

from pathlib import Path

from fivefold.data.arrays import npz_arrays, npz_names
from fivefold.data.only_file import only_file
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.images.samples import unlabelled_arrays
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
    parts = [Part(name, array) for name, array in unlabelled_arrays(file).items()]
    return array_table(parts, file, folder=file.parent)


def _wanted() -> str:
    return " or ".join(f"'{split}_images'" for split in _SPLITS)


def _file(source: Path) -> Path | None:
    return only_file(source, lambda file: file.suffix.lower() == ".npz")


def _path(source: Path) -> Path:
    file = _file(source)
    if file is None:
        raise DataError(f"{source}: expected an NPZ file, found none")
    return file
