"""Scenarios of CommonRoad (Althoff et al. 2017), XML formats 2018b and 2020a: obstacles that move, and lanelets.

Obstacles with a trajectory are tracks; those that stand still are no tracks to predict, so that their outlines go to
the map. Buildings, traffic signs and planning problems are not read.
"""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Problem
from fivefold.errors import DataError
from fivefold_driving.tracks.maps import roads_of_lanelets
from fivefold_driving.tracks.options import Options
from fivefold_driving.tracks.readers.markup import Root, as_number, children, name_of, root_of
from fivefold_driving.tracks.rows import Clock, Gathered, Rows, Told

_VERSIONS = {"2018b", "2020a"}
_MADE = ("hand", "sumo", "simul")  # in the words a scenario is described with, for tracks that nobody drove


def recognise(root: Root) -> bool:
    """Whether the file is a CommonRoad scenario."""
    return root.tag == "commonRoad"


def read(file: Path, name: str, options: Options, told: Told) -> list[Rows]:  # noqa: ARG001 - all readers are called alike
    """The one scene of a scenario. Another version and lanelets that are missing are cautions.

    A state whose position is no point, rectangle or circle is a problem of its obstacle, and left out.

    Raises:
        DataError: a number is missing or none.
    """
    root = root_of(file)
    version = root.attributes.get("commonRoadVersion", "none")
    if version not in _VERSIONS:
        told.cautions.append(f"{name}: written for CommonRoad {version}, read as 2020a; check what was read")
    unit = as_number(root.attributes.get("timeStepSize"), f"{file}, timeStepSize")
    if not unit > 0:
        raise DataError(f"{file}, timeStepSize: expected seconds above 0, found {unit:g}; mend the file")
    gathered = Gathered(name, str(file))
    lanelets, standing = [], []
    for element in children(file):
        if element.tag == "lanelet":
            lanelets.append(element)
        elif element.tag == "staticObstacle" or element.findtext("role", "").strip() == "static":
            standing.append(_outline(element, file))
        elif element.tag in {"dynamicObstacle", "obstacle"}:
            _add(gathered, element, file, told)
    roads = roads_of_lanelets(file, lanelets)
    told.cautions += roads.cautions
    if standing:
        told.cautions.append(
            f"{name}: obstacles that stand still ({len(standing)}) are part of the map, not tracks"
        )
    outlines = [outline for outline in standing if outline is not None]
    return [
        gathered.rows(
            Clock(unit=unit, timed=True),
            simulated=_made(root),
            roads=(tuple(roads.lines + outlines), tuple(roads.drivable)),
        )
    ]


def _made(root: Root) -> bool:
    """Zamunda (ZAM) is the country of scenarios that are nowhere."""
    source = root.attributes.get("source", "").lower()
    return root.attributes.get("benchmarkID", "").removeprefix("C-").startswith("ZAM") or any(
        word in source for word in _MADE
    )


def _add(gathered: Gathered, obstacle: Element, file: Path, told: Told) -> None:
    known = name_of(obstacle, file)
    size = _size(obstacle, file)
    type_name = obstacle.findtext("type", "").strip().lower()
    states = [*obstacle.iterfind("initialState"), *obstacle.iterfind("trajectory/state")]
    for place, state in enumerate(states, start=1):
        where = f"{file}, obstacle {known}, state {place}"
        position = _position(state, where)
        if position is None:
            reason = f"{where}: expected a position with a point or a middle, found none; left out"
            told.points += 1
            told.problems.append(Problem(f"{gathered.scene}, agent {known}", reason))
            continue
        gathered.add(
            place,
            _value(state, "time", where),
            known,
            position,
            heading=_value(state, "orientation", where, default=math.nan),
            type_name="" if type_name == "unknown" else type_name,
            size=size,
        )


def _position(state: Element, where: str) -> tuple[float, float] | None:
    """The exact position, or the middle of the area that it is in."""
    for path in ("position/point", "position/rectangle/center", "position/circle/center"):
        point = state.find(path)
        if point is not None:
            return as_number(point.findtext("x"), f"{where}, x"), as_number(
                point.findtext("y"), f"{where}, y"
            )
    return None


def _value(state: Element, name: str, where: str, default: float | None = None) -> float:
    """The exact value, or the middle of its interval."""
    where = f"{where}, {name}"
    low, high = (state.findtext(f"{name}/interval{end}") for end in ("Start", "End"))
    if low is not None and high is not None:
        return (as_number(low, where) + as_number(high, where)) / 2
    return as_number(state.findtext(f"{name}/exact"), where, default)


def _size(obstacle: Element, file: Path) -> tuple[float, float]:
    where = f"{file}, obstacle {obstacle.get('id')}, shape"
    if obstacle.find("shape/rectangle") is not None:
        length, width = (
            as_number(obstacle.findtext(f"shape/rectangle/{side}"), where) for side in ("length", "width")
        )
        return length, width
    if obstacle.find("shape/circle") is not None:
        radius = as_number(obstacle.findtext("shape/circle/radius"), where)
        return 2 * radius, 2 * radius
    return math.nan, math.nan


def _outline(obstacle: Element, file: Path) -> NDArray[np.float64] | None:
    """The closed rectangle around a standing obstacle; None where its place or size is not said."""
    where = f"{file}, obstacle {obstacle.get('id')}"
    state = obstacle.find("initialState")
    position = None if state is None else _position(state, where)
    size = np.array(_size(obstacle, file))
    if state is None or position is None or not np.isfinite(size).all():
        return None
    angle = _value(state, "orientation", where, default=0.0)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1], [1, 1]]) * size / 2
    outline: NDArray[np.float64] = corners @ turn.T + position
    return outline
