"""A CSV file of pixels without a header, as scikit-learn has digits: a square image a row, its label last."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold_vision.readers.arrays import Part, array_table
from fivefold_vision.readers.options import Options

_ENDINGS = (".csv", ".csv.gz")
_SMALLEST_SIDE = 4
_LINE = 2**20
_RANGES = (1, 16, 255)
"""Largest values that pixels are known to have; the smallest that holds all of a file's is taken."""


def recognise(source: Path) -> str | None:
    """In words what ``source`` is, or None where it is no such file, nor a folder with just one."""
    file = _file(source)
    if file is None:
        return None
    side = _side(len(_first_row(file)) - 1)
    return f"a CSV file of {side}x{side} pixels and a label a row ({file.name})"


def read(source: Path, options: Options) -> Table:
    """Read the file; pixels are scaled from 0..1, 0..16 or 0..255 to 0..255.

    Raises:
        DataError: a row has another length or a value that is no number, or a pixel or label is out of range.
    """
    file = _path(source)
    values = _values(file)
    labels = values[:, -1]
    if (labels != np.round(labels)).any():
        row = int(np.argmax(labels != np.round(labels)))
        raise DataError(
            f"{file}, row {row + 1}: expected a whole number as label in the last column, found {labels[row]}"
        )
    part = Part("row", _images(values[:, :-1], file), labels.astype(np.int64))
    return array_table([part], file, folder=file.parent, class_names=options.class_names)


def read_inputs(source: Path) -> Table:
    """The images alone, for prediction; a last column that belongs to no square is taken for labels."""
    file = _path(source)
    values = _values(file)
    pixels = values if _side(values.shape[1]) else values[:, :-1]
    return array_table([Part("row", _images(pixels, file))], file, folder=file.parent)


def _images(pixels: NDArray[np.float64], file: Path) -> NDArray[np.uint8]:
    side = _side(pixels.shape[1])
    if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > _RANGES[-1]:
        row = int(np.argmax(~((pixels >= 0) & (pixels <= _RANGES[-1])).all(axis=1)))
        raise DataError(f"{file}, row {row + 1}: expected pixels from 0 to {_RANGES[-1]}, found others")
    top = next(value for value in _RANGES if pixels.max() <= value)
    return np.round(pixels * (255 / top)).astype(np.uint8).reshape(-1, side, side)


def _values(file: Path) -> NDArray[np.float64]:
    try:
        values: NDArray[Any] = np.loadtxt(file, delimiter=",", ndmin=2)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise DataError(f"{file}: expected a number in every cell and rows of one length: {error}") from error
    return values


def _file(source: Path) -> Path | None:
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    files = [file for file in files if file.name.lower().endswith(_ENDINGS) and file.is_file()]
    if len(files) != 1:
        return None
    row = _first_row(files[0])
    pixels = len(row) - 1 if _side(len(row) - 1) else len(row)
    return files[0] if _side(pixels) and all(_is_number(cell) for cell in row) else None


def _path(source: Path) -> Path:
    file = _file(source)
    if file is None:
        raise DataError(f"{source}: expected a CSV file of pixels, found none")
    return file


def _first_row(file: Path) -> list[str]:
    try:
        with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
            return lines.readline(_LINE).strip().split(",")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        return []


def _side(pixels: int) -> int:
    """The side of a square of so many pixels, 0 where there is none."""
    side = math.isqrt(max(pixels, 0))
    return side if side >= _SMALLEST_SIDE and side * side == pixels else 0


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
