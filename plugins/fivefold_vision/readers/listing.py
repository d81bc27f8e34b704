"""A CSV file that lists images: ``path,label[,group][,split]``; paths are relative to the file's folder."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fivefold.config.fields import named_columns, require_named
from fivefold.data.labels import encode_labels, texts
from fivefold.data.listed import listed_path
from fivefold.data.only_file import only_file
from fivefold.data.records import Hints, Record, column_names, read_records
from fivefold.data.shown import shown
from fivefold.data.table import Array, Table
from fivefold.data.units import choose_unit, unit_columns
from fivefold.errors import DataError
from fivefold_vision.readers.config import ColumnsConfig
from fivefold_vision.readers.folder import MEDICAL
from fivefold_vision.readers.options import Options

KNOWN_UNITS = ("patient", "patient_id", "subject", "subject_id", "person", "participant", "animal", "scene")
"""What columns are called whose rows are of one unit, beside `fivefold.data.units.UNITS`."""

_HINTS = Hints(columns="--columns.path and --columns.label", encoding=None)
_INPUT_HINTS = Hints(columns="--columns.path", encoding=None)


_LOOKED_AT = 5  # rows by which a list is recognised


@dataclass(frozen=True)
class _Row:
    number: int
    path: Path
    name: str
    cells: dict[str, str]


def recognise(source: Path, columns: ColumnsConfig) -> str | None:
    """In words what ``source`` is, or None where it is no CSV file with these columns, nor has just one.

    A list that begins with files of medical formats is left to other pipelines.
    """
    file = _find(source, columns)
    if file is None or _is_medical(file, columns):
        return None
    return f"a CSV file that lists images ({', '.join(column_names(file))})"


def _is_medical(file: Path, columns: ColumnsConfig) -> bool:
    """Whether the first files that a list names are of medical formats."""
    try:
        first = list(islice(read_records(file, [columns.path], hints=_HINTS), _LOOKED_AT))
    except DataError:
        return False  # reading says what is wrong
    names = [(record.values[columns.path] or "").strip().lower() for record in first]
    return bool(names) and all(name.removesuffix(".gz").endswith(tuple(MEDICAL)) for name in names)


def _find(source: Path, columns: ColumnsConfig) -> Path | None:
    named = {columns.path, columns.label}
    return only_file(source, lambda file: file.suffix.lower() == ".csv" and named <= set(column_names(file)))


def has_paths(source: Path, columns: ColumnsConfig) -> bool:
    """Whether the only CSV file in a folder says where images lie."""
    file = only_file(source, lambda file: file.suffix.lower() == ".csv")
    return file is not None and columns.path in column_names(file)


def read(source: Path, options: Options) -> Table:
    """Read the list; ``path`` holds where the images lie.

    Raises:
        DataError: a column is missing, a row lacks its label or file, or a path leads out of the folder.
    """
    file = _find(source, options.columns) or _only_csv(source, options)
    names = options.columns
    header = column_names(file)
    require_named(file, header, options.named)
    rows = _rows(file, names, labelled=True)
    labels, classes = encode_labels([row.cells[names.label] for row in rows])
    columns: dict[str, Array] = {**_paths(rows), "label": labels}
    units = {
        name: [row.cells[name] for row in rows] for name in unit_columns(header, names.group, KNOWN_UNITS)
    }
    named = "--columns.group" in named_columns(names)
    unit = choose_unit(file, units, names.group, named=named, option="--columns.group")
    # A table's own columns have the first right to their names.
    group = unit.column if unit.column not in columns else "group"
    for role, name in ((group, unit.column), ("split", names.split)):
        if role is not None and name in header:
            columns[role] = texts([_filled(file, row, str(name)) for row in rows])
    return Table(
        columns,
        source=str(file),
        label="label",
        classes=classes,
        group=group,
        split="split" if "split" in columns else None,
        notes=unit.notes,
    )


def _only_csv(source: Path, options: Options) -> Path:
    """The CSV file that ``source`` is or has.

    Raises:
        DataError: columns are named, and there is none, or several.
    """
    file = only_file(source, lambda file: file.suffix.lower() == ".csv")
    if file is None and options.named:
        option = next(iter(options.named))
        files = [source] if source.is_file() else sorted(source.iterdir())
        raise DataError(
            f"{source}: expected one CSV file, of which {option} names a column, found "
            f"{shown([file.name for file in files]) or 'an empty folder'}; name the file, or leave {option} away"
        )
    return file or source


def read_inputs(source: Path, options: Options) -> Table:
    """The images alone, for prediction; the label column may be missing.

    Raises:
        DataError: a column that must be there is missing, or an image.
    """
    file = _only_csv(source, options)
    require_named(file, column_names(file), options.named)
    return Table(_paths(_rows(file, options.columns, labelled=False)), source=str(file))


def _paths(rows: list[_Row]) -> dict[str, Array]:
    return {"id": texts([row.name for row in rows]), "path": texts([str(row.path) for row in rows])}


def _rows(file: Path, columns: ColumnsConfig, *, labelled: bool) -> list[_Row]:
    wanted = [columns.path, *([columns.label] if labelled else [])]
    records = read_records(file, wanted, hints=_HINTS if labelled else _INPUT_HINTS)
    return [_row(file, record, columns, labelled=labelled) for record in records]


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
