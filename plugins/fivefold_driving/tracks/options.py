"""What readers of tracks may be told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fivefold.config import StrictModel
from fivefold.errors import ConfigError

METRES = {"m": 1.0, "ft": 0.3048}
"""Metres a unit of length; the foot is the international one."""


class ColumnsConfig(StrictModel):
    """Names of the columns of a table of tracks."""

    scene: str = "scene"
    """The recording."""
    time: str = "time"
    """Seconds."""
    frame: str = "frame"
    """Number of the frame, where there is no time."""
    agent: str = "agent"
    """Who."""
    x: str = "x"
    """Metres."""
    y: str = "y"
    """Metres."""
    heading: str = "heading"
    """Radians, counter-clockwise from x."""
    type: str = "type"
    """pedestrian, car and so on."""
    length: str = "length"
    """Metres."""
    width: str = "width"
    """Metres."""
    split: str = "split"
    """train, val or test, where the source decides it."""


@dataclass(frozen=True)
class Options:
    """What the configuration says about reading tracks.

    Attributes:
        interval: seconds between frames to resample to; None keeps the source's own.
        columns: names of the columns of a table; all but agent, x, y and one of time and frame may be absent.
        frame_rate: frames a second, for sources that number frames instead of giving times.
        seconds_per_frame: the same as seconds a frame number; of the two at most one.
        units: of lengths in tables, text files and JSON; SUMO and CommonRoad are in metres by their standards.
        map: a SUMO network (``net.xml``) or CommonRoad file whose roads lie under scenes that have no map; without
            it the one network (``*.net.xml``) in the folder of the tracks.
        trained: whether the columns are those that a model was trained on, so that tables may also have the usual ones.
        named: columns that tables must have all the same, because they were named since: option to column.

    Raises:
        ConfigError: a value is not what it must be.
    """

    interval: float | None = 0.4
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    frame_rate: float | None = None
    seconds_per_frame: float | None = None
    units: Literal["m", "ft"] = "m"
    map: Path | None = None
    trained: bool = False
    named: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("interval", "frame_rate", "seconds_per_frame"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ConfigError(
                    f"--{name.replace('_', '-')}: expected a number above 0, found {value}; leave it out if not known"
                )
        if self.frame_rate is not None and self.seconds_per_frame is not None:
            raise ConfigError(
                "--frame-rate and --seconds-per-frame: expected one of them, found both; leave one out"
            )
        if self.units not in METRES:
            raise ConfigError(f"--units: expected m or ft, found '{self.units}'; name one of the two")

    @property
    def frame_seconds(self) -> float | None:
        """Seconds a frame number, as either option says it; None where neither does."""
        return 1 / self.frame_rate if self.frame_rate is not None else self.seconds_per_frame
