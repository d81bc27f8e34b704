"""What a step of frame numbers was taken for where nobody says it, and what in the tracks speaks against that."""

from __future__ import annotations

import numpy as np

from fivefold.data.shown import shown
from fivefold_driving.tracks.rows import Assumed, Rows, Told

_USUAL_STEPS = (6.0, 10.0)  # of frame numbers in the copies of ETH/UCY
_MOVED = 2.0  # metres from first to last point, beyond which an agent counts as moving
_SLOW = 0.4  # metres a second; people in a crowd walk faster


def note_assumed(rows: Rows, step: float, seconds: float, told: Told) -> None:
    """Note for `tell_assumed` that the seconds of a step were taken from other data, if they were.

    Args:
        rows: tracks, sorted by agent and stamp, in metres.
        step: between frames, in numbers of frames.
        seconds: a number of frames.
        told: gains the scene.
    """
    if rows.clock.assumed:
        told.assumed.append(Assumed(rows.scene, step, _speed(rows, seconds)))


def _speed(rows: Rows, seconds: float) -> float | None:
    """Median speed from first to last point over the agents that move, metres a second; None where none does."""
    firsts = np.flatnonzero(np.diff(rows.agents, prepend=-1))
    lasts = np.append(firsts[1:], len(rows.agents)) - 1
    lengths = np.hypot(*(rows.positions[lasts] - rows.positions[firsts]).T)
    moving = lengths >= _MOVED
    if not moving.any():
        return None
    return float(np.median(lengths[moving] / ((rows.stamps[lasts] - rows.stamps[firsts])[moving] * seconds)))


def tell_assumed(told: Told) -> None:
    """A caution on the scenes of `note_assumed`, and one on each kind of those that something speaks against."""
    kinds: dict[tuple[float | None, bool], list[Assumed]] = {}
    for one in told.assumed:
        step = None if one.step in _USUAL_STEPS else one.step
        slow = one.speed is not None and one.speed < _SLOW
        kinds.setdefault((step, slow), []).append(one)
    for (step, slow), members in kinds.items():
        taken = f"{shown([one.scene for one in members])}: one step of frame numbers was taken as 0.4 s, as in ETH/UCY"
        against = (
            [] if step is None else [f"the numbers step by {step:g}, where those of ETH/UCY step by 6 or 10"]
        )
        if slow:
            least = min(one.speed for one in members if one.speed is not None)
            against.append(
                f"agents that move would be as slow as {least:.2g} m/s, where people walk 1 to 2 m/s"
            )
        told.cautions.append(
            f"{taken}, but {', and '.join(against)}; say by --frame-rate or --seconds-per-frame how long a frame is"
            if against
            else f"{taken}; --frame-rate or --seconds-per-frame says otherwise"
        )
