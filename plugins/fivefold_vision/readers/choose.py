"""Which reader a path is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from fivefold.data.labels import texts
from fivefold.data.records import column_names
from fivefold.data.shown import shown
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.images.decode import is_image
from fivefold_vision.readers import folder, idx, listing, npz, pixels
from fivefold_vision.readers.options import Options

Read = Callable[[Path, Options], Table]

_NAMED = 6  # columns of a table

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
        words = _tables_beside(source) if found[1] is folder.read else ""
        table = found[1](source, options)
        return replace(table, notes=(*table.notes, words)) if words else table
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
        DataError: nothing is there, no image, or no CSV file where its columns are named.
    """
    _must_exist(source)
    arrays = None if options.named else _input_arrays(source)
    if arrays is not None:
        return arrays
    if options.named or source.suffix.lower() == ".csv":
        return listing.read_inputs(source, options)
    if source.is_dir():
        return _all_images(source)
    # Whatever its name, what a user asks to predict is an image; decoding says so where it is none.
    return Table({"id": texts([source.name]), "path": texts([str(source)])}, source=str(source))


def _input_arrays(source: Path) -> Table | None:
    """Images that a file holds as arrays; None where it is no such file."""
    if idx.recognise(source):
        return idx.read_inputs(source)
    if source.suffix.lower() == ".npz" or npz.recognise(source):
        return npz.read_inputs(source)
    return pixels.read_inputs(source) if pixels.recognise(source) else None


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


def require_other_table(source: Path, table: Table) -> None:
    """Refuse one folder of images beside a list that was not read, and of which their classes might come.

    Raises:
        DataError: so it is.
    """
    words = _tables_beside(source) if source.is_dir() and table.source == str(source) else ""
    if words and len(table.classes) == 1:
        raise DataError(
            f"{source}: expected images of two classes or more, found only '{table.classes[0]}' by the names of "
            f"folders; {words}"
        )


def _tables_beside(source: Path) -> str:
    """What is to be known of CSV files directly in a folder whose images are read by their folders; "" without any."""
    files = [(file, column_names(file)) for file in sorted(source.glob("*.csv")) if file.is_file()]
    files = [(file, names) for file, names in files if names]
    if len(files) == 1:
        ((file, names),) = files
        return (
            f"{file.name} was not read, which has {shown(names, _NAMED)}; if it says what the images show, name its "
            "columns by --columns.path and --columns.label"
        )
    named = shown([file.name for file, _ in files])
    return (
        f"{named} were not read; if one says what the images show, give it instead of the folder"
        if files
        else ""
    )


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
    if folder.is_medical(source):
        raise DataError(
            f"{source}: expected pictures such as PNG or JPEG in class folders, found files of medical formats only "
            f"({', '.join(sorted(folder.MEDICAL))}); fivefold healthcare reads them, and converts DICOM to PNG"
        )
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
