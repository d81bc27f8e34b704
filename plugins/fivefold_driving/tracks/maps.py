"""Roads: borders of lanes as polylines and drivable polygons, of SUMO networks and CommonRoad lanelets.

SUMO: https://sumo.dlr.de/docs/Networks/SUMO_Road_Networks.html; CommonRoad: its XML formats 2018b and 2020a.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from fivefold.errors import DataError
from fivefold_driving.tracks.readers.markup import as_number, children, number, root_of

Floats = NDArray[np.float64]

_LANE_WIDTH = 3.2  # SUMO's default
_INNER = {"internal", "crossing", "walkingarea"}  # inside junctions, whose own shapes cover them
_NEIGHBOURS = ("predecessor", "successor", "adjacentLeft", "adjacentRight")
_NAMED = 5  # lanelets that a caution names


@dataclass
class Roads:
    """A map, gathered element by element.

    Attributes:
        lines: borders of lanes, each ``(P, 2)``, metres.
        drivable: polygons of road, each ``(P, 2)``, metres.
        cautions: on what is missing.
    """

    lines: list[Floats] = field(default_factory=list)
    drivable: list[Floats] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)

    def add_lane(self, left: Floats, right: Floats, *, drivable: bool = True) -> None:
        """A lane between its two borders, both in the direction of travel."""
        self.lines += [left, right]
        if drivable:
            self.drivable.append(np.concatenate([left, right[::-1]]))


def read_roads(file: Path) -> Roads:
    """The map of a SUMO network or a CommonRoad scenario.

    Raises:
        DataError: the file is neither, or broken.
    """
    if not file.is_file():
        raise DataError(f"{file}: expected a map (SUMO net.xml or CommonRoad), found no such file")
    root = root_of(file)
    if root.tag == "net":
        return _of_sumo(file)
    if root.tag == "commonRoad":
        return roads_of_lanelets(file, [element for element in children(file) if element.tag == "lanelet"])
    raise DataError(
        f"{file}: expected a SUMO network or a CommonRoad scenario, found <{root.tag}>; name another map"
    )


def _of_sumo(file: Path) -> Roads:
    roads = Roads()
    for element in children(file):
        if element.tag == "edge" and element.get("function") not in _INNER:
            for lane in element.iter("lane"):
                _add_sumo_lane(roads, lane, file)
        elif element.tag == "junction" and element.get("type") != "internal":
            shape = _shape(element, file)
            if len(shape) > 2:  # noqa: PLR2004 - three corners make a polygon
                roads.drivable.append(shape)
    if not roads.lines and not roads.drivable:
        raise DataError(f"{file}: expected lanes and junctions, found none; name another map")
    return roads


def _add_sumo_lane(roads: Roads, lane: Element, file: Path) -> None:
    """A lane of its middle and width; those for pedestrians only are not drivable."""
    middle = _shape(lane, file)
    if len(middle) < 2:  # noqa: PLR2004 - two points make a line
        return
    across = offsets(middle) * number(lane, "width", file, default=_LANE_WIDTH) / 2
    roads.add_lane(middle + across, middle - across, drivable=lane.get("allow", "").split() != ["pedestrian"])


def offsets(line: Floats) -> Floats:
    """Vectors to the left of a line's points, such that a line moved by them lies 1 m from it.

    Where the line bends they halve its angle, as long as the bend is not sharper than a right angle.

    Args:
        line: shape ``(P, 2)``, two points at least.
    """
    moved = np.diff(line, axis=0).any(axis=1)
    along = np.diff(line, axis=0)[moved]
    if not len(along):
        return np.zeros_like(line)
    along = along / np.hypot(*along.T)[:, None]
    before, after = np.concatenate([along[:1], along]), np.concatenate([along, along[-1:]])
    middle = before + after
    middle = np.where(np.hypot(*middle.T)[:, None] > 0, middle, after)
    middle = middle / np.hypot(*middle.T)[:, None]
    stretch = 1 / np.maximum((middle * after).sum(axis=1), np.sqrt(0.5))
    across = np.column_stack([-middle[:, 1], middle[:, 0]]) * stretch[:, None]
    repeated: Floats = across[np.concatenate([[0], np.cumsum(moved)])]  # points that repeat move alike
    return repeated


def _shape(element: Element, file: Path) -> Floats:
    """The points of an attribute ``shape="x,y x,y ..."``, of which heights are dropped."""
    where = f"{file}, <{element.tag} id=\"{element.get('id')}\">, 'shape'"
    points = [point.split(",")[:2] for point in element.get("shape", "").split()]
    if any(len(point) < 2 for point in points):  # noqa: PLR2004 - x and y
        raise DataError(f"{where}: expected points 'x,y', found another number of values; mend the file")
    return _checked([[as_number(value, where) for value in point] for point in points], where)


def roads_of_lanelets(file: Path, lanelets: list[Element]) -> Roads:
    """The map of CommonRoad's lanelets; references to lanelets that are not there are a caution.

    Raises:
        DataError: a lanelet has no bounds, or a point is no number.
    """
    roads = Roads()
    known = {lanelet.get("id") for lanelet in lanelets}
    missing: dict[str, None] = {}  # in order of appearance
    for lanelet in lanelets:
        roads.add_lane(*(_bound(lanelet, name, file) for name in ("leftBound", "rightBound")))
        for name in _NEIGHBOURS:
            wanted = [element.get("ref", "") for element in lanelet.findall(name)]
            missing.update(dict.fromkeys(one for one in wanted if one not in known))
    if missing:
        named = ", ".join(list(missing)[:_NAMED]) + (" ..." if len(missing) > _NAMED else "")
        roads.cautions.append(
            f"{file.name}: lanelets name {len(missing):,} that are not there ({named}); the map may lack roads"
        )
    return roads


def _bound(lanelet: Element, name: str, file: Path) -> Floats:
    where = f"{file}, lanelet {lanelet.get('id')}, {name}"
    points = [
        [as_number(point.findtext(axis), f"{where}, {axis}") for axis in ("x", "y")]
        for point in lanelet.iterfind(f"{name}/point")
    ]
    if len(points) < 2:  # noqa: PLR2004 - two points make a line
        raise DataError(f"{where}: expected two points or more, found {len(points)}; mend the lanelet")
    return _checked(points, where)


def _checked(points: list[list[float]], where: str) -> Floats:
    found = np.array(points, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(found).all():
        raise DataError(f"{where}: expected finite numbers, found nan or infinity; mend the file")
    return found
