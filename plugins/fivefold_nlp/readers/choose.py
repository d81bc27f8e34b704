"""Which reader a path is for, and its texts as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from fivefold.data.classes import require_two_classes
from fivefold.data.labels import encode_labels, texts
from fivefold.data.records import opened
from fivefold.data.shown import shown
from fivefold.data.table import Array, Table
from fivefold.errors import DataError
from fivefold_nlp.readers import folders, lines, tables
from fivefold_nlp.readers.options import Labelled, ReadOptions, checked_text, rating

KINDS = (
    "a table (CSV, TSV, JSONL, Parquet) with the columns text and label, a folder with one folder of text files "
    "a class, or lines of text with their label first"
)


def recognise_labelled(source: Path, options: ReadOptions) -> str | None:
    """In words what ``source`` is, or None where no reader knows it."""
    return tables.recognise(source, options) or folders.recognise(source) or lines.recognise(source, options)


def read_labelled(source: Path, options: ReadOptions) -> Table:
    """Labelled texts: columns ``id``, ``text`` and ``label``; where there are such, ``group``, ``time``, ``split``.

    Raises:
        DataError: no reader knows ``source``, or one finds it wrong; one sentence that names file and row.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; expected {KINDS}")
    if source.is_file() and not source.stat().st_size:
        raise DataError(f"{source}: expected {KINDS}; found an empty file")
    found = list(_labelled(source, options))
    if not found:
        raise DataError(f"{source}: expected labelled texts, found none; see `fivefold data check {source}`")
    return _table(source, found, options)


def read_unlabelled(source: Path, options: ReadOptions) -> Table:
    """Texts to predict: columns ``id`` and ``text``.

    A table gives its column of texts; files of labelled lines theirs, without the labels; any other folder one
    text a file (``.txt`` or ``.md``); any other file one text a line.

    Raises:
        DataError: there is no text, or one cannot be read.
    """
    if not source.exists():
        raise DataError(
            f"{source}: no such file or folder; expected texts: a table, a folder, or a file of lines"
        )
    found = list(_unlabelled(source, options))
    if not found:
        raise DataError(f"{source}: expected texts, found none; write one at least")
    return Table(
        {"id": texts([one.name for one in found]), "text": texts([one.text for one in found])},
        source=str(source),
    )


def _labelled(source: Path, options: ReadOptions) -> Iterator[Labelled]:
    view = tables.find(source, options)
    if view is not None:
        return tables.read(view, options, labelled=True)
    if folders.find(source):
        return folders.read(source, options)
    found = lines.find(source, options)
    if found:
        return chain.from_iterable(lines.read(file, split, options) for file, split in found)
    if len(lone := folders.classes(source)) == 1:
        raise DataError(
            f"{source}: expected texts of two classes or more, found only '{lone[0].name}'; add another class"
        )
    what = "a file of another kind" if source.is_file() else _contents(source)
    raise DataError(f"{source}: expected {KINDS}; found {what}")


def _unlabelled(source: Path, options: ReadOptions) -> Iterable[Labelled]:
    view = tables.find(source, options)
    if view is not None:
        return tables.read(view, options, labelled=False)
    found = lines.find(source, options)
    if found:
        return chain.from_iterable(lines.read(file, split, options) for file, split in found)
    return _whole_files(source, options) if source.is_dir() else _plain_lines(source, options)


def _whole_files(source: Path, options: ReadOptions) -> list[Labelled]:
    files = folders.text_files(source)
    if not files:
        raise DataError(
            f"{source}: expected text files ({', '.join(folders.TEXT_ENDINGS)}) or a table, found "
            f"{_contents(source)}; name the file to read"
        )
    return [Labelled(file.relative_to(source).as_posix(), folders.file_text(file, options)) for file in files]


def _plain_lines(source: Path, options: ReadOptions) -> list[Labelled]:
    with opened(source, options.encoding) as rows:
        return [
            Labelled(f"{source.name} row {row}", checked_text(line, f"{source}, row {row}", options))
            for row, line in enumerate(rows, start=1)
        ]


def _contents(folder: Path) -> str:
    return shown(sorted(path.name for path in folder.iterdir())) or "an empty folder"


def _table(source: Path, found: list[Labelled], options: ReadOptions) -> Table:
    columns: dict[str, Array] = {
        "id": texts([one.name for one in found]),
        "text": texts([one.text for one in found]),
    }
    labels = [str(one.label) for one in found]
    classes: tuple[str, ...] = ()
    if options.ratings:
        columns["label"] = np.array(
            [rating(label, f"{source}, {one.name}") for label, one in zip(labels, found, strict=True)]
        )
    else:
        columns["label"], classes = encode_labels(labels)
    roles: dict[str, str] = {}
    for role in ("group", "time", "split"):
        values = [getattr(one, role) for one in found]
        if any(value is not None for value in values):
            columns[role] = texts([str(value) for value in values])
            roles[role] = role
    table = Table(
        columns,
        source=str(source),
        label="label",
        classes=classes,
        group=roles.get("group"),
        time=roles.get("time"),
        split=roles.get("split"),
    )
    if classes:
        require_two_classes(table, "texts")
    return table
