"""Folders of texts: one folder a class with one file a text, perhaps below folders named by split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fivefold.data.records import opened
from fivefold.data.splits import SPLIT_NAMES
from fivefold.errors import DataError
from fivefold_nlp.readers.options import Labelled, ReadOptions, Unusable, checked_text

TEXT_ENDINGS = (".txt", ".md", ".text")
"""Endings of files that hold a text."""

_FEWEST_CLASSES = 2


def find(source: Path) -> dict[str | None, list[Path]]:
    """Folders of classes, by split (None where the source has no splits); empty where there are none."""
    if not source.is_dir():
        return {}
    folders = _folders(source)
    splits = [folder for folder in folders if folder.name.lower() in SPLIT_NAMES]
    if splits and len(splits) == len(folders):
        by_split: dict[str | None, list[Path]] = {}
        for folder in splits:
            by_split.setdefault(SPLIT_NAMES[folder.name.lower()], []).extend(classes(folder))
        return by_split if all(by_split.values()) and "train" in by_split else {}
    found = classes(source)
    return {None: found} if len(found) >= _FEWEST_CLASSES else {}


def recognise(source: Path) -> str | None:
    """In words what ``source`` is, or None where it holds no folders of texts."""
    found = find(source)
    if not found:
        return None
    names = sorted({folder.name for folders in found.values() for folder in folders})
    return f"a folder of text files in {len(names)} classes ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})"  # noqa: PLR2004 - as many as are shown


def read(source: Path, options: ReadOptions) -> Iterator[Labelled | Unusable]:
    """The texts, by split, class and name; a file that cannot be read, or holds no text, is a problem."""
    for split, folders in find(source).items():
        for folder in folders:
            for file in text_files(folder):
                name = file.relative_to(source).as_posix()
                try:
                    yield Labelled(name, file_text(file, options), str(file), folder.name, split=split)
                except DataError as error:
                    yield Unusable(name, str(file), str(error))


def text_files(folder: Path) -> list[Path]:
    """Files of text below ``folder``, by path."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in TEXT_ENDINGS and file.is_file() and not file.name.startswith(".")
    )


def file_text(file: Path, options: ReadOptions) -> str:
    """The text of a file.

    Raises:
        DataError: it cannot be read, or holds none.
    """
    with opened(file, options.encoding) as lines:
        return checked_text("".join(lines), str(file), options)


def _folders(source: Path) -> list[Path]:
    return sorted(
        folder for folder in source.iterdir() if folder.is_dir() and not folder.name.startswith((".", "_"))
    )


def classes(source: Path) -> list[Path]:
    """Folders directly below ``source`` that hold texts; none where it is a file."""
    return [folder for folder in _folders(source) if text_files(folder)] if source.is_dir() else []
