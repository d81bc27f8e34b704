"""Windows: a few frames of a scene that are seen, and those after them that are to be predicted.

A window's agents are those present in all of its seen frames. None is chosen by its future, which would tell the model
who is still there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold_driving.tracks.scene import Scene


@dataclass(frozen=True, eq=False)
class Window:
    """One window.

    Attributes:
        frame: of the last seen frame.
        agents: codes of its agents, ``(A,)``.
        origin: centre of the agents at the last seen frame, ``(2,)``, metres.
        tracks: positions relative to it, float32 ``(A, lookback + horizon, 2)``; nan where an agent is gone.
    """

    frame: int
    agents: NDArray[np.int64]
    origin: NDArray[np.float64]
    tracks: NDArray[np.float32]


def windows_of(scene: Scene, lookback: int, horizon: int, *, judged: bool) -> Iterator[Window]:
    """Every window of a scene, one a frame, in order of time.

    Args:
        scene: the tracks.
        lookback: frames that are seen.
        horizon: frames that are predicted.
        judged: only windows in which at least one agent is there to the end; else every window with an agent,
            however little of its future is known.
    """
    end = int(scene.frames.max(initial=-1)) + 1
    starts = np.unique(scene.frames)  # a window that begins with nobody has nobody
    for start in starts[starts + (lookback + horizon if judged else lookback) <= end]:
        agents, block = _block(scene, int(start), lookback + horizon)
        present = ~np.isnan(block[:, :lookback, 0]).any(axis=1)
        tracks = block[present]
        if not present.any() or (judged and np.isnan(tracks[:, lookback:, 0]).any(axis=1).all()):
            continue
        origin = tracks[:, lookback - 1].mean(axis=0)
        yield Window(
            frame=int(start) + lookback - 1,
            agents=agents[present],
            origin=origin,
            tracks=(tracks - origin).astype(np.float32),
        )


def _block(scene: Scene, start: int, length: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Codes of those who are there in some of ``length`` frames, and where, ``(A, length, 2)``; nan where not."""
    first, last = np.searchsorted(scene.frames, (start, start + length))
    agents, codes = np.unique(scene.agents[first:last], return_inverse=True)
    block = np.full((len(agents), length, 2), np.nan)
    block[codes, scene.frames[first:last] - start] = scene.positions[first:last]
    return agents, block
