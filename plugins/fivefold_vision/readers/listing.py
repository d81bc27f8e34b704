"""A CSV file that lists images: ``path,label[,group][,split]``; paths are relative to the file's folder."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

from fivefold.data.labels import encode_labels, texts
from fivefold.data.table import Array, Table
from fivefold.errors import DataError
from fivefold_vision.readers.options import Columns, Options

_LINE = 2**16


@dataclass(frozen=True)
class _Row:
    number: int
    path: Path
    name: str
    cells: dict[str, str]


def recognise(source: Path, columns: Columns) -> str | None:
    """In words what ``source`` is, or None where it is no CSV file with these columns, nor has just one."""
    file = _find(source, columns)
    return None if file is None else f"a CSV file that lists images ({', '.join(_header(file))})"


def _find(source: Path, columns: Columns) -> Path | None:
    files = sorted(source.glob("*.csv")) if source.is_dir() else [source]
    files = [file for file in files if file.suffix.lower() == ".csv" and file.is_file()]
    files = [file for file in files if {columns.path, columns.label} <= set(_header(file))]
    return files[0] if len(files) == 1 else None


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
    header = _header(file)
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


def _rows(file: Path, columns: Columns, *, labelled: bool) -> list[_Row]:
    wanted = [columns.path, *([columns.label] if labelled else [])]
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            header = [cell.strip() for cell in next(reader, [])]
            _check_header(file, header, wanted)
            return [
                _row(file, reader.line_num, header, cells, columns, labelled=labelled)
                for cells in reader
                if cells
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{file}: expected a CSV file in UTF-8, found one that cannot be read: {error}"
        ) from error


def _check_header(file: Path, header: list[str], wanted: list[str]) -> None:
    for name in wanted:
        if name not in header:
            raise DataError(
                f"{file}: expected a column '{name}', found {', '.join(header) or 'no header'}; "
                "name the columns by --columns.path and --columns.label"
            )


def _row(
    file: Path, number: int, header: list[str], values: list[str], columns: Columns, *, labelled: bool
) -> _Row:
    if len(values) != len(header):
        raise DataError(
            f"{file}, row {number}: expected {len(header)} cells as in the header, found {len(values)}"
        )
    cells = {name: value.strip() for name, value in zip(header, values, strict=True)}
    root = file.parent.absolute()
    name = cells[columns.path]
    path = Path(os.path.normpath(root / name))
    if not path.is_relative_to(root):
        raise DataError(
            f"{file}, row {number}: expected a path inside {root}, found '{name}', which leads out of it"
        )
    if not name or not path.is_file():
        raise DataError(f"{file}, row {number}: expected an image at '{name}', found no such file in {root}")
    row = _Row(number, path, path.relative_to(root).as_posix(), cells)
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


def _header(file: Path) -> list[str]:
    """The names of the columns; none where the file is no readable CSV."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            return [cell.strip() for cell in next(csv.reader([lines.readline(_LINE)]), [])]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
