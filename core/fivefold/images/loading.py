"""From paths to pixels: decoded once, in threads, where they fit into memory, else when asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Problem, Table
from fivefold.errors import DataError
from fivefold.images.decode import Fit, Image, check_whole, decode, fit_image, read_bytes, read_image

SURVEYED = 64
"""Images looked at to find a common size and whether they have colour."""
SMALL = 64
"""Images up to this side keep their size."""

T = TypeVar("T")
R = TypeVar("R")


class Reading(Protocol):
    """How files become arrays of one shape."""

    @property
    def stored(self) -> tuple[int, ...]:
        """Shape of one sample in an array."""

    def read(self, path: str) -> NDArray[np.uint8]:
        """The file at ``path`` in that shape; raises DataError where it cannot be read."""

    def check(self, path: str) -> None:
        """A cheap look at whether the file can be read; raises DataError where it cannot."""

    def fit(self, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """An array brought to that shape."""


@dataclass(frozen=True)
class Shape:
    """What every image of a data set is brought to; reads image files.

    Attributes:
        size: height and width.
        channels: 1 (grey) or 3 (colour).
        way: how other proportions are dealt with; see `fit_image`.
    """

    size: tuple[int, int]
    channels: int
    way: Fit = "crop"

    @property
    def stored(self) -> tuple[int, ...]:
        """Shape of one image in an array: ``(H, W)`` or ``(H, W, 3)``."""
        return self.size if self.channels == 1 else (*self.size, self.channels)

    def read(self, path: str) -> Image:
        """Decode the image at ``path`` and fit it."""
        return self.fit(read_image(Path(path)))

    def check(self, path: str) -> None:
        """Whether the file is there and not cut off."""
        check_whole(read_bytes(Path(path)), path)

    def fit(self, array: Image) -> Image:
        """Bring one image to this shape."""
        return fit_image(array, self.size, self.channels, self.way)


@dataclass(frozen=True)
class Survey:
    """What images look like: their common size, or None where they differ, and whether any has colour."""

    size: tuple[int, int] | None
    channels: int


def survey(table: Table) -> Survey:
    """Look at the images that ``table`` holds, or at some of the files it names."""
    if "image" in table:
        images = table["image"]
        return Survey((int(images.shape[1]), int(images.shape[2])), 3 if images.ndim == 4 else 1)  # noqa: PLR2004 - axes of an image
    rows = np.unique(np.linspace(0, len(table) - 1, SURVEYED).astype(int)) if len(table) else np.arange(0)
    sizes: set[tuple[int, int]] = set()
    colour = False
    for found in in_threads(_image_or_problem, [str(table["path"][row]) for row in rows]):
        if isinstance(found, np.ndarray):
            sizes.add((int(found.shape[0]), int(found.shape[1])))
            colour = colour or (found.ndim == 3 and bool((found.max(axis=2) != found.min(axis=2)).any()))  # noqa: PLR2004 - axes of an image
    return Survey(sizes.pop() if len(sizes) == 1 else None, 3 if colour else 1)


def load_files(table: Table, shape: Reading, *, memory: int) -> Table:
    """Decode the files that ``table`` names into a column ``image``, or check them where they are too many.

    Args:
        table: with a column ``path``.
        shape: what the images are brought to.
        memory: bytes that the decoded images may take; more stay on disk, checked only as far as is cheap, and
            are decoded when they are asked for.

    Returns:
        the table without the files that cannot be read; those stand in its ``problems``.
    """
    paths = [str(path) for path in table["path"]]
    fits = len(paths) * int(np.prod(shape.stored)) <= memory

    def attempt(path: str) -> Image | DataError | None:
        try:
            if fits:
                return shape.read(path)
            shape.check(path)
        except DataError as error:
            return error
        return None

    images = np.empty((len(paths) if fits else 0, *shape.stored), np.uint8)
    good = np.ones(len(paths), dtype=bool)
    problems = []
    for row, found in enumerate(in_threads(attempt, paths)):
        if isinstance(found, DataError):
            good[row] = False
            problems.append(Problem(str(table.ids[row]), str(found)))
        elif found is not None:
            images[row] = found
    columns = dict(table.columns)
    if fits:
        columns["image"] = images
        del columns["path"]
    table = replace(table, columns=columns, problems=(*table.problems, *problems))
    return table if good.all() else table.take(np.flatnonzero(good))


def load_arrays(table: Table, shape: Reading) -> Table:
    """Bring the images that ``table`` holds to ``shape``."""
    images = table["image"]
    if images.shape[1:] == shape.stored:
        return table
    fitted = in_threads(shape.fit, images)
    return table.with_columns(
        image=np.stack(list(fitted)) if len(images) else np.empty((0, *shape.stored), np.uint8)
    )


def load_rows(paths: Sequence[str], shape: Reading) -> NDArray[np.uint8]:
    """Decode ``paths``, uint8 of shape ``(N, *stored)``.

    Raises:
        DataError: one of them cannot be read.
    """
    return np.stack([shape.read(path) for path in paths])


def in_threads(function: Callable[[T], R], values: Iterable[T]) -> Iterator[R]:
    """``function`` of each value, in order; OpenCV releases the interpreter's lock while it decodes."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(function, values)


def _image_or_problem(path: str) -> Image | None:
    try:
        return decode(read_bytes(Path(path)), path)
    except DataError:
        return None  # the loading that follows tells of it
