"""Tables of tracks (CSV, TSV, JSON lines, Parquet): one row a point, with agent, x, y and a time or a frame.

Where there is no column of scenes, a file is one scene. Times are in seconds; a table that has times in another
unit names them as frames, and says by ``seconds_per_frame`` how long one is (0.001 for milliseconds). A trained model
reads its own names of columns and the usual ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fivefold.config.fields import named_columns, require_named
from fivefold.data.records import ENDINGS, Hints, Record, column_names, read_records
from fivefold.errors import DataError
from fivefold_driving.tracks.options import ColumnsConfig, Options
from fivefold_driving.tracks.rows import Clock, Gathered, Rows, Told

__all__ = ["ENDINGS", "read", "recognise"]

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""Words for the splits, as folders and columns have them."""

_HINTS = Hints(columns="--columns.agent, --columns.x and so on", encoding=None)
_USUAL = ColumnsConfig()
_NEEDED = ("agent", "x", "y")


def recognise(file: Path, options: Options) -> bool:
    """Whether the table has the columns of tracks. Cheap: looks at the beginning only."""
    names = column_names(file)
    columns = _columns(names, options)
    there = {columns.agent, columns.x, columns.y} <= set(names)
    return there and bool({columns.time, columns.frame} & set(names))


def _columns(names: Sequence[str], options: Options) -> ColumnsConfig:
    """The names of the columns: those of the options; for a trained model the usual ones where they are absent."""
    columns = options.columns
    if not options.trained:
        return columns
    absent = [role for role, name in dict(columns).items() if name not in names]
    return columns.model_copy(update={role: getattr(_USUAL, role) for role in absent})


def _require(file: Path, names: Sequence[str], columns: ColumnsConfig, options: Options) -> None:
    """Refuse a table without a column that the options name, or that must be there."""
    require_named(file, names, options.named if options.trained else named_columns(columns))
    for role in _NEEDED:
        own, usual = getattr(options.columns, role), getattr(columns, role)
        if names and usual not in names:  # without names the file cannot be read, which reading it says
            wanted = f"'{own}'" if own == usual else f"'{own}', as in training, or '{usual}'"
            raise DataError(
                f"{file}: expected a column {wanted}, found {', '.join(names)}; name it by --columns.{role}, or rename "
                "it"
            )


def read(file: Path, name: str, options: Options, told: Told) -> list[Rows]:
    """The scenes of a table, in the order in which they first appear.

    Raises:
        DataError: a column is missing, a cell is no number, frames have no rate, or a scene is in two splits.
    """
    names = column_names(file)
    columns = _columns(names, options)
    _require(file, names, columns, options)
    stamp, clock = _clock(file, names, columns, options)
    needed = [stamp, columns.agent, columns.x, columns.y]
    numbers = {*needed, columns.heading, columns.length, columns.width} - {columns.agent}
    scenes: dict[str, Gathered] = {}
    for record in read_records(file, needed, hints=_HINTS, numbers=numbers, tell=told.cautions.append):
        values, where = record.values, f"{file}, row {record.row}"
        scene = name if columns.scene not in names else _text(values, columns.scene, where)
        gathered = scenes.setdefault(scene, Gathered(scene, str(file)))
        _add(gathered, record, stamp, columns, where)
    return [gathered.rows(clock) for gathered in scenes.values()]


def _clock(file: Path, names: list[str], columns: ColumnsConfig, options: Options) -> tuple[str, Clock]:
    """The column of stamps, times before frames, and what its values mean."""
    if columns.time in names:
        return columns.time, Clock(unit=1.0, timed=True)
    if columns.frame in names and options.frame_seconds is None:
        raise DataError(
            f"{file}: expected times (column '{columns.time}'), found frames only; say by --frame-rate or "
            "--seconds-per-frame how long one is, or name the column of times by --columns.time"
        )
    if columns.frame not in names:
        raise DataError(
            f"{file}: expected a column '{columns.time}' or '{columns.frame}', found {', '.join(names) or 'none'}; "
            "name it by --columns.time, or by --columns.frame together with --seconds-per-frame, or rename it"
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
