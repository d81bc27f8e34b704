"""Networks of roads as SUMO reads them: found, and checked before anything runs.

A network is a file ``*.net.xml`` (roads, junctions, traffic lights) and a file ``*.rou.xml`` (who drives from where to
where). SUMO would read more elements than these files are for, among them such that name files to write. So only
elements of the two formats (https://sumo.dlr.de/docs/Networks/SUMO_Road_Networks.html and
https://sumo.dlr.de/docs/Definition_of_Vehicles,_Vehicle_Types,_and_Routes.html) are let through.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fivefold.errors import DataError
from fivefold_driving.simulate.markup import read_elements
from fivefold_driving.simulate.vehicles import BUILT_IN, Vehicle, vehicle_type

_NET = frozenset(
    {
        *("net", "location", "type", "restriction", "edge", "lane", "neigh", "stopOffset", "param"),
        *("junction", "request", "connection", "conflict", "prohibition", "roundabout"),
        *("tlLogic", "phase", "condition", "assignment"),
    }
)
_ROUTES = frozenset(
    {
        *("routes", "vType", "vTypeDistribution", "route", "routeDistribution", "param"),
        *("vehicle", "trip", "flow", "interval", "stop"),
        *("person", "personFlow", "personTrip", "walk", "ride"),
        *("container", "containerFlow", "transport", "tranship"),
    }
)
_CONFIG = ".sumocfg"


@dataclass(frozen=True)
class Network:
    """A network and its traffic.

    Attributes:
        name: what messages and reports call it.
        net: the roads.
        routes: the vehicles.
        begin: second of the day at which the simulation begins.
        vehicles: the types of vehicles, by their name.
        unread: what the configuration names beside net and routes, and is not read.
    """

    name: str
    net: Path
    routes: Path
    begin: float
    vehicles: Mapping[str, Vehicle]
    unread: tuple[str, ...] = ()


def read_network(source: Path) -> Network:
    """The network at ``source``: a folder with one of each file, or with a configuration, or a configuration.

    A configuration (``*.sumocfg``) says which files are meant and when to begin; nothing else of it is used.
    Without its word the simulation begins with the second of the first departure.

    Raises:
        DataError: a file is missing, or there are several, or one is broken; the message names it.
    """
    config = source if source.suffix == _CONFIG else _config_of(source)
    begin: float | None = None
    unread: tuple[str, ...] = ()
    if config is None:
        net, routes = (_only(source, ending) for ending in (".net.xml", ".rou.xml"))
    else:
        net, routes, begin, unread = _read_config(config)
    _check_net(net)
    traffic = _read_routes(routes)
    return Network(
        name=source.stem if source == config else source.resolve().name,
        net=net,
        routes=routes,
        begin=math.floor(traffic.first) if begin is None else begin,
        vehicles=traffic.vehicles,
        unread=unread,
    )


def _config_of(folder: Path) -> Path | None:
    """The one configuration in ``folder``; None where there is none."""
    if not folder.is_dir():
        raise DataError(
            f"{folder}: expected a folder with a network (*.net.xml) and routes (*.rou.xml), or a configuration "
            f"(*{_CONFIG}), found a file of another kind; name the folder"
        )
    found = sorted(folder.glob(f"*{_CONFIG}"))
    return _only(folder, _CONFIG) if found else None


def _only(folder: Path, ending: str) -> Path:
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name.endswith(ending)]
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        todo = "name one by a configuration (*.sumocfg)" if found else "put one there"
        if ending == _CONFIG:
            todo = "name the one that is meant"
        raise DataError(f"{folder}: expected one file *{ending}, found {names}; {todo}")
    return found[0]


def _read_config(config: Path) -> tuple[Path, Path, float | None, tuple[str, ...]]:
    """Net, routes and begin of a configuration, and what it names beside them."""
    values: dict[str, str] = {}

    def note(name: str, attributes: Mapping[str, str], depth: int) -> None:
        if depth and "value" in attributes:
            values[name] = attributes["value"]

    read_elements(config, note)
    net, routes = (_named(config, values, key) for key in ("net-file", "route-files"))
    begin = None
    if "begin" in values:
        begin = _seconds(values["begin"])
        if begin is None:
            raise DataError(
                f"{config}: expected 'begin' to be seconds, found '{values['begin']}'; correct it"
            )
    return net, routes, begin, tuple(name for name in ("additional-files",) if values.get(name))


def _named(config: Path, values: Mapping[str, str], key: str) -> Path:
    """The file that ``key`` of the configuration names; it must lie beside or below it."""
    name = values.get(key, "")
    folder = Path(os.path.abspath(config.parent))  # noqa: PTH100 - without '..', and links are left as they are
    path = Path(os.path.normpath(folder / name))
    if not name or not path.is_relative_to(folder) or not path.is_file():
        raise DataError(
            f"{config}: expected '{key}' to name one file beside this configuration, found '{name}'; put the file "
            "there and name it"
        )
    return path


def _check_net(file: Path) -> None:
    edges = 0

    def check(name: str, attributes: Mapping[str, str], depth: int) -> None:
        nonlocal edges
        _check_element(file, "net", _NET, name, attributes, depth)
        edges += name == "edge"

    read_elements(file, check)
    if not edges:
        raise DataError(f"{file}: expected a network with edges, found none; write it with netconvert")


@dataclass
class _Traffic:
    """What routes say, gathered element by element.

    Attributes:
        file: the routes.
        vehicles: the types of vehicles, by their name.
        first: second of the first departure.
        last: second of the departure before.
        around: begin of the interval of flows that was met last.
    """

    file: Path
    vehicles: dict[str, Vehicle] = field(default_factory=lambda: dict(BUILT_IN))
    first: float = math.inf
    last: float = -math.inf
    around: float = 0.0

    def add(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        """Take in one element."""
        _check_element(self.file, "routes", _ROUTES, name, attributes, depth)
        if name == "vType":
            self.vehicles[attributes.get("id", "")] = vehicle_type(attributes, str(self.file))
        elif name == "interval":
            self.around = _seconds(attributes.get("begin", "")) or 0.0
        elif name in {"vehicle", "trip"}:
            self._departs(attributes.get("id", ""), _seconds(attributes.get("depart", "")))
        elif name == "flow":
            # without a begin of its own it begins with the interval around it, or with the simulation
            default = self.around if depth > 1 else 0.0
            begin = _seconds(attributes["begin"]) if "begin" in attributes else default
            self._departs(attributes.get("id", ""), begin)

    def _departs(self, name: str, seconds: float | None) -> None:
        """Note a departure; one that waits for something else (``triggered``) has no second."""
        if seconds is None:
            return
        if seconds < self.last:
            # SUMO would leave the vehicle out, and only warn
            raise DataError(
                f"{self.file}: expected departures in the order of their seconds, found '{name}' at {seconds:g} "
                f"after one at {self.last:g}; sort the file (sort_routes.py of SUMO does)"
            )
        self.first = min(self.first, seconds)
        self.last = seconds


def _read_routes(file: Path) -> _Traffic:
    traffic = _Traffic(file)
    read_elements(file, traffic.add)
    if math.isinf(traffic.first):
        raise DataError(
            f"{file}: expected vehicles, trips or flows with the second of their departure, found none; add some"
        )
    return traffic


def _check_element(
    file: Path, root: str, known: frozenset[str], name: str, attributes: Mapping[str, str], depth: int
) -> None:
    """Refuse what is no part of the format, and parameters by which SUMO writes files."""
    if (depth == 0) != (name == root):
        raise DataError(
            f"{file}: expected <{root}> to be the outermost element, found <{name}>; is it that file?"
        )
    # parameters of car-following models stand in an element that is named after the model
    if name not in known and not name.startswith("carFollowing-"):
        raise DataError(
            f"{file}: expected elements of <{root}> (of the formats net_file.xsd and routes_file.xsd of SUMO), found "
            f"<{name}>; remove it"
        )
    key = attributes.get("key", "").lower() if name == "param" else ""
    if key.startswith(("has.", "device.")) or "file" in key:
        raise DataError(
            f"{file}: expected no parameter that switches devices on or names files, found '{attributes['key']}'; "
            "remove it"
        )


def _seconds(text: str) -> float | None:
    """Seconds of a time as SUMO writes it: 25200.5, or 7:00:00.5, or with days before it; None for other words."""
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        return None
    weights = {1: (1.0,), 3: (3600.0, 60.0, 1.0), 4: (86_400.0, 3600.0, 60.0, 1.0)}.get(len(parts))
    if weights is None:
        return None
    seconds = sum(weight * part for weight, part in zip(weights, parts, strict=True))
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
