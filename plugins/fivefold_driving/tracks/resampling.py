"""Even frames out of stamps: the step that a source keeps, where it changes, and linear interpolation in between.

Interpolation stays inside one track, between points that neighbour each other in time; what lies before the first
point, after the last, or in a gap is never made up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LONGEST_GAP = 1.5
"""Steps of the source up to which neighbouring points belong to one track."""

_SNAP = 1e-5  # of an interval: below what clocks resolve, above what rounding of large times leaves
_NEIGHBOURS = 7  # steps over which a frame rate must hold to be one; odd, so that its median is one of them
_CHANGE = 0.25  # share of the step by which a frame rate must differ to be another, rather than unsteady
_UNEVEN = 0.75  # scenes with stamps closer than the steps of tracks have a clock for each agent


def step_of(differences: Floats, *, timed: bool) -> float:
    """The step between neighbouring points of tracks.

    Args:
        differences: between stamps of neighbouring points of the same agent, all above 0, one at least.
        timed: stamps are times, which jitter: the mean of those near the median. Frames are counted: the most
            common one, of equals the smallest.
    """
    if not timed:
        values, counts = np.unique(np.round(differences, 6), return_counts=True)
        return float(values[np.argmax(counts)])
    middle = float(np.quantile(differences, 0.5, method="lower"))
    near = differences[np.abs(differences - middle) <= middle / 2]
    return round(float(near.mean()), 9)


def local_steps(stamps: Floats, step: float) -> tuple[Floats, Floats]:
    """The step that a scene keeps at each of its times: the median of seven neighbouring ones.

    A lone gap leaves it as it is; a frame rate that changes for good shows at once.

    Args:
        stamps: of the scene, in any order.
        step: of the scene as a whole.

    Returns:
        The distinct stamps, sorted, shape ``(T,)``, and the step from each to the next, shape ``(T,)``.
    """
    moments = np.unique(stamps)
    steps = np.diff(moments)
    if len(steps) < _NEIGHBOURS or np.median(steps) < _UNEVEN * step:
        return moments, np.full(len(moments), step)
    padded = np.pad(steps, _NEIGHBOURS // 2, mode="edge")
    medians = np.median(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1)
    return moments, np.append(medians, medians[-1])


def changes(steps: Floats, step: float) -> bool:
    """Whether the local steps tell of another frame rate than ``step``."""
    return bool(np.any(np.abs(steps - step) > _CHANGE * step))


def resample(instants: Floats, values: Floats, interval: float) -> tuple[NDArray[np.int64], Floats]:
    """One track at whole multiples of ``interval``, by linear interpolation between its neighbouring points.

    Args:
        instants: strictly growing, shape ``(N,)``, in the unit of ``interval``.
        values: shape ``(N, D)``.
        interval: between frames.

    Returns:
        The frames from the first to the last that the track covers, shape ``(F,)``, perhaps none, and the values
        there, shape ``(F, D)``; points that lie on a frame are kept as they are.
    """
    places = instants / interval
    whole = np.round(places)
    places = np.where(np.abs(places - whole) < _SNAP, whole, places)
    frames = np.arange(np.ceil(places[0]), np.floor(places[-1]) + 1)
    resampled = np.stack([np.interp(frames, places, column) for column in values.T], axis=1)
    return frames.astype(np.int64), resampled
