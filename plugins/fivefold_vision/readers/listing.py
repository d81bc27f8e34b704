"""A CSV file that lists images: ``path,label[,group][,split]``; paths are relative to the file's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fivefold.data.labels import encode_labels, texts
from fivefold.data.listed import listed_path
from fivefold.data.only_file import only_file
from fivefold.data.records import Hints, Record, column_names, read_records
from fivefold.data.table import Array, Table
from fivefold.errors import DataError
from fivefold_vision.readers.config import ColumnsConfig
from fivefold_vision.readers.options import Options

_HINTS = Hints(columns="--columns.path and --columns.label", encoding=None)


@dataclass(frozen=True)
class _Row:
    number: int
    path: Path
    name: str
    cells: dict[str, str]


def recognise(source: Path, columns: ColumnsConfig) -> str | None:
    """In words what ``source`` is, or None where it is no CSV file with these columns, nor has just one."""
    file = _find(source, columns)
    return None if file is None else f"a CSV file that lists images ({', '.join(column_names(file))})"


def _find(source: Path, columns: ColumnsConfig) -> Path | None:
    named = {columns.path, columns.label}
    return only_file(source, lambda file: file.suffix.lower() == ".csv" and named <= set(column_names(file)))


def read(source: Path, options: Options) -> Table:
    """Read the list; ``path`` holds where the images lie.

    Raises:
        DataError: a column is missing, a row lacks its label or file, or a path leads out of the folder.
    """
    file = _find(source, options.columns) or source
    names = options.columns
    rows = _rows(file, names, labelled=True)
    labels, classes = encode_labels([row.cells[names.label] for row in rows])
    columns: dict[str, Array] = {**_paths(rows), "label": labels}
    header = column_names(file)
    for role, name in (("group", names.group), ("split", names.split)):
        if name in header:
            columns[role] = texts([_filled(file, row, name) for row in rows])
    return Table(
        columns,
        source=str(file),
        label="label",
        classes=classes,
        group="group" if "group" in columns else None,
        split="split" if "split" in columns else None,
    )


def read_inputs(source: Path, options: Options) -> Table:
    """The images alone, for prediction; the label column may be missing."""
    return Table(_paths(_rows(source, options.columns, labelled=False)), source=str(source))


def _paths(rows: list[_Row]) -> dict[str, Array]:
    return {"id": texts([row.name for row in rows]), "path": texts([str(row.path) for row in rows])}


def _rows(file: Path, columns: ColumnsConfig, *, labelled: bool) -> list[_Row]:
    wanted = [columns.path, *([columns.label] if labelled else [])]
    return [
        _row(file, record, columns, labelled=labelled) for record in read_records(file, wanted, hints=_HINTS)
    ]


def _row(file: Path, record: Record, columns: ColumnsConfig, *, labelled: bool) -> _Row:
    cells = {name: (value or "").strip() for name, value in record.values.items()}
    root = file.parent.absolute()
    name = cells[columns.path]
    path = listed_path(file, record.row, name)
    if not name or not path.is_file():
        raise DataError(
            f"{file}, row {record.row}: expected an image at '{name}', found no such file in {root}"
        )
    row = _Row(record.row, path, path.relative_to(root).as_posix(), cells)
    if labelled:
        _filled(file, row, columns.label)
    return row


def _filled(file: Path, row: _Row, column: str) -> str:
    value = row.cells[column]
    if not value:
        raise DataError(
            f"{file}, row {row.number}: expected a value in column '{column}', found an empty cell"
        )
    return value
