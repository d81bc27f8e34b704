"""What a type of vehicle of SUMO is: car, bus, ..., and how long and wide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fivefold.errors import DataError


class Vehicle(NamedTuple):
    """A type of vehicle."""

    kind: str
    """What it is called in a file of tracks."""
    length: float
    """Metres."""
    width: float
    """Metres."""


_CAR = Vehicle("car", 5.0, 1.8)
_TRAIN = Vehicle("train", 200.0, 2.95)
_METRO = Vehicle("train", 109.5, 3.0)
_VAN = Vehicle("van", 6.5, 2.16)

CLASSES = {
    "delivery": _VAN,
    "emergency": _VAN,
    "bus": Vehicle("bus", 12.0, 2.5),
    "coach": Vehicle("bus", 14.0, 2.6),
    "truck": Vehicle("truck", 7.1, 2.4),
    "trailer": Vehicle("truck", 16.5, 2.55),
    "motorcycle": Vehicle("motorcycle", 2.2, 0.9),
    "moped": Vehicle("motorcycle", 2.1, 0.78),
    "bicycle": Vehicle("bicycle", 1.6, 0.65),
    "scooter": Vehicle("scooter", 1.2, 0.5),
    "pedestrian": Vehicle("pedestrian", 0.215, 0.478),
    "wheelchair": Vehicle("pedestrian", 1.2, 0.72),
    "tram": Vehicle("tram", 22.0, 2.4),
    "rail_urban": _METRO,
    "subway": _METRO,
    "rail": Vehicle("train", 135.0, 2.84),
    "rail_electric": _TRAIN,
    "rail_fast": _TRAIN,
    "ship": Vehicle("ship", 17.0, 4.0),
    "container": Vehicle("container", 6.096, 2.438),
    "aircraft": Vehicle("aircraft", 72.7, 79.8),
    "drone": Vehicle("drone", 0.5, 0.5),
}
"""Sizes that SUMO 1.28 gives to classes of vehicles where the type says none; it writes them into no file. All
other classes (passenger, taxi, army, ...) are as large as cars."""

BUILT_IN = {
    "DEFAULT_VEHTYPE": _CAR,
    "DEFAULT_TAXITYPE": _CAR,
    "DEFAULT_BIKETYPE": CLASSES["bicycle"],
    "DEFAULT_RAILTYPE": CLASSES["rail"],
    "DEFAULT_PEDTYPE": CLASSES["pedestrian"],
    "DEFAULT_CONTAINERTYPE": CLASSES["container"],
}
"""Types that are there without being defined."""


def vehicle_type(attributes: Mapping[str, str], where: str) -> Vehicle:
    """The type that the attributes of an element ``vType`` define; ``where`` names its file in messages.

    Raises:
        DataError: length or width is no number above 0.
    """
    default = CLASSES.get(attributes.get("vClass", ""), _CAR)
    length = _size(attributes, "length", default.length, where)
    return Vehicle(default.kind, length, _size(attributes, "width", default.width, where))


def _size(attributes: Mapping[str, str], name: str, default: float, where: str) -> float:
    text = attributes.get(name)
    if text is None:
        return default
    try:
        size = float(text)
    except ValueError:
        size = 0.0
    if not 0 < size <= 1000:  # noqa: PLR2004 - metres; no vehicle is longer
        raise DataError(
            f"{where}: expected the {name} of vType '{attributes.get('id', '')}' to be metres above 0, found '{text}'; "
            "correct it"
        )
    return size
