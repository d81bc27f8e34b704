"""Which reader a path is for, and its texts as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from fivefold.config.fields import named_columns
from fivefold.data.classes import require_two_classes
from fivefold.data.encodings import misread_note
from fivefold.data.labels import encode_labels, texts
from fivefold.data.problems import refuse_any_problem, refuse_problems
from fivefold.data.records import opened
from fivefold.data.shown import shown
from fivefold.data.table import Array, Table
from fivefold.data.units import Unit, choose_unit
from fivefold.errors import DataError
from fivefold_nlp.readers import folders, lines, tables
from fivefold_nlp.readers.options import Labelled, ReadOptions, Unusable, checked_text, rating
from fivefold_nlp.readers.times import time_column

KINDS = (
    "a table (CSV, TSV, JSONL, Parquet) with the columns text and label, a folder with one folder of text files "
    "a class, or lines of text with their label first"
)

_BEGINNING = 4096  # bytes by which JSON is known


def recognise_labelled(source: Path, options: ReadOptions) -> str | None:
    """In words what ``source`` is, or None where no reader knows it."""
    return tables.recognise(source, options) or folders.recognise(source) or lines.recognise(source, options)


def read_labelled(source: Path, options: ReadOptions) -> Table:
    """Labelled texts: columns ``id``, ``text`` and ``label``; where there are such, units, ``time`` and ``split``.

    Raises:
        DataError: no reader knows ``source``, one finds it wrong, or more texts than may be cannot be used; one
            sentence that names file and row.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; expected {KINDS}")
    if source.is_file() and not source.stat().st_size:
        raise DataError(f"{source}: expected {KINDS}; found an empty file")
    notes: list[str] = []
    read = list(_labelled(source, options, notes.append))
    if not read:
        raise DataError(f"{source}: expected labelled texts, found none; see `fivefold data check {source}`")
    found, labels, unusable = _usable(read, options)
    table = _table(source, found, labels, options)
    refuse_problems(replace(table, problems=tuple(one.problem for one in unusable)), options.max_bad_share)
    table = replace(
        table,
        problems=tuple(one.listed for one in unusable),
        notes=(*_misread(source, options), *notes, *table.notes),
    )
    if table.classes:
        require_two_classes(table, "texts")
    return table


def read_unlabelled(source: Path, options: ReadOptions) -> Table:
    """Texts to predict: columns ``id`` and ``text``.

    A table gives its column of texts; files of labelled lines theirs, without the labels; any other folder one
    text a file (``.txt`` or ``.md``); any other file one text a line, of which blank ones part the others and are
    passed over with a note. A blank cell or file is refused: its prediction would be missed.

    Raises:
        DataError: there is no text, or one cannot be read.
    """
    if not source.exists():
        raise DataError(
            f"{source}: no such file or folder; expected texts: a table, a folder, or a file of lines"
        )
    blank: list[int] = []
    read = list(_unlabelled(source, options, blank))
    if not read:
        raise DataError(f"{source}: expected texts, found none; write one at least")
    found = [one for one in read if isinstance(one, Labelled)]
    table = Table(
        {"id": texts([one.name for one in found]), "text": texts([one.text for one in found])},
        source=str(source),
        problems=tuple(one.problem for one in read if isinstance(one, Unusable)),
        notes=(*_misread(source, options), *_passed_over(source, blank)),
    )
    refuse_any_problem(table)
    return table


def _passed_over(source: Path, blank: Sequence[int]) -> tuple[str, ...]:
    if not blank:
        return ()
    lines_are = f"{len(blank):,} blank lines (the first is row {blank[0]}) were"
    return (
        f"{source}: {lines_are if len(blank) > 1 else f'a blank line (row {blank[0]}) was'} passed over.",
    )


def _misread(source: Path, options: ReadOptions) -> tuple[str, ...]:
    """What is to be said of files that are UTF-8 and were read in another encoding."""
    view = tables.find(source, options)
    if view is not None:
        files = [] if view.table.suffix.lower() == ".parquet" else [view.table]
    elif source.is_dir():
        found = [] if folders.find(source) else [file for file, _ in lines.find(source, options)]
        files = found or folders.text_files(source)
    else:
        files = [source]
    return misread_note(source, files, options.encoding)


def _labelled(
    source: Path, options: ReadOptions, tell: Callable[[str], None]
) -> Iterator[Labelled | Unusable]:
    view = tables.find(source, options)
    if view is not None:
        return tables.read(view, options, labelled=True, tell=tell)
    _refuse_named(source, options)
    if folders.find(source):
        return folders.read(source, options)
    found = lines.find(source, options)
    if found:
        return chain.from_iterable(lines.read(file, split, options) for file, split in found)
    if len(lone := folders.classes(source)) == 1:
        raise DataError(
            f"{source}: expected texts of two classes or more, found only '{lone[0].name}'; add another class"
        )
    raise DataError(f"{source}: expected {KINDS}; found {_of_another_kind(source)}")


def _unlabelled(source: Path, options: ReadOptions, blank: list[int]) -> Iterable[Labelled | Unusable]:
    """Texts without labels; ``blank`` gains the numbers of lines that were passed over."""
    view = tables.find(source, options)
    if view is not None:
        return tables.read(view, options, labelled=False, tell=lambda _: None)
    _refuse_named(source, options)
    found = lines.find(source, options)
    if found:
        return chain.from_iterable(lines.read(file, split, options, blank) for file, split in found)
    return _whole_files(source, options) if source.is_dir() else _plain_lines(source, options, blank)


def _refuse_named(source: Path, options: ReadOptions) -> None:
    """Refuse columns that are named, because there is no table.

    Raises:
        DataError: there is one.
    """
    for option in options.named:
        raise DataError(
            f"{source}: expected a table, of which {option} names a column, found "
            f"{_of_another_kind(source)}; leave {option} away"
        )


def _whole_files(source: Path, options: ReadOptions) -> list[Labelled]:
    files = folders.text_files(source)
    if not files:
        raise DataError(
            f"{source}: expected text files ({', '.join(folders.TEXT_ENDINGS)}) or a table, found "
            f"{_contents(source)}; name the file to read"
        )
    return [Labelled(file.relative_to(source).as_posix(), folders.file_text(file, options)) for file in files]


def _plain_lines(source: Path, options: ReadOptions, blank: list[int]) -> list[Labelled]:
    with opened(source, options.encoding) as rows:
        numbered = list(enumerate(rows, start=1))
    blank += [row for row, line in numbered if not line.strip()]
    return [
        Labelled(f"{source.name} row {row}", checked_text(line, f"{source}, row {row}", options))
        for row, line in numbered
        if line.strip()
    ]


def _of_another_kind(source: Path) -> str:
    """What ``source``, which no reader knows, is, and where it is JSON, what to make of it."""
    if not source.is_file():
        return _contents(source)
    with source.open("rb") as stream:
        first = stream.read(_BEGINNING).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    lines_of_it = "write one object a line in a file that ends in .jsonl (JSON Lines)"
    if first == b"[" and source.suffix.lower() == ".json":
        return f"a JSON array; {lines_of_it}"
    if first == b"{" and source.suffix.lower() == ".json":
        return f"JSON; {lines_of_it}"
    return "a file of another kind"


def _contents(folder: Path) -> str:
    return shown(sorted(path.name for path in folder.iterdir())) or "an empty folder"


def _usable(
    read: Iterable[Labelled | Unusable], options: ReadOptions
) -> tuple[list[Labelled], list[str | float], list[Unusable]]:
    """Texts whose label can be used, those labels, and what cannot be used."""
    found: list[Labelled] = []
    labels: list[str | float] = []
    unusable: list[Unusable] = []
    for one in read:
        if isinstance(one, Unusable):
            unusable.append(one)
            continue
        try:
            label = str(one.label)
            labels.append(rating(label, one.where) if options.ratings else label)
            found.append(one)
        except DataError as error:
            unusable.append(Unusable(one.name, one.where, str(error)))
    return found, labels, unusable


def _table(
    source: Path, found: Sequence[Labelled], labels: Sequence[str | float], options: ReadOptions
) -> Table:
    columns: dict[str, Array] = {
        "id": texts([one.name for one in found]),
        "text": texts([one.text for one in found]),
    }
    classes: tuple[str, ...] = ()
    if options.ratings:
        columns["label"] = np.array(labels, dtype=np.float64)
    else:
        columns["label"], classes = encode_labels([str(label) for label in labels])
    view = tables.find(source, options)
    if view is not None and any(one.time is not None for one in found):
        times, places = [one.time for one in found], [one.where for one in found]
        columns["time"] = time_column(times, places, view.columns.time)
    if any(one.split is not None for one in found):
        columns["split"] = texts([str(one.split) for one in found])
    unit = _unit(view, found)
    # The roles above have the first right to their names.
    group = "group" if unit.column in columns else unit.column
    if group is not None and unit.column is not None:
        columns[group] = texts([one.units[unit.column] for one in found])
    return Table(
        columns,
        source=str(source),
        label="label",
        classes=classes,
        group=group,
        time="time" if "time" in columns else None,
        split="split" if "split" in columns else None,
        notes=unit.notes,
    )


def _unit(view: tables.View | None, found: Sequence[Labelled]) -> Unit:
    """The column of authors, products or documents that the table has."""
    if view is None or not found:
        return Unit(None)
    columns = {name: [one.units[name] for one in found] for name in found[0].units}
    named = "--columns.group" in named_columns(view.columns)
    return choose_unit(view.table, columns, view.columns.group, named=named, option="--columns.group")
