"""Kinds of agents that are judged apart: by speed, by how many there are around, by turning; and their estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fivefold.evaluation.bootstrap import interval
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number
from fivefold.evaluation.question_intervals import resampled
from fivefold_driving.predict.metrics import Outputs, judged, present

Members = NDArray[np.bool_]

STILL = 0.2
"""Metres a second below which an agent stands: positions marked by hand shake by as much."""

CROWDS = (2, 5, 10, 20)
"""Agents in a window from which on a group of density begins."""

STRAIGHT, TURNING = 15.0, 45.0
"""Degrees up to which an agent goes straight on, and from which on it turns."""


@dataclass(frozen=True)
class Grouping:
    """Judged agents told apart by one property.

    Attributes:
        key: its name in ``report.json``.
        title: its name in tables.
        groups: name to members, ``(N, A)``; groups without members are left out.
    """

    key: str
    title: str
    groups: dict[str, Members]


def groupings(outputs: Outputs, seconds: float) -> list[Grouping]:
    """Judged agents by speed, by density and by turning.

    Args:
        outputs: with ``seen`` and ``target``.
        seconds: between frames.
    """
    among = judged(outputs)
    ways = [
        Grouping("speed", "Speed while seen", _by_speed(speeds(outputs, seconds), among)),
        Grouping("density", "Agents in the window", _by_density(present(outputs).sum(axis=1), among)),
        Grouping("turning", "Turning", _by_turning(turns(outputs, seconds), among)),
    ]
    return [Grouping(way.key, way.title, _filled(way.groups)) for way in ways]


def speeds(outputs: Outputs, seconds: float) -> Values:
    """Mean speed along the seen positions in metres a second, ``(N, A)``; nan where there is no agent."""
    steps = np.diff(np.asarray(outputs["seen"], dtype=np.float64), axis=2)
    return np.asarray(np.hypot(steps[..., 0], steps[..., 1]).mean(axis=2) / seconds)


def turns(outputs: Outputs, seconds: float) -> Values:
    """Degrees, 0 to 180, from the direction seen to that of the true displacement, ``(N, A)``.

    The direction seen is from the first to the last seen position; the true displacement is from there to the last
    target. It is nan where either is slower than `STILL`, and so has no direction to speak of.
    """
    seen = np.asarray(outputs["seen"], dtype=np.float64)
    before, after = seen[:, :, -1] - seen[:, :, 0], outputs["target"][:, :, -1] - seen[:, :, -1]
    cross = before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0]
    angle = np.abs(np.degrees(np.arctan2(cross, (before * after).sum(axis=-1))))
    slow = _slow(before, seconds * (seen.shape[2] - 1)) | _slow(after, seconds * outputs["target"].shape[2])
    return np.where(slow, np.nan, angle)


def _slow(displacement: Values, seconds: float) -> Members:
    return np.asarray(np.hypot(displacement[..., 0], displacement[..., 1]) < STILL * seconds)


def _by_speed(speed: Values, among: Members) -> dict[str, Members]:
    """Those that stand, and terciles of those that move."""
    moving = among & (speed >= STILL)
    groups = {f"standing (below {STILL:g} m/s)": among & (speed < STILL)}
    if not moving.any():
        return groups
    ends = np.quantile(speed[moving], [0, 1 / 3, 2 / 3, 1])
    place = np.searchsorted(ends[1:-1], speed, side="right")
    for third, (name, (low, high)) in enumerate(
        zip(("slowest", "middle", "fastest"), pairwise(ends), strict=True)
    ):
        span = f"{number(float(low))} to {number(float(high))} m/s"
        groups[f"{name} third of the moving ({span})"] = moving & (place == third)
    return groups


def _by_density(count: NDArray[np.int64], among: Members) -> dict[str, Members]:
    place = np.searchsorted(CROWDS, count, side="right")
    between = [f"{low} to {high - 1}" for low, high in pairwise(CROWDS)]
    names = ("alone", *between, f"{CROWDS[-1]} or more")
    return {name: among & (place == step)[:, None] for step, name in enumerate(names)}


def _by_turning(angle: Values, among: Members) -> dict[str, Members]:
    return {
        f"straight on (up to {STRAIGHT:g}°)": among & (angle <= STRAIGHT),
        f"bending ({STRAIGHT:g} to {TURNING:g}°)": among & (angle > STRAIGHT) & (angle < TURNING),
        f"turning ({TURNING:g}° or more)": among & (angle >= TURNING),
        f"no direction (below {STILL:g} m/s before or after)": among & np.isnan(angle),
    }


def _filled(groups: Mapping[str, Members]) -> dict[str, Members]:
    return {name: members for name, members in groups.items() if members.any()}


def agent_mean(values: Values, members: Members) -> float:
    """Mean of ``values`` ``(N, A)`` over ``members``."""
    return float(values[members].mean())


def group_estimates(
    evaluation: Evaluation,
    values: Values,
    groups: Sequence[Members],
    *,
    averaged: bool = False,
) -> list[Estimate]:
    """The mean of an agent's value over each group, with its interval over the evaluation's units.

    Args:
        evaluation: says how many resamples, of which units, at which level; they are the same for all groups.
        values: of each agent, ``(N, A)``.
        groups: members of each, ``(N, A)``, one or more each.
        averaged: add the mean over groups, each counting alike; resamples that lack a group are left out of it.
    """
    sums = np.stack([np.where(members, values, 0).sum(axis=1) for members in groups], axis=1)
    counts = np.stack([members.sum(axis=1) for members in groups], axis=1).astype(np.float64)

    def compute(weights: Values) -> dict[str, Values]:
        # A resample may leave a group out: nan is the answer there, not a warning.
        with np.errstate(divide="ignore", invalid="ignore"):
            means = (weights @ sums) / (weights @ counts)
        return {"means": np.column_stack([means, means.mean(axis=1)]) if averaged else means}

    return [interval(one, evaluation.level) for one in resampled(evaluation, compute)["means"]]
