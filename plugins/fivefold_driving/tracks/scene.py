"""A scene: where agents were, frame by frame, on one map; everything in metres, seconds and radians."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Problem


@dataclass(frozen=True, eq=False)
class Scene:
    """Tracks of agents at even frames: ``R`` rows of ``A`` agents, sorted by frame, then agent.

    Attributes:
        name: what messages and reports call it.
        interval: seconds between frames.
        frames: of each row, counted in intervals from 0, shape ``(R,)``.
        agents: code of the agent of each row, shape ``(R,)``; an id that returns after a gap has a new code.
        names: of the agents, by code.
        positions: x and y, metres, shape ``(R, 2)``.
        types: of the agents, by code, such as pedestrian or car, "" where one is not known; empty where none is.
        sizes: length and width of the agents, by code, metres, shape ``(A, 2)``; nan where not known.
        map: polylines ``(P, 2)``: lane borders, road edges and outlines of what stands still.
        drivable: polygons ``(P, 2)`` of road.
        simulated: whether a simulator or a human hand made the tracks.
        headings: radians counter-clockwise from the x axis, shape ``(R,)``; nan where not known; None where none is.
        start: seconds on the source's own clock at frame 0; None where the source has no such clock.
        published: whether it is a text file as ETH/UCY are published, whose protocol names the place by its name.
    """

    name: str
    interval: float
    frames: NDArray[np.int64]
    agents: NDArray[np.int64]
    names: tuple[str, ...]
    positions: NDArray[np.float64]
    types: tuple[str, ...] = ()
    sizes: NDArray[np.float64] | None = None
    map: tuple[NDArray[np.float64], ...] = ()
    drivable: tuple[NDArray[np.float64], ...] = ()
    simulated: bool = False
    headings: NDArray[np.float64] | None = None
    start: float | None = None
    published: bool = False


@dataclass(frozen=True)
class Scenes:
    """What a source holds.

    Attributes:
        scenes: in the order of the source.
        problems: parts of tracks that could not be used.
        cautions: sentences on what was changed or looks odd.
        split: name of the scene to ``train``, ``val`` or ``test``, where the source says so.
        points: how many points the problems are about.
    """

    scenes: tuple[Scene, ...]
    problems: tuple[Problem, ...] = ()
    cautions: tuple[str, ...] = ()
    split: Mapping[str, str] = field(default_factory=dict)
    points: int = 0
