"""IDX files, as MNIST has: ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, gzipped or not.

A header of big-endian 32-bit numbers (magic, then the size of each dimension) and then bytes, one a pixel or
label; see http://yann.lecun.com/exdb/mnist.
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold_vision.readers.arrays import Part, array_table
from fivefold_vision.readers.options import SPLIT_NAMES, Options

_IMAGES = re.compile(r"^(?P<part>.*?)(?P<joint>[-_.]?)images[-.]idx3[-.]ubyte(?P<gz>\.gz)?$")
_UNSIGNED_BYTE = 0x08
_MAX_BYTES = 2**36


def recognise(source: Path) -> str | None:
    """In words what ``source`` is, or None where it holds no IDX images."""
    files = _image_files(source)
    if not files:
        return None
    return f"IDX images ({', '.join(file.name for file in files)})"


def read(source: Path, options: Options) -> Table:
    """Read an IDX file of images with the labels beside it, or all such pairs of a folder.

    Raises:
        DataError: labels are missing, a file is cut off or not IDX, or images and labels differ in number.
    """
    parts = []
    for file in _image_files(source):
        labels = _labels_file(file)
        if labels is None:
            raise DataError(f"{file}: expected the labels beside it, found no {_label_names(file)[0]}")
        parts.append(Part(_part(file), read_idx(file, 3), read_idx(labels, 1), SPLIT_NAMES.get(_part(file))))
    folder = source if source.is_dir() else source.parent
    return array_table(parts, source, folder=folder, class_names=options.class_names)


def read_inputs(source: Path) -> Table:
    """The images alone, for prediction."""
    parts = [Part(_part(file), read_idx(file, 3)) for file in _image_files(source)]
    return array_table(parts, source, folder=source)


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array in the IDX file at ``path``, with ``dimensions`` dimensions.

    Raises:
        DataError: another magic number, or fewer or more bytes than the header says.
    """
    try:
        with _open(path) as file:
            header = file.read(4 + 4 * dimensions)
            magic = int.from_bytes(header[:4], "big")
            wanted = _UNSIGNED_BYTE << 8 | dimensions
            if magic != wanted or len(header) < 4 + 4 * dimensions:
                raise DataError(
                    f"{path}: expected an IDX file of bytes in {dimensions} dimensions (magic {wanted}), "
                    f"found magic {magic}"
                )
            shape = tuple(int(size) for size in np.frombuffer(header[4:], ">u4"))
            size = int(np.prod(shape, dtype=object))
            if size > _MAX_BYTES:
                raise DataError(
                    f"{path}: expected at most {_MAX_BYTES:,} bytes, found a header that names {size:,}"
                )
            data = file.read(size)
            surplus = file.read(1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: expected a whole IDX file, found one that cannot be read: {error}"
        ) from error
    if len(data) < size or surplus:
        found = "more" if surplus else f"{len(data):,}"
        raise DataError(
            f"{path}: expected {size:,} bytes for shape {shape}, found {found}; fetch the file again"
        )
    return np.frombuffer(bytearray(data), np.uint8).reshape(shape)


def _open(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _image_files(source: Path) -> list[Path]:
    candidates = sorted(source.iterdir()) if source.is_dir() else [source]
    found: dict[str, Path] = {}
    for file in candidates:
        if _IMAGES.match(file.name) and file.is_file():
            found.setdefault(file.name.removesuffix(".gz"), file)  # not twice where both forms lie there
    return list(found.values())


def _part(file: Path) -> str:
    match = _IMAGES.match(file.name)
    return (match["part"] if match else "") or file.name


def _label_names(file: Path) -> tuple[str, str]:
    name = file.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    return (f"{name}.gz", name) if file.suffix == ".gz" else (name, f"{name}.gz")


def _labels_file(file: Path) -> Path | None:
    candidates = (file.with_name(name) for name in _label_names(file))
    return next((path for path in candidates if path.is_file()), None)
