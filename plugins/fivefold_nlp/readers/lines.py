"""Texts in lines, with the label first: ``1 a fine film``, ``pos<TAB>a fine film``, ``__label__pos a fine film``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from fivefold.data.records import ENDINGS, opened
from fivefold.errors import DataError
from fivefold_nlp.readers.options import Labelled, ReadOptions, checked_text

SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
"""Names that files and folders of a split have."""

_PREFIX = "__label__"
_LOOKED_AT = 200  # lines by which a file is recognised
_MOST_LABELS = 50  # different first words from which they are taken for text
_REPEATS = 3  # lines that each label must have on average


def find(source: Path, options: ReadOptions) -> list[tuple[Path, str | None]]:
    """Files of labelled lines at ``source``, each with its split; a folder must name its files by split."""
    if source.is_file():
        return [(source, None)] if _are_labelled(source, options) else []
    if not source.is_dir():
        return []
    named = [(file, split_of(file)) for file in sorted(source.iterdir()) if file.is_file()]
    found: list[tuple[Path, str | None]] = [
        (file, split) for file, split in named if split is not None and _are_labelled(file, options)
    ]
    splits = [split for _, split in found]
    return found if "train" in splits and len(set(splits)) == len(splits) else []


def split_of(file: Path) -> str | None:
    """The split that a file's name says: ``train.txt``, ``x.train``, ``x-train.txt``."""
    parts = file.name.lower().replace("-", ".").replace("_", ".").split(".")
    names = {SPLITS[part] for part in parts if part in SPLITS}
    return names.pop() if len(names) == 1 else None


def recognise(source: Path, options: ReadOptions) -> str | None:
    """In words what ``source`` is, or None where it holds no lines with a label first."""
    found = find(source, options)
    if not found:
        return None
    names = ", ".join(file.name for file, _ in found)
    return f"lines of text with their label first ({names})"


def read(file: Path, split: str | None, options: ReadOptions) -> Iterator[Labelled]:
    """The texts of the file, in order.

    Raises:
        DataError: a line lacks its text or label; the message names the row.
    """
    with opened(file, options.encoding) as lines:
        for row, line in enumerate(lines, start=1):
            where = f"{file}, row {row}"
            if not line.strip():
                raise DataError(f"{where}: expected a label and a text, found an empty line; remove it")
            label, _, text = _cut(line)
            if not label:
                raise DataError(f"{where}: expected a label before the text, found none; write it first")
            if not text.strip():
                raise DataError(
                    f"{where}: expected a text behind the label '{label}', found none; fill it in or remove the line"
                )
            yield Labelled(f"{file.name} row {row}", checked_text(text, where, options), label, split=split)


def _cut(line: str) -> tuple[str, str, str]:
    """Label, separator and text of a line; a tab separates where there is one."""
    label, separator, text = line.partition("\t" if "\t" in line else " ")
    return label.strip().removeprefix(_PREFIX), separator, text


def _are_labelled(file: Path, options: ReadOptions) -> bool:
    """Whether the first words of the file's first lines are few enough to be labels."""
    if file.suffix.lower() in {*ENDINGS, ".yaml", ".yml", ".json", ".md"}:
        return False
    try:
        with opened(file, options.encoding) as lines:
            first = list(islice(lines, _LOOKED_AT))
    except DataError:
        return _are_labelled_bytes(file)
    return _look_labelled([line for line in first if line.strip()])


def _are_labelled_bytes(file: Path) -> bool:
    """The same of a file in another encoding, which reading will refuse with the row where that shows."""
    try:
        with file.open("rb") as lines:
            first = [line.decode("latin-1") for line in islice(lines, _LOOKED_AT)]
    except OSError:
        return False
    return _look_labelled([line for line in first if line.strip()])


def _look_labelled(lines: list[str]) -> bool:
    if not lines:
        return False
    if all(line.startswith(_PREFIX) for line in lines):
        return True
    labels = {_cut(line)[0] for line in lines}
    return len(labels) <= min(_MOST_LABELS, len(lines) / _REPEATS)
