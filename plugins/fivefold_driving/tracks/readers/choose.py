"""Which reader a path is for, and its scenes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from fivefold.data.shown import shown
from fivefold.errors import ConfigError, DataError
from fivefold_driving.tracks.build import build
from fivefold_driving.tracks.clocks import tell_assumed
from fivefold_driving.tracks.options import Options
from fivefold_driving.tracks.readers import commonroad, eth_ucy, scenes_json, sumo, tables
from fivefold_driving.tracks.readers.beside import Companions, is_beside
from fivefold_driving.tracks.readers.markup import root_of
from fivefold_driving.tracks.rows import Rows, Told
from fivefold_driving.tracks.scene import Scenes

KINDS = (
    "ETH/UCY text (frame, id, x, y), a table (CSV, TSV, JSONL, Parquet) with agent, x, y and time or frame, SUMO's "
    "floating car data, CommonRoad scenarios, tables of nuScenes in JSON, or a folder of such files"
)

_DEFAULT = Options()


@dataclass(frozen=True)
class _Kind:
    """A format: its name in words, its reader, and whether it is in metres by its standard."""

    words: str
    read: Callable[[Path, str, Options, Told], list[Rows]]
    metric: bool = False


_ETH_UCY = _Kind("ETH/UCY text", eth_ucy.read)
_TABLE = _Kind("a table of tracks", tables.read)
_JSON = _Kind("scenes in JSON", scenes_json.read)
_SUMO = _Kind("floating car data of SUMO", sumo.read, metric=True)
_COMMONROAD = _Kind("a CommonRoad scenario", commonroad.read, metric=True)


def recognise(source: Path, options: Options = _DEFAULT) -> str | None:
    """In words what ``source`` is, or None where no reader knows it. Cheap: looks at beginnings of files only."""
    try:
        found = Counter(kind.words for file in _files(source) if (kind := _kind(file, options)))
    except (DataError, OSError):
        return None
    if not found:
        return None
    if source.is_file() or scenes_json.recognise(source):
        return next(iter(found))
    return "a folder of tracks (" + ", ".join(f"{count:,} x {words}" for words, count in found.items()) + ")"


def read_scenes(source: Path, options: Options = _DEFAULT) -> Scenes:
    """The scenes of a file or folder, checked (see `fivefold_driving.tracks.checks`) and resampled.

    In a folder every file of tracks is read, in the order of their paths; a scene is in the split whose folder it lies
    in (train, val, test), or which its table or entry names. Files that are no tracks are a caution. A
    network (``*.net.xml``) in the folder of tracks is their map where they have none and the options name none, and
    ``simulated.json`` there marks them as simulated.

    Raises:
        ConfigError: units for a format that is in metres.
        DataError: no reader knows ``source``, one finds it wrong, or a scene has no track; one sentence that names the
            file.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; expected {KINDS}")
    told = Told()
    files = _files(source)
    kinds = {file: kind for file in files if (kind := _kind(file, options))}
    if not kinds and source.suffix.lower() in tables.ENDINGS:
        kinds = {source: _TABLE}  # its reader says which column is missing
    if not kinds:
        raise DataError(f"{source}: expected {KINDS}; found {_words(source, files)}")
    rest = [file for file in files if file not in kinds and file != options.map and not is_beside(file)]
    if rest:
        told.cautions.append(f"{source.name}: what holds no tracks was not read ({_words(source, rest)})")
    companions = Companions(options.map, told)
    found = [
        companions.add(rows if rows.split else replace(rows, split=_split_of_folder(source, file)), file)
        for file, kind in kinds.items()
        for rows in _read(source, file, kind, options, told)
    ]
    _require_names(source, [rows.scene for rows in found])
    scenes = tuple(build(rows, options, told) for rows in found)
    tell_assumed(told)
    split = {rows.scene: rows.split for rows in found if rows.split}
    return Scenes(scenes, tuple(told.problems), tuple(told.cautions), split, told.points)


def _files(source: Path) -> list[Path]:
    """What is to be looked at: a folder of nuScenes is one thing, as every file is."""
    if source.is_file() or scenes_json.recognise(source):
        return [source]
    inside = (file for file in source.rglob("*") if file.is_file())
    return sorted(
        file for file in inside if not any(part.startswith(".") for part in file.relative_to(source).parts)
    )


def _kind(file: Path, options: Options) -> _Kind | None:
    ending = file.suffix.lower()
    if ending == ".xml":
        root = root_of(file)
        return _SUMO if sumo.recognise(root) else _COMMONROAD if commonroad.recognise(root) else None
    if ending in tables.ENDINGS:
        return _TABLE if tables.recognise(file, options) else None
    if ending == eth_ucy.ENDING:
        return _ETH_UCY if eth_ucy.recognise(file) else None
    return _JSON if scenes_json.recognise(file) else None


def _read(source: Path, file: Path, kind: _Kind, options: Options, told: Told) -> list[Rows]:
    if kind.metric and options.units != "m":
        raise ConfigError(
            f"--units: expected m for {file}, which is in metres by its standard, found {options.units}; leave it out"
        )
    name = file.stem if file == source else file.relative_to(source).with_suffix("").as_posix()
    return kind.read(file, name, options, told)


def _split_of_folder(source: Path, file: Path) -> str | None:
    parts = file.relative_to(source).parts[:-1] if file != source else ()
    return next((tables.SPLITS[part.lower()] for part in parts if part.lower() in tables.SPLITS), None)


def _require_names(source: Path, names: list[str]) -> None:
    if not names:
        raise DataError(f"{source}: expected scenes with tracks, found none; add some")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DataError(
            f"{source}: expected a name of its own for each scene, found '{name}' {count} times; rename them"
        )


def _words(source: Path, files: list[Path]) -> str:
    if files == [source]:
        return "a file of another kind"
    return shown([file.relative_to(source).as_posix() for file in files]) or "an empty folder"
