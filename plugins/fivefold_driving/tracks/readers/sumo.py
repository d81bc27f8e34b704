"""Tracks of the simulator SUMO: floating car data, https://sumo.dlr.de/docs/Simulation/Output/FCDOutput.html.

A position is the middle of a vehicle's front; where the file gives lengths (``--fcd-output.attributes``), the middle
of the vehicle is taken instead. Angles are degrees clockwise from north.
"""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from fivefold.errors import DataError
from fivefold_driving.tracks.checks import FURTHEST
from fivefold_driving.tracks.options import Options
from fivefold_driving.tracks.readers.markup import Root, children, name_of, number
from fivefold_driving.tracks.rows import Clock, Gathered, Rows, Told

_TYPES = {
    "default_vehtype": "car",
    "default_biketype": "bicycle",
    "default_pedtype": "pedestrian",
    "default_taxitype": "car",
    "default_railtype": "rail",
}
_DRIVEN = 1.0  # metres a second that the file says, from which a scene moves
_DEGREES_A_METRE = 1 / 111_000  # of latitude
_TEN_TIMES = 10


def recognise(root: Root) -> bool:
    """Whether the file is floating car data."""
    return root.tag == "fcd-export"


def read(file: Path, name: str, options: Options, told: Told) -> list[Rows]:  # noqa: ARG001 - all readers are called alike
    """The one scene of a file; persons are pedestrians.

    Raises:
        DataError: an attribute is missing or no number, or positions are longitudes and latitudes.
    """
    gathered = Gathered(name, str(file))
    speeds: list[float] = []
    count = 0
    for timestep in children(file):
        if timestep.tag != "timestep":
            continue
        time = number(timestep, "time", file)
        for element in timestep:
            if element.tag in {"vehicle", "person"}:
                count += 1
                speeds.append(number(element, "speed", file, default=math.nan))
                _add(gathered, element, time, count, file)
    rows = gathered.rows(Clock(unit=1.0, timed=True), simulated=True)
    _refuse_degrees(rows, np.array(speeds))
    return [rows]


def _add(gathered: Gathered, element: Element, time: float, place: int, file: Path) -> None:
    x, y = number(element, "x", file), number(element, "y", file)
    heading = math.radians(90 - number(element, "angle", file, default=math.nan))
    length, width = (number(element, key, file, default=math.nan) for key in ("length", "width"))
    if math.isfinite(length) and math.isfinite(heading):
        x, y = x - length / 2 * math.cos(heading), y - length / 2 * math.sin(heading)
    known = element.get("type", "").lower()
    gathered.add(
        place,
        time,
        name_of(element, file),
        (x, y),
        heading=heading,
        type_name="pedestrian" if element.tag == "person" else _TYPES.get(known, known),
        size=(length, width),
    )


def _refuse_degrees(rows: Rows, speeds: NDArray[np.float64]) -> None:
    """Positions in degrees would look like agents that hardly move, whatever speed the file gives."""
    good = np.isfinite(rows.stamps) & (np.abs(rows.positions) <= FURTHEST).all(axis=1) & (speeds > _DRIVEN)
    moving, speeds = rows.take(good), speeds[good]
    order = np.lexsort((moving.stamps, moving.agents))
    moving = moving.take(order)
    apart = np.diff(moving.stamps)
    same = (np.diff(moving.agents) == 0) & (apart > 0)
    if not same.any():
        return
    moved = np.hypot(*np.diff(moving.positions, axis=0).T)[same]
    if np.median(moved / (speeds[order][1:] * apart)[same]) < _TEN_TIMES * _DEGREES_A_METRE:
        raise DataError(
            f"{rows.source}: expected positions in metres, found degrees; write the file without --fcd-output.geo"
        )
