"""Scenes as linked tables of JSON, in the manner of nuScenes (Caesar et al. 2020): who is where in which sample.

A folder with ``scene.json``, ``sample.json``, ``sample_annotation.json``, ``instance.json`` and ``category.json``,
or one JSON file with these names as keys. Of each table the following is read:

    scene              token, name; where given, split, map (polylines) and drivable (polygons), [[[x, y], ...], ...]
    sample             token, scene_token, timestamp (microseconds)
    sample_annotation  sample_token, instance_token, translation [x, y, z]; where given, size [width, length, height]
                       and rotation [w, x, y, z]
    instance           token, category_token
    category           token, name, such as human.pedestrian.adult

People, vehicles and animals are agents; barriers, cones and the like are not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.errors import DataError
from fivefold_driving.tracks.options import METRES, Options
from fivefold_driving.tracks.readers.tables import SPLITS
from fivefold_driving.tracks.rows import Clock, Gathered, Polylines, Rows, Told

TABLES = ("scene", "sample", "sample_annotation", "instance", "category")
"""Names of the tables: of files with the ending ``.json`` in a folder, of keys in a file."""

LARGEST = 2**31
"""Bytes of the largest file that is read."""

_AGENTS = {"human", "vehicle", "animal"}
_LOOKED_AT = 2**16
_MICROSECONDS = 1e-6
_LARGEST_WHOLE = 2**63  # JSON's integers have no bound, floats have

Entry = Mapping[str, Any]


def recognise(source: Path) -> bool:
    """Whether ``source`` is a folder with the tables, or a JSON file that begins with one of them."""
    if source.is_dir():
        return all((source / f"{name}.json").is_file() for name in TABLES)
    if source.suffix.lower() != ".json" or not source.is_file():
        return False
    with source.open("rb") as stream:
        beginning = stream.read(_LOOKED_AT).lstrip()
    return beginning.startswith(b"{") and any(f'"{name}"'.encode() in beginning for name in TABLES)


def read(source: Path, name: str, options: Options, told: Told) -> list[Rows]:  # noqa: ARG001 - all readers are called alike
    """The scenes of the tables, in their order. Objects that are no agents are a caution.

    Raises:
        DataError: a table, a key or an entry that another names is missing, or a value is of another kind.
    """
    tables = _tables(source)
    samples = _by_token(source, "sample", tables["sample"])
    types = _types(source, tables)
    moments = {token: _whole(entry, "timestamp", source, "sample") for token, entry in samples.items()}
    scenes = {
        token: _Scene(entry, source) for token, entry in _by_token(source, "scene", tables["scene"]).items()
    }
    for token, entry in samples.items():
        scene = _linked(scenes, entry, "scene_token", source, "sample")
        scene.first = min(scene.first, moments[token])
    left_out = 0
    for place, entry in enumerate(tables["sample_annotation"], start=1):
        sample = _linked(samples, entry, "sample_token", source, "sample_annotation")
        scene = scenes[sample["scene_token"]]
        kind = _linked(types, entry, "instance_token", source, "sample_annotation")
        if kind is None:
            left_out += 1
            continue
        # Microseconds since 1970 are whole numbers here; as seconds they would lose their last digits.
        scene.add(place, (moments[sample["token"]] - scene.first) * _MICROSECONDS, entry, kind)
    if left_out:
        told.cautions.append(
            f"{source.name}: {left_out:,} boxes are no people, vehicles or animals and were left out"
        )
    return [scene.rows(options) for scene in scenes.values()]


class _Scene:
    """A scene under way."""

    def __init__(self, entry: Entry, source: Path) -> None:
        self.entry, self.source = entry, source
        self.first: float = math.inf
        self._gathered = Gathered(_text(entry, "name", source, "scene"), str(source))

    def add(self, place: int, moment: float, entry: Entry, kind: str) -> None:
        source, table = self.source, "sample_annotation"
        x, y, *_ = _list(entry, "translation", 3, source, table)
        width, length, *_ = (
            _list(entry, "size", 3, source, table) if "size" in entry else (math.nan, math.nan)
        )
        self._gathered.add(
            place,
            moment,
            _text(entry, "instance_token", source, table),
            (x, y),
            heading=_yaw(*_list(entry, "rotation", 4, source, table)) if "rotation" in entry else math.nan,
            type_name=kind,
            size=(length, width),
        )

    def rows(self, options: Options) -> Rows:
        written = self.entry.get("split")
        if written is not None and str(written).lower() not in SPLITS:
            raise DataError(
                f"{self.source}, scene '{self._gathered.scene}': expected train, val or test as its split, found "
                f"'{written}'; mend it"
            )
        self._gathered.split = None if written is None else SPLITS[str(written).lower()]
        scale = METRES[options.units]
        roads = (self._shapes("map", scale), self._shapes("drivable", scale))
        return self._gathered.rows(Clock(unit=1.0, timed=True), roads=roads)

    def _shapes(self, name: str, scale: float) -> Polylines:
        try:
            shapes = [np.array(shape, dtype=np.float64) for shape in self.entry.get(name, [])]
        except (TypeError, ValueError, OverflowError):
            shapes = [np.empty(0)]
        if not all(shape.ndim == 2 and shape.shape[1] == 2 and np.isfinite(shape).all() for shape in shapes):  # noqa: PLR2004 - points of x and y
            raise DataError(
                f"{self.source}, scene '{self._gathered.scene}': expected '{name}' as lists of points [x, y] in "
                "numbers, found something else; mend it"
            )
        return tuple(shape * scale for shape in shapes)


def _tables(source: Path) -> dict[str, list[Entry]]:
    if source.is_dir():
        return {
            name: _entries(source / f"{name}.json", name, _content(source / f"{name}.json"))
            for name in TABLES
        }
    content = _content(source)
    return {
        name: _entries(source, name, content.get(name) if isinstance(content, dict) else None)
        for name in TABLES
    }


def _content(file: Path) -> object:
    try:
        if file.stat().st_size > LARGEST:
            raise DataError(f"{file}: expected JSON of at most {LARGEST:,} bytes, found more; split it")
        return json.loads(file.read_bytes())
    except OSError as error:
        raise DataError(f"{file}: expected JSON, found a file that cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{file}: expected JSON, found something that is none ({error}); export it again"
        ) from error


def _entries(file: Path, name: str, table: object) -> list[Entry]:
    if not isinstance(table, list) or not all(isinstance(entry, dict) for entry in table):
        raise DataError(
            f"{file}: expected the table '{name}' as a list of objects, found something else; export it again"
        )
    return table


def _types(source: Path, tables: Mapping[str, list[Entry]]) -> dict[str, str | None]:
    """The type of each instance: the middle of its category's name; None where it is no agent."""
    categories = _by_token(source, "category", tables["category"])
    types: dict[str, str | None] = {}
    for token, entry in _by_token(source, "instance", tables["instance"]).items():
        category = _linked(categories, entry, "category_token", source, "instance")
        first, *rest = _text(category, "name", source, "category").lower().split(".")
        types[token] = None if first not in _AGENTS else rest[0] if rest else first
    return types


def _by_token(source: Path, table: str, entries: list[Entry]) -> dict[str, Entry]:
    return {_text(entry, "token", source, table): entry for entry in entries}


def _linked(others: Mapping[str, Any], entry: Entry, key: str, source: Path, table: str) -> Any:
    """What ``entry`` names by ``key``."""
    wanted = _text(entry, key, source, table)
    if wanted not in others:
        raise DataError(
            f"{source}, {table}: expected the entry that {key} '{wanted}' names, found none; export all the tables "
            "together"
        )
    return others[wanted]


def _text(entry: Entry, key: str, source: Path, table: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise DataError(
            f"{source}, {table}: expected a text as '{key}' of every entry, found {value!r}; mend it"
        )
    return value


def _whole(entry: Entry, key: str, source: Path, table: str) -> int:
    value = entry.get(key)
    if not isinstance(value, int) or abs(value) > _LARGEST_WHOLE:
        raise DataError(
            f"{source}, {table}: expected whole microseconds as '{key}', found {value!r}; mend it"
        )
    return value


def _list(entry: Entry, key: str, length: int, source: Path, table: str) -> list[float]:
    value = entry.get(key)
    if (
        not isinstance(value, list)
        or len(value) != length
        or not all(
            isinstance(one, float) or (isinstance(one, int) and abs(one) <= _LARGEST_WHOLE) for one in value
        )
    ):
        raise DataError(f"{source}, {table}: expected {length} numbers as '{key}', found {value!r}; mend it")
    return [float(one) for one in value]


def _yaw(w: float, x: float, y: float, z: float) -> float:
    """The turn around the upright axis of a unit quaternion, radians."""
    return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
