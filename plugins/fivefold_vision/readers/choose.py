"""Which reader a path is for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from fivefold.data.labels import texts
from fivefold.data.shown import shown
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.images.decode import is_image
from fivefold_vision.readers import folder, idx, listing, npz, pixels
from fivefold_vision.readers.options import Options

Read = Callable[[Path, Options], Table]

KINDS = (
    "a folder with one folder of images a class, a CSV file with the columns path and label, an NPZ file "
    "with train_images and train_labels, or IDX files (train-images-idx3-ubyte and its labels)"
)


def recognise(source: Path, options: Options) -> str | None:
    """In words what ``source`` is, or None where no reader knows it; looks at names and headers only."""
    found = _recognised(source, options)
    return None if found is None else found[0]


def read_table(source: Path, options: Options) -> Table:
    """Read labelled images, or where they lie, by the reader that knows ``source``.

    Raises:
        DataError: nothing is there, no reader knows it, or the reader finds it wrong.
    """
    _must_exist(source)
    if options.named or _is_listed(source, options):
        return listing.read(source, options)
    found = _recognised(source, options)
    if found is not None:
        return found[1](source, options)
    if source.is_dir():
        return _unknown_folder(source, options)
    by_ending: dict[str, Read] = {".npz": npz.read, ".csv": listing.read}
    read = by_ending.get(source.suffix.lower())
    if read is None:
        raise DataError(f"{source}: expected {KINDS}; found a file of another kind")
    return read(source, options)


def read_input_table(source: Path, options: Options) -> Table:
    """Read images to predict, or where they lie: an image file, a folder, or any source without its labels.

    Raises:
        DataError: nothing is there, or no image.
    """
    _must_exist(source)
    if idx.recognise(source):
        return idx.read_inputs(source)
    if source.suffix.lower() == ".npz" or npz.recognise(source):
        return npz.read_inputs(source)
    if pixels.recognise(source):
        return pixels.read_inputs(source)
    if source.is_dir():
        return _all_images(source)
    if source.suffix.lower() == ".csv":
        return listing.read_inputs(source, options)
    # Whatever its name, what a user asks to predict is an image; decoding says so where it is none.
    return Table({"id": texts([source.name]), "path": texts([str(source)])}, source=str(source))


def _recognised(source: Path, options: Options) -> tuple[str, Read] | None:
    readers: tuple[tuple[Callable[[Path], str | None], Read], ...] = (
        (idx.recognise, idx.read),
        (npz.recognise, npz.read),
        (pixels.recognise, pixels.read),
        (partial(listing.recognise, columns=options.columns), listing.read),
        (folder.recognise, folder.read),
    )
    for recognise_one, read in readers:
        found = recognise_one(source)
        if found:
            return found, read
    return None


def _is_listed(source: Path, options: Options) -> bool:
    """Whether a CSV file lies beside a single folder of images, which are then its own, and no class."""
    return len(folder.class_names(source)) == 1 and listing.has_paths(source, options.columns)


def _all_images(source: Path) -> Table:
    images, problems = folder.list_images(source, source)
    if not images and not problems:
        raise DataError(f"{source}: expected images to predict, found none in this folder")
    return Table(
        {
            "id": texts([path.relative_to(source).as_posix() for path in images]),
            "path": texts([str(path) for path in images]),
        },
        source=str(source),
        problems=tuple(problems),
    )


def _must_exist(source: Path) -> None:
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; expected {KINDS}")


def _unknown_folder(source: Path, options: Options) -> Table:
    files = sorted(source.iterdir())
    if not files:
        raise DataError(f"{source}: expected images in class folders, found an empty folder")
    lists = [file for file in files if file.suffix.lower() == ".csv"]
    if len(lists) == 1:
        return listing.read(lists[0], options)  # says which columns it lacks
    if any(is_image(file) for file in files):
        raise DataError(
            f"{source}: expected a folder a class with images in it, such as {source.name}/cat/1.jpg, found "
            "images without class folders; sort them into folders, or list them in a CSV file with the "
            "columns path and label"
        )
    raise DataError(f"{source}: expected {KINDS}; found {shown([file.name for file in files])}")
