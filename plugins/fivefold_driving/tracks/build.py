"""From the points that a reader found to a scene at even frames."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fivefold.errors import ConfigError, DataError
from fivefold_driving.tracks.checks import (
    LONGEST_STEP_SECONDS,
    cut,
    finite,
    in_metres,
    like_feet,
    long_enough,
    once,
)
from fivefold_driving.tracks.clocks import note_assumed
from fivefold_driving.tracks.options import Options
from fivefold_driving.tracks.resampling import resample, step_of
from fivefold_driving.tracks.rows import Rows, Told
from fivefold_driving.tracks.scene import Scene

_SHORTEST_STEP = 0.001  # seconds: below it, times are in another unit
_LONGEST_SCENE = 1e10  # seconds: frames stay exact integers
_FINER = 1.01  # of the interval: from where a source is too coarse for it, rounding apart
_FINEST = 100  # frames made of one of the source; more would say nothing, and fill the memory
_DEGREES = 2.5 * np.pi  # radians are wrapped to one turn; more of them are degrees


def build(rows: Rows, options: Options, told: Told) -> Scene:
    """The scene of ``rows``: checked (see `checks`), cut where tracks break, resampled.

    Raises:
        ConfigError: the interval is much finer than the source.
        DataError: no track of two points is left, or the times are in another unit.
    """
    rows = once(in_metres(finite(rows, told), options.units), told)
    differences = np.diff(rows.stamps)[rows.agents[1:] == rows.agents[:-1]]
    if not len(differences):
        raise _empty(rows)
    step = step_of(differences, timed=rows.clock.timed)
    seconds = _seconds(rows, step)
    _tell_headings(rows, told)
    rows = long_enough(cut(rows, step, seconds, told), told)
    if not len(rows.stamps):
        raise _empty(rows)
    like_feet(rows, seconds, told)
    note_assumed(rows, step, seconds, told)
    interval = round(step * seconds, 9) if options.interval is None else options.interval
    if step * seconds > _FINEST * interval:
        raise ConfigError(
            f"--interval: expected at least a hundredth of the {step * seconds:.3g} s between frames of {rows.source}, "
            f"found {interval:g} s; choose a longer one"
        )
    if step * seconds > _FINER * interval:
        told.cautions.append(
            f"{rows.scene}: frames lie {step * seconds:.3g} s apart, frames of {interval:g} s between them are "
            "interpolated on straight lines"
        )
    start = None if rows.clock.unit is None else float(rows.stamps.min()) * seconds
    return _scene(_resampled(rows, interval / seconds, told), interval, start)


def _empty(rows: Rows) -> DataError:
    return DataError(
        f"{rows.source}, scene '{rows.scene}': expected tracks of two points or more, found none; leave the scene out"
    )


def _seconds(rows: Rows, step: float) -> float:
    """Seconds a unit of the stamps."""
    clock = rows.clock
    seconds = clock.unit if clock.unit is not None else (clock.step or 0) / step
    if not _SHORTEST_STEP <= step * seconds <= LONGEST_STEP_SECONDS:
        raise DataError(
            f"{rows.source}, scene '{rows.scene}': expected {_SHORTEST_STEP:g} to {LONGEST_STEP_SECONDS:g} seconds "
            f"between frames, found {step * seconds:g}; give times in seconds, or name the column by --columns.frame "
            "and say by --seconds-per-frame what its numbers are (0.001 for milliseconds)"
        )
    if float(np.ptp(rows.stamps)) * seconds > _LONGEST_SCENE:
        raise DataError(
            f"{rows.source}, scene '{rows.scene}': expected times of one scene, found some that lie centuries apart; "
            "mend them"
        )
    return seconds


def _tell_headings(rows: Rows, told: Told) -> None:
    known = rows.headings[np.isfinite(rows.headings)]
    if len(known) and float(np.abs(known).max()) > _DEGREES:
        told.cautions.append(
            f"{rows.scene}: headings reach {float(np.abs(known).max()):.0f}, more than a turn in radians; write "
            "radians counter-clockwise from the x axis if they are degrees"
        )


def _resampled(rows: Rows, interval: float, told: Told) -> Rows:
    """Tracks at multiples of ``interval`` from the scene's first stamp; their frames become the stamps."""
    first = rows.stamps.min()
    bounds = np.searchsorted(rows.agents, np.arange(len(rows.names) + 1))
    parts = []
    for code, (start, end) in enumerate(pairwise(bounds)):
        values = np.column_stack([rows.positions[start:end], _unwrapped(rows.headings[start:end])])
        frames, values = resample(rows.stamps[start:end] - first, values, interval)
        parts.append((frames, np.full(len(frames), code), values))
    frames, agents, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    rows = replace(
        rows,
        places=np.zeros(len(frames), dtype=np.int64),
        stamps=frames.astype(np.float64),
        agents=agents,
        positions=values[:, :2],
        headings=values[:, 2],
    )
    return long_enough(rows, told, "on fewer than two frames")


def _unwrapped(headings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles without the leap at a full turn; a track that lacks one of them has none."""
    return np.unwrap(headings) if np.isfinite(headings).all() else np.full(len(headings), np.nan)


def _scene(rows: Rows, interval: float, start: float | None) -> Scene:
    if not len(rows.stamps):
        raise _empty(rows)
    rows = rows.take(np.lexsort((rows.agents, rows.stamps)))
    headings = (rows.headings + np.pi) % (2 * np.pi) - np.pi
    return Scene(
        name=rows.scene,
        interval=interval,
        frames=rows.stamps.astype(np.int64),
        agents=rows.agents,
        names=rows.names,
        positions=rows.positions,
        types=rows.types if any(rows.types) else (),
        sizes=rows.sizes if np.isfinite(rows.sizes).any() else None,
        map=rows.map,
        drivable=rows.drivable,
        simulated=rows.simulated,
        headings=headings if np.isfinite(headings).any() else None,
        start=start,
        published=rows.published,
    )
