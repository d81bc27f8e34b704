"""Points of tracks as readers find them, before they are checked and resampled."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Problem

Polylines = tuple[NDArray[np.float64], ...]


@dataclass(frozen=True)
class Assumed:
    """A scene whose step of frame numbers was taken for a time that nobody says.

    Attributes:
        scene: its name.
        step: of its frame numbers.
        speed: median of its moving agents' under that assumption, metres a second; None where none moves.
    """

    scene: str
    step: float
    speed: float | None


@dataclass
class Told:
    """What is to be reported about a source, gathered while it is read."""

    problems: list[Problem] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    points: int = 0
    """Points that the problems are about."""
    assumed: list[Assumed] = field(default_factory=list)
    """Scenes whose step of frame numbers was taken for a time that nobody says."""


@dataclass(frozen=True)
class Clock:
    """What stamps mean.

    Attributes:
        unit: seconds a unit of the stamps; None where only `step` is known.
        step: seconds between neighbouring frames, whatever their numbers.
        assumed: whether nobody says so of these tracks, and `step` is that of other data in the same form.
        timed: whether stamps are times, so that a frame rate that changes is known to.
    """

    unit: float | None = None
    step: float | None = None
    assumed: bool = False
    timed: bool = False


@dataclass(frozen=True, eq=False)
class Rows:
    """Points of one scene: ``R`` rows of ``A`` agents.

    Attributes:
        scene: its name.
        source: the file, for messages.
        clock: what stamps mean.
        places: row or line in the file, from 1, shape ``(R,)``.
        stamps: frame number or time, shape ``(R,)``.
        agents: code of the agent, shape ``(R,)``.
        names: of the agents, by code.
        positions: shape ``(R, 2)``, in the units of the source.
        headings: radians, nan where not known, shape ``(R,)``.
        types: of the agents, by code; "" where not known.
        sizes: length and width of the agents, by code, nan where not known, shape ``(A, 2)``.
        map, drivable: as in `Scene`, metres.
        simulated: as in `Scene`.
        split: the split the source puts the scene in, if any.
        published: as in `Scene`.
    """

    scene: str
    source: str
    clock: Clock
    places: NDArray[np.int64]
    stamps: NDArray[np.float64]
    agents: NDArray[np.int64]
    names: tuple[str, ...]
    positions: NDArray[np.float64]
    headings: NDArray[np.float64]
    types: tuple[str, ...]
    sizes: NDArray[np.float64]
    map: Polylines = ()
    drivable: Polylines = ()
    simulated: bool = False
    split: str | None = None
    published: bool = False

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Rows:
        """The given rows, in the given order; the agents keep their codes."""
        return replace(
            self,
            places=self.places[rows],
            stamps=self.stamps[rows],
            agents=self.agents[rows],
            positions=self.positions[rows],
            headings=self.headings[rows],
        )

    def recode(self, codes: NDArray[np.int64], owners: Sequence[int], names: Sequence[str]) -> Rows:
        """The same rows with other agents.

        Args:
            codes: the new code of each row.
            owners: the old code of each new agent, whose type and size it has.
            names: of the new agents.
        """
        return replace(
            self,
            agents=codes,
            names=tuple(names),
            types=tuple(self.types[owner] for owner in owners),
            sizes=self.sizes[np.asarray(owners, dtype=np.int64)].reshape(-1, 2),
        )


class Gathered:
    """Rows of one scene under way: readers add points, then ask for the `Rows`."""

    def __init__(self, scene: str, source: str) -> None:
        self.scene, self.source = scene, source
        self.split: str | None = None
        self._places, self._codes = array("q"), array("q")
        self._numbers = array("d")  # stamp, x, y and heading of each row, one after the other
        self._agents: dict[str, int] = {}
        self._types: list[str] = []
        self._sizes: list[tuple[float, float]] = []

    def add(
        self,
        place: int,
        stamp: float,
        agent: str,
        position: tuple[float, float],
        *,
        heading: float = math.nan,
        type_name: str = "",
        size: tuple[float, float] = (math.nan, math.nan),
    ) -> None:
        """One point of an agent; its type and size are the first that are known of it."""
        code = self._agents.setdefault(agent, len(self._agents))
        if code == len(self._types):
            self._types.append(type_name)
            self._sizes.append(size)
        self._types[code] = self._types[code] or type_name
        if math.isnan(self._sizes[code][0]) or math.isnan(self._sizes[code][1]):
            self._sizes[code] = size
        self._places.append(place)
        self._codes.append(code)
        self._numbers.extend((stamp, *position, heading))

    def rows(
        self, clock: Clock, *, simulated: bool = False, roads: tuple[Polylines, Polylines] = ((), ())
    ) -> Rows:
        """What was added; ``roads`` are the map's polylines and the drivable polygons."""
        numbers = np.array(self._numbers, dtype=np.float64).reshape(-1, 4)
        return Rows(
            scene=self.scene,
            source=self.source,
            clock=clock,
            places=np.array(self._places, dtype=np.int64),
            stamps=numbers[:, 0],
            agents=np.array(self._codes, dtype=np.int64),
            names=tuple(self._agents),
            positions=numbers[:, 1:3],
            headings=numbers[:, 3],
            types=tuple(self._types),
            sizes=np.array(self._sizes, dtype=np.float64).reshape(-1, 2),
            map=roads[0],
            drivable=roads[1],
            simulated=simulated,
            split=self.split,
        )
