"""Checks of tracks before they are resampled: each takes rows, tells what it found, and returns the rows that hold.

===========================================  ==================================================================
found                                        what becomes of it
===========================================  ==================================================================
stamp or position nan, infinite or absurd    a problem of the agent; those points are left out
a frame of an agent repeated, equal          a caution; one is kept
a frame of an agent repeated, elsewhere      a problem of the agent; the points of that frame are left out
an agent that returns after a gap            a caution; taken for a new agent
an agent that jumps                          a caution; the track is cut there
a frame rate that changes                    a caution; resampled where times are given, else tracks are cut
a track with one point                       a caution that counts them; kept out
speeds like feet a second                    a caution
===========================================  ==================================================================
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Problem
from fivefold_driving.tracks.options import METRES
from fivefold_driving.tracks.resampling import LONGEST_GAP, changes, local_steps
from fivefold_driving.tracks.rows import Rows, Told

FURTHEST = 1e8
"""Metres, or feet, from the origin beyond which a number is no position: more than twice around the Earth."""

LONGEST_STEP_SECONDS = 10.0
"""Seconds between frames beyond which tracks say nothing of motion."""

_LONGEST_JUMP = 50.0  # metres between neighbouring points
_FASTEST = 60.0  # metres a second
_WALKING_IN_FEET = (3.0, 8.0)  # median speeds that are a run in metres and a walk in feet
_LARGEST_STAMP = 1e15  # beyond it neighbouring stamps can no longer be told apart


def finite(rows: Rows, told: Told) -> Rows:
    """Without points whose stamp or position is no number (a problem of each agent that has such)."""
    good = (np.abs(rows.positions) <= FURTHEST).all(axis=1) & (np.abs(rows.stamps) <= _LARGEST_STAMP)
    reason = (
        "expected finite numbers for time, x and y, found nan, infinity or one that is no place on Earth in {count} "
        "(first: {first}); left out, so mend them"
    )
    _tell_points(rows, ~good, reason, told)
    return rows.take(good)


def in_metres(rows: Rows, units: str) -> Rows:
    """Positions and sizes in metres."""
    scale = METRES[units]
    return rows if scale == 1 else replace(rows, positions=rows.positions * scale, sizes=rows.sizes * scale)


def once(rows: Rows, told: Told) -> Rows:
    """Sorted by agent and stamp, each frame of an agent once.

    Equal repetitions are dropped (a caution); of different ones none is kept (a problem of the agent).
    """
    rows = rows.take(np.lexsort((rows.stamps, rows.agents)))
    again = _same_agent(rows) & (np.diff(rows.stamps) == 0)
    if not again.any():
        return rows
    moved = again & (np.diff(rows.positions, axis=0) != 0).any(axis=1)
    groups = np.concatenate([[0], np.cumsum(~again)])
    clashing = np.isin(groups, groups[1:][moved])
    reason = (
        "expected one position a frame, found several in {count} (first: {first}); left out, so give each agent an id "
        "of its own"
    )
    _tell_points(rows, clashing, reason, told)
    repeated = np.concatenate([[False], again]) & ~clashing
    if repeated.any():
        told.cautions.append(
            f"{rows.scene}: rows that repeat a frame of an agent, {int(repeated.sum()):,} in all "
            f"(first: {Path(rows.source).name}, row {rows.places[repeated].min()}), were dropped"
        )
    return rows.take(~clashing & ~repeated)


def cut(rows: Rows, step: float, seconds: float, told: Told) -> Rows:
    """Tracks without gaps and jumps: what follows one is a new agent, named after the old with a number.

    Args:
        rows: sorted by agent and stamp.
        step: between frames, in the unit of the stamps.
        seconds: a unit of the stamps.
        told: gains cautions on gaps, jumps and on a frame rate that changes.
    """
    same = _same_agent(rows)
    apart = np.diff(rows.stamps)
    gap = same & (apart > LONGEST_GAP * _steps(rows, step, seconds, told)[:-1])
    lengths = np.hypot(*np.diff(rows.positions, axis=0).T)
    near = same & ~gap
    jump = near & ((lengths > _LONGEST_JUMP) | (lengths > _FASTEST * apart * seconds))
    _tell_cuts(rows, gap, jump, told)
    starts = np.concatenate([[True], ~same | gap | jump])
    codes = np.cumsum(starts) - 1
    owners = rows.agents[starts]
    parts = np.arange(len(owners)) - np.searchsorted(owners, owners)
    names = [
        rows.names[owner] + (f" ({part + 1})" if part else "")
        for owner, part in zip(owners, parts, strict=True)
    ]
    return rows.recode(codes, owners.tolist(), names)


def _steps(rows: Rows, step: float, seconds: float, told: Told) -> NDArray[np.float64]:
    """The step of the source at each row; one that changes is told."""
    moments, steps = local_steps(rows.stamps, step)
    if not changes(steps, step):
        return np.full(len(rows.stamps), step)
    low, high = float(steps.min()), float(steps.max())
    if not rows.clock.timed:
        told.cautions.append(
            f"{rows.scene}: the frame rate changes (steps of {low:g} to {high:g} frames, mostly {step:g}); frames "
            "say no time, so tracks are cut where steps are longer: give times to have them resampled"
        )
        return np.full(len(rows.stamps), step)
    told.cautions.append(
        f"{rows.scene}: the frame rate changes (steps of {low * seconds:.3g} to {high * seconds:.3g} s, mostly "
        f"{step * seconds:.3g} s); resampled by its times"
    )
    bounded = np.minimum(steps, LONGEST_STEP_SECONDS / seconds)
    return bounded[np.searchsorted(moments, rows.stamps)]


def _tell_cuts(rows: Rows, gap: NDArray[np.bool_], jump: NDArray[np.bool_], told: Told) -> None:
    if gap.any():
        owners = np.unique(rows.agents[1:][gap])
        told.cautions.append(
            f"{rows.scene}: agents return after a gap, {_times(int(gap.sum()))} in all (first: agent "
            f"{rows.names[owners[0]]}), and are taken for new ones"
        )
    if jump.any():
        first = int(np.argmax(jump))
        told.cautions.append(
            f"{rows.scene}: tracks jump {_times(int(jump.sum()))} by more than {_LONGEST_JUMP:g} m or "
            f"{_FASTEST:g} m/s (first: agent {rows.names[rows.agents[first]]}, {Path(rows.source).name}, row "
            f"{rows.places[first + 1]}) and were cut there"
        )


def long_enough(rows: Rows, told: Told, what: str = "of one point") -> Rows:
    """Without tracks of fewer than two points, which say nothing of motion (a caution that counts them).

    Args:
        rows: sorted by agent.
        told: gains the caution.
        what: they are, for the caution.
    """
    lengths = np.bincount(rows.agents, minlength=len(rows.names))
    kept = lengths > 1
    if kept.all():
        return rows
    told.cautions.append(
        f"{rows.scene}: {_count(int((~kept).sum()), 'track')} {what} (first: agent "
        f"{rows.names[int(np.argmin(kept))]}) kept out"
    )
    codes, owners = np.cumsum(kept) - 1, np.flatnonzero(kept)
    rows = rows.take(kept[rows.agents])
    return rows.recode(codes[rows.agents], owners.tolist(), [rows.names[owner] for owner in owners])


def like_feet(rows: Rows, seconds: float, told: Told) -> None:
    """Tell where the median speed of pedestrians, or of agents without a type, is 3 to 8 m/s (a caution).

    Args:
        rows: tracks, sorted by agent and stamp, in metres.
        seconds: a unit of the stamps.
        told: gains the caution.
    """
    walkers = np.array([name in {"", "pedestrian"} for name in rows.types])
    near = _same_agent(rows) & walkers[rows.agents[1:]]
    if not near.any():
        return
    lengths = np.hypot(*np.diff(rows.positions, axis=0).T)
    middle = float(np.median(lengths[near] / (np.diff(rows.stamps)[near] * seconds)))
    if _WALKING_IN_FEET[0] <= middle <= _WALKING_IN_FEET[1]:
        told.cautions.append(
            f"{rows.scene}: speeds look like feet a second (median {middle:.1f} a second, people walk 1 to 2 metres "
            "a second); say --units ft if they are, or give the agents' types (--columns.type) if they do not walk"
        )


def _tell_points(rows: Rows, bad: NDArray[np.bool_], reason: str, told: Told) -> None:
    """A problem of each agent with bad points: how many it has, and where the first stands."""
    bad_rows = rows.take(bad)
    codes, firsts, counts = np.unique(bad_rows.agents, return_index=True, return_counts=True)
    told.points += len(bad_rows.stamps)
    for code, first, count in zip(codes, firsts, counts, strict=True):
        place = f"{rows.source}, row {bad_rows.places[first]}"
        told.problems.append(
            Problem(
                f"{rows.scene}, agent {rows.names[code]}",
                reason.format(count=_count(int(count), "point"), first=place),
            )
        )


def _same_agent(rows: Rows) -> NDArray[np.bool_]:
    """Whether each row but the first is of the agent of the row before, shape ``(R - 1,)``."""
    same: NDArray[np.bool_] = np.diff(rows.agents) == 0
    return same


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"
