"""Tables of tracks (CSV, TSV, JSON lines, Parquet): one row a point, with agent, x, y and a time or a frame.

Where there is no column of scenes, a file is one scene. Times are in seconds; a table that has times in another
unit names them as frames, and says by ``seconds_per_frame`` how long one is (0.001 for milliseconds).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fivefold.data.records import ENDINGS, Hints, Record, column_names, read_records
from fivefold.errors import DataError
from fivefold_driving.tracks.options import ColumnsConfig, Options
from fivefold_driving.tracks.rows import Clock, Gathered, Rows, Told

__all__ = ["ENDINGS", "read", "recognise"]

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""Words for the splits, as folders and columns have them."""

_HINTS = Hints(columns="the options' columns", encoding=None)


def recognise(file: Path, columns: ColumnsConfig) -> bool:
    """Whether the table has the columns of tracks. Cheap: looks at the beginning only."""
    names = set(column_names(file))
    return {columns.agent, columns.x, columns.y} <= names and bool({columns.time, columns.frame} & names)


def read(file: Path, name: str, options: Options, told: Told) -> list[Rows]:  # noqa: ARG001 - all readers are called alike
    """The scenes of a table, in the order in which they first appear.

    Raises:
        DataError: a column is missing, a cell is no number, frames have no rate, or a scene is in two splits.
    """
    columns = options.columns
    names = column_names(file)
    stamp, clock = _clock(file, names, options)
    scenes: dict[str, Gathered] = {}
    for record in read_records(file, [stamp, columns.agent, columns.x, columns.y], hints=_HINTS):
        values, where = record.values, f"{file}, row {record.row}"
        scene = name if columns.scene not in names else _text(values, columns.scene, where)
        gathered = scenes.setdefault(scene, Gathered(scene, str(file)))
        _add(gathered, record, stamp, columns, where)
    return [gathered.rows(clock) for gathered in scenes.values()]


def _clock(file: Path, names: list[str], options: Options) -> tuple[str, Clock]:
    """The column of stamps, times before frames, and what its values mean."""
    columns = options.columns
    if columns.time in names:
        return columns.time, Clock(unit=1.0, timed=True)
    if columns.frame in names and options.frame_seconds is None:
        raise DataError(
            f"{file}: expected times (column '{columns.time}'), found frames only; set frame_rate or "
            "seconds_per_frame, or add the times"
        )
    if columns.frame not in names:
        raise DataError(
            f"{file}: expected a column '{columns.time}' or '{columns.frame}', found {', '.join(names) or 'none'}; "
            "name the columns by the options' columns, or rename them"
        )
    return columns.frame, Clock(unit=options.frame_seconds)


def _add(gathered: Gathered, record: Record, stamp: str, columns: ColumnsConfig, where: str) -> None:
    values = record.values
    gathered.add(
        record.row,
        _number(values, stamp, where),
        _text(values, columns.agent, where),
        (_number(values, columns.x, where), _number(values, columns.y, where)),
        heading=_number(values, columns.heading, where),
        type_name=str(values.get(columns.type) or "").strip().lower(),
        size=(_number(values, columns.length, where), _number(values, columns.width, where)),
    )
    written = values.get(columns.split)
    if written is None:
        return
    split = SPLITS.get(str(written).strip().lower())
    if split is None or (gathered.split or split) != split:
        raise DataError(
            f"{where}: expected one of train, val and test as the split of the whole scene '{gathered.scene}', found "
            f"'{written}'{f' after {gathered.split}' if gathered.split else ''}; mend column '{columns.split}'"
        )
    gathered.split = split


def _number(values: Mapping[str, Any], name: str, where: str) -> float:
    """A cell as a number; nan where it is empty or absent."""
    value = values.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{where}: expected a number in column '{name}', found '{str(value)[:60]}'; mend the cell"
        ) from error


def _text(values: Mapping[str, Any], name: str, where: str) -> str:
    """A cell as a name; whole numbers of Parquet and JSON as they are written in a CSV file."""
    value = values.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | str) and str(value).strip():
        return str(value).strip()
    raise DataError(f"{where}: expected a name or number in column '{name}', found {value!r}; fill it in")
